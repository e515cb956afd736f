// Measures what the indexer and its commands make of a database, and prints one table. scripts/load indexer calls it; its
// options are described there.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { median } from '../bench/measure.mjs';
import { endAll } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { parseOptions, postgresVersion, report } from './report.mjs';
import { mebibytes, row, thousands, timesOther } from './table.mjs';

const run = promisify(execFile);
const NOTES = 'Rates are log entries a second, from before the first batch to after the last commit, with `fsync`: medians, with the slowest and '
  + 'the fastest round; ratios are medians over the rounds.';

const options = parseOptions({ indexer: { type: 'string' } });

/** How much is measured. A smoke run only shows that everything still works together. */
const SIZE = options.smoke
  ? { rounds: 1, events: 2_000, rebuilt: 10_000, rolledBackLedgers: 10, early: 2_000, late: 10_000 }
  : { rounds: 5, events: 50_000, rebuilt: 1_000_000, rolledBackLedgers: 1_000, early: 500_000, late: 5_000_000 };

async function newDatabase(cluster) {
  const database = await cluster.createDatabase();
  await run(options.server, ['migrate'], { env: { ...process.env, DATABASE_URL: database.url } });
  return database;
}

/** One measurement of indexer_load.cpp's. */
async function load(...args) {
  const { stdout } = await run(options.indexer, args.map(String));
  const figures = JSON.parse(stdout);
  console.error(`${args[0]}: ${stdout.trim()}`);
  return { ...figures, rate: (figures.count / figures.microseconds) * 1e6 };
}

/** A command of the server's, and how long it took. */
async function command(name, { url }) {
  const begun = process.hrtime.bigint();
  const { stdout } = await run(options.server, [name], { env: { ...process.env, DATABASE_URL: url } });
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  console.error(`${name}: ${seconds.toFixed(2)} s, ${stdout.trim()}`);
  const result = JSON.parse(stdout);
  if (result.success !== true) throw new Error(`${name} failed: ${stdout}`);
  return { count: result.entries, seconds };
}

/** Ingest, and the rows that it wrote by COPY into the same table elsewhere. */
async function measureIngest(cluster) {
  const [ours, bare] = [await newDatabase(cluster), await newDatabase(cluster)];
  // The server makes partitions as it appends; COPY finds one.
  await cluster.query(bare.name, 'CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10000001)');
  const samples = { ingest: [], copy: [] };
  for (let round = 0; round < SIZE.rounds; round += 1) {
    samples.ingest.push((await load('ingest', ours.url, SIZE.events)).rate);
    samples.copy.push((await load('copy', ours.url, bare.url, SIZE.events)).rate);
  }
  return { ...samples, rollback: await rollBack(ours) };
}

async function rollBack(database) {
  const { count, microseconds } = await load('rollback', database.url, SIZE.rolledBackLedgers);
  return { count, seconds: microseconds / 1e6 };
}

async function measureCommands(cluster) {
  const database = await newDatabase(cluster);
  await load('ingest', database.url, SIZE.rebuilt);
  const rebuild = await command('rebuild', database);
  const verify = await command('verify', database);
  return { rebuild, verify, rollback: await rollBack(database) };
}

async function measureMemory(cluster) {
  const database = await newDatabase(cluster);
  const early = await load('ingest', database.url, SIZE.early);
  const late = await load('ingest', database.url, SIZE.late);
  return { early, late };
}

function timeRow(what, { count, seconds }, most) {
  return row(`${what} ${thousands(count)} entries`, `${seconds.toFixed(2)} s`, '', '', most && `≤ ${most} s`, seconds <= most);
}

/** In the log that was measured there is a stream for each ten entries; those undone are of nearly all the streams. */
function rollbackRow(rollback, entries, most) {
  return timeRow(`rollback of ${thousands(SIZE.rolledBackLedgers)} ledgers in a log of ${thousands(entries)} entries:`, rollback, most);
}

const ALLOWING_COPY = Math.ceil(60_000 / 0.35);

/** The aim for the rate itself holds where COPY leaves room for it. */
function rateRow({ ingest, copy }) {
  const [ours, bare] = [median(ingest), median(copy)];
  const allowed = bare >= ALLOWING_COPY;
  const aim = allowed ? '≥ 60,000' : undefined;
  const what = `the same, events a second${allowed ? '' : ` (the aim of 60,000 is for where \`COPY\` makes ${thousands(ALLOWING_COPY)})`}`;
  return row(what, thousands(ours), thousands(bare), '', aim, ours >= 60_000);
}

function rows({ ingest, commands, memory }) {
  const growth = memory.late.residentKiB / memory.early.residentKiB;
  return [
    timesOther('durable ingest, 1,000 events a transaction, against `COPY` of the same rows', ingest.ingest, ingest.copy, 0.35),
    rateRow(ingest),
    timeRow('`fluxora-server rebuild` of', commands.rebuild, 20),
    timeRow('`fluxora-server verify` of', commands.verify),
    rollbackRow(ingest.rollback, SIZE.rounds * SIZE.events, 3),
    rollbackRow(commands.rollback, SIZE.rebuilt),
    row(`resident memory after ingesting ${thousands(SIZE.late)} events, against ${thousands(SIZE.early)}`,
      mebibytes(memory.late.residentKiB), mebibytes(memory.early.residentKiB), `${growth.toFixed(2)} ×`, '≤ 1.1 ×', growth <= 1.1),
  ];
}

try {
  const cluster = await PostgresCluster.start({});
  const ingest = await measureIngest(cluster);
  const commands = await measureCommands(cluster);
  const memory = await measureMemory(cluster);
  const results = { ingest, commands, memory };
  const versions = { PostgreSQL: await postgresVersion(cluster) };
  report({ results, list: rows(results), notes: NOTES, part: 'indexer', versions, options });
} finally {
  await endAll();
}
