// Runs every bench and prints the table. scripts/bench calls it; its options are described there.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { median } from './measure.mjs';
import { raceBalances } from './node/balances.mjs';
import { sizes } from './node/sizes.mjs';
import { raceVerifiers } from './node/webhooks.mjs';
import { markdown, rows } from './table.mjs';

const ROOT = resolve(fileURLToPath(new URL('.', import.meta.url)), '../..');
const PACKAGE = join(ROOT, 'wasm/package');
const README = join(ROOT, 'wasm/README.md');
const [BEGIN, END] = ['<!-- figures: scripts/bench --write -->', '<!-- figures end -->'];
const COLD_STARTS = 15;
const NATIVE_REPETITIONS = 5;

const { values: options } = parseArgs({
  options: { native: { type: 'string' }, json: { type: 'string' }, write: { type: 'boolean' }, check: { type: 'boolean' } },
});

/** The file of the package's `exports` that Node takes. */
function entryOf(subpath, condition) {
  let target = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).exports[subpath];
  while (typeof target === 'object') target = target[condition] ?? target.default;
  return target.replace('./src/', '');
}

const source = (name) => join(PACKAGE, 'src', name);
const module = (name) => join(PACKAGE, 'dist', `${name}.wasm`);

function coldStarts(entry, wasm) {
  const program = fileURLToPath(new URL('node/cold_start.mjs', import.meta.url));
  const runs = Array.from({ length: COLD_STARTS },
    () => JSON.parse(execFileSync(process.execPath, [program, source(entry), wasm], { encoding: 'utf8' })));
  return {
    fromBytes: runs.map((run) => run.fromBytes),
    fromModule: runs.map((run) => run.fromModule),
    freshInstances: runs.map((run) => median(run.freshInstances)),
  };
}

const TO_NANOSECONDS = { ns: 1, us: 1e3, ms: 1e6 };

function native(program) {
  if (program === undefined) return [];
  const text = execFileSync(program, [`--benchmark_repetitions=${NATIVE_REPETITIONS}`, '--benchmark_report_aggregates_only=true',
    '--benchmark_min_time=0.1', '--benchmark_format=json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(text).benchmarks
    .filter((result) => result.aggregate_name === 'median')
    .map((result) => ({ name: result.run_name, nanoseconds: result.real_time * TO_NANOSECONDS[result.time_unit] }));
}

function writeReadme(table) {
  const text = readFileSync(README, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} has no place between "${BEGIN}" and "${END}"`);
  writeFileSync(README, `${text.slice(0, begin)}${BEGIN}\n${table}\n${text.slice(end)}`);
}

const [entry, verifyEntry] = ['.', './verify'].map((subpath) => entryOf(subpath, 'node'));
const { load } = await import(pathToFileURL(source(entry)));
const core = await load();

const results = {
  verify1KiB: await raceVerifiers(core, 1024),
  verify256KiB: await raceVerifiers(core, 256 * 1024),
  balances: await raceBalances(core),
  sizes: sizes(PACKAGE, {
    entry: entryOf('.', 'browser'), verifyEntry: entryOf('./verify', 'browser'), feedEntry: entryOf('./feed', 'default'),
  }),
  coldStart: {
    '`@fluxora/core`': coldStarts(entry, module('fluxora_core')),
    '`/verify`': coldStarts(verifyEntry, module('fluxora_verify')),
  },
  native: native(options.native),
};

const list = rows(results);
const table = markdown(list, `${cpus()[0].model.trim()}, Node.js ${process.versions.node}`);
console.log(table);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
if (options.write) writeReadme(table);
const missed = list.filter(({ met }) => !met);
if (options.check && missed.length > 0) {
  console.error(`missed: ${missed.map(({ what }) => what).join('; ')}`);
  process.exitCode = 1;
}
