// Asks the native program and the WebAssembly modules the same, and compares what they answer byte for byte.
//   node compare.mjs --native PROGRAM --modules FILE[,FILE] [--seed N] [--inputs N] [--index N]
// --index asks only that input, and shows it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { makeCall } from './generator.mjs';
import { Module } from './module.mjs';

const BATCH = 256;
// From here on every function must have been reached, and every kind of call must have gone well.
const ENOUGH_INPUTS = 10_000;

const { values: options } = parseArgs({
  options: {
    native: { type: 'string' },
    modules: { type: 'string' },
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '20000' },
    index: { type: 'string' },
  },
});
const seed = Number.parseInt(options.seed, 10);
const inputs = Number.parseInt(options.inputs, 10);
if (!options.native || !options.modules || !(seed >= 0) || !(inputs > 0)) {
  throw new Error('usage: compare.mjs --native PROGRAM --modules FILE[,FILE] [--seed N] [--inputs N] [--index N]');
}

/** The native program, asked in batches. */
class Native {
  #process;
  #chunks;
  #received = Buffer.alloc(0);

  constructor(program) {
    this.#process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdin.on('error', () => {}); // it ended: reading finds that out
    this.#chunks = this.#process.stdout[Symbol.asyncIterator]();
  }

  send(records) {
    const parts = records.flatMap((record) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(record.length);
      return [size, record];
    });
    this.#process.stdin.write(Buffer.concat(parts));
  }

  /** The next answer, undefined where the program ended without one. */
  async answer() {
    while (this.#received.length < 4 || this.#received.length < 4 + this.#received.readUInt32LE(0)) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#received = Buffer.concat([this.#received, value]);
    }
    const end = 4 + this.#received.readUInt32LE(0);
    const answer = this.#received.subarray(4, end);
    this.#received = this.#received.subarray(end);
    return answer;
  }

  async end() {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
    return this.#process.exitCode;
  }
}

function shown(answer) {
  if (answer === undefined) return 'no answer: it crashed';
  return answer instanceof Error ? answer.stack : answer.toString('hex') || '(nothing)';
}

function report(index, { name, record }, answers) {
  console.error(`input ${index} of seed ${seed}, ${name}`);
  console.error(`  call: ${record.toString('hex')}`);
  for (const [who, answer] of answers) console.error(`  ${who}: ${shown(answer)}`);
  console.error('again:');
  const programs = `--native ${options.native} --modules ${options.modules}`;
  console.error(`  node ${process.argv[1]} ${programs} --seed ${seed} --index ${index}`);
}

function answerOf(module, record) {
  try {
    return module.answer(record);
  } catch (error) {
    return error;
  }
}

const native = new Native(options.native);
const modules = options.modules.split(',').map((file) => ({ file, module: new Module(file) }));
const reached = new Map();

/** Compares inputs first..first + count - 1. False at the first difference. */
async function compareBatch(first, count) {
  const calls = Array.from({ length: count }, (_, i) => makeCall(seed, first + i));
  native.send(calls.map(({ record }) => record));
  const ours = calls.map(({ name, record }) =>
    modules.filter(({ module }) => module.has(name)).map(({ file, module }) => [file, answerOf(module, record)]));
  for (const [i, call] of calls.entries()) {
    const expected = await native.answer();
    const same = (answer) => expected !== undefined && !(answer instanceof Error) && expected.equals(answer);
    const differs = !ours[i].every(([, answer]) => same(answer));
    if (differs || options.index !== undefined) report(first + i, call, [['native', expected], ...ours[i]]);
    if (differs) return false;
    const counts = reached.get(call.name) ?? { calls: 0, well: 0 };
    counts.calls += 1;
    const isError = expected.length === 8 && expected.readUInt32LE(0) !== 0; // a status and its offset alone
    if (!isError) counts.well += 1;
    reached.set(call.name, counts);
  }
  return true;
}

async function compareAll() {
  if (options.index !== undefined) return compareBatch(Number.parseInt(options.index, 10), 1);
  for (let first = 0; first < inputs; first += BATCH) {
    if (!(await compareBatch(first, Math.min(BATCH, inputs - first)))) return false;
  }
  return true;
}

function everythingReached() {
  // What several modules share is called in one of them at least.
  const called = new Set(modules.flatMap(({ module }) => module.called));
  const uncalled = [...new Set(modules.flatMap(({ module }) => module.shown))].filter((name) => !called.has(name));
  if (uncalled.length > 0) console.error(`exported, but never called: ${uncalled.join(', ')}`);
  const neverWell = [...reached].filter(([, { well }]) => well === 0).map(([name]) => name);
  if (neverWell.length > 0) console.error(`never went well: ${neverWell.join(', ')}`);
  return uncalled.length === 0 && neverWell.length === 0;
}

const same = await compareAll();
const status = await native.end();
if (!same || status !== 0) {
  process.exitCode = 1;
} else if (options.index === undefined) {
  for (const [name, { calls, well }] of [...reached].sort()) console.log(`${name}: ${calls} calls, ${well} went well`);
  console.log(`${inputs} inputs of seed ${seed}: no difference`);
  if (inputs >= ENOUGH_INPUTS && !everythingReached()) process.exitCode = 1;
}
