// The entry for Node: the module is a file beside this one.
import { readFile } from 'node:fs/promises';

import { fromModule } from './core.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

export async function load(source = new URL('../dist/fluxora_core.wasm', import.meta.url)) {
  return fromModule(await WebAssembly.compile(await readFile(source)));
}
