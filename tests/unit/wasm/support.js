import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { CoreMemory } from '../../../wasm/package/src/memory.js';
import { fromModule } from '../../../wasm/package/src/node.js';
import { fromModule as ed25519FromModule } from '../../../wasm/package/src/ed25519_node.js';
import { fromModule as verifyFromModule } from '../../../wasm/package/src/verify_node.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The module that the build put into the package, or the one that FLUXORA_WASM names. */
export const wasmFile = process.env.FLUXORA_WASM ?? `${root}wasm/package/dist/fluxora_core.wasm`;

export const module = await WebAssembly.compile(await readFile(wasmFile));

/** The modules beside it that verify webhooks alone, and what they give. */
export const verifyFile = `${root}wasm/package/dist/fluxora_verify.wasm`;
export const verifyModule = await WebAssembly.compile(await readFile(verifyFile));
export const newVerify = () => verifyFromModule(verifyModule);
export const ed25519File = `${root}wasm/package/dist/fluxora_ed25519.wasm`;
export const ed25519Module = await WebAssembly.compile(await readFile(ed25519File));
export const newEd25519 = () => ed25519FromModule(ed25519Module);

/** The ways across of an instance that no test shares. */
export const newMemory = () => new CoreMemory(module, 'fluxora_columns_create');

/** A core of its own for each test file that asks. */
export const newCore = () => fromModule(module);

const vectors = process.env.FLUXORA_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url));

/** What a test over outside vectors is given as its options: it runs, or skips with one line. */
export const needsVectors = existsSync(vectors) ? {} : { skip: `no vectors at ${vectors}` };

function cases(file, list) {
  if (list.length === 0) throw new Error(`${file} is there and has no cases`);
  console.log(`vectors: ${file} ${list.length} cases`);
  return list;
}

/** The objects of a .jsonl file of the vectors. */
export function readLines(file) {
  const text = readFileSync(`${vectors}/${file}`, 'utf8');
  return cases(file, text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)));
}

/** The cases that `pick` takes from a .json file of the vectors. */
export function readCases(file, pick) {
  return cases(file, pick(JSON.parse(readFileSync(`${vectors}/${file}`, 'utf8'))));
}

/** What a call throws has this code. */
export const withCode = (code) => (error) => {
  if (error.name !== 'FluxoraError' || error.code !== code) {
    throw new Error(`expected ${code}, got ${error.name} ${error.code}: ${error.message}`, { cause: error });
  }
  return true;
};

/** A linear stream of 1,000 at 0.5 a second from 100 to 2100. */
export const aStream = (changes = {}) => ({
  id: 's-1',
  kind: 'linear',
  status: 'active',
  depositAmount: '1000.0000000',
  ratePerSecond: '0.5000000',
  withdrawnAmount: '1.0000000',
  settledAmount: '0.0000000',
  checkpointedAmount: '0.0000000',
  checkpointedAt: 100,
  cliffTime: 100,
  endTime: 2100,
  cancelledAt: null,
  ...changes,
});
