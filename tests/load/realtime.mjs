// Measures the feed beside a small hub on ws and a bare program that sends ready frames, and prints one table.
// scripts/load realtime calls it; its options are described there.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { endAll } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { startFeed, startServer } from './programs.mjs';
import { NOTES, rows } from './realtime/rows.mjs';
import { parseOptions, postgresVersion, report } from './report.mjs';
import { takeTurns } from './rounds.mjs';

const run = promisify(execFile);
const WS_HUB = fileURLToPath(new URL('realtime/ws_hub.mjs', import.meta.url));
const SHORT_BYTES = 330;
const BURST = 10;
const PACE = 10; // a second
/** Bursts on their way at once: in a flood a hub may put some together, one by one it can't. */
const FLOOD = 4;
const ONE_BY_ONE = 1;
const FEW_STREAMS = 100;

/** `programs`: the folder with what CMake makes of tests/load. */
const options = parseOptions({ programs: { type: 'string' } });

/** How much is measured. A smoke run only shows that everything still works together. */
const SIZE = options.smoke
  ? { rounds: 1, flood: 200, pace: 500, subscribers: 20, streams: 100, manyRate: 200, fewRate: 50, seconds: 1, idle: 100, deaf: 2, deafRate: 100, deafFor: 500 }
  : { rounds: 5, flood: 1_500, pace: 3_000, subscribers: 1_000, streams: 10_000, manyRate: 1_000, fewRate: 50, seconds: 5, idle: 15_000, deaf: 20, deafRate: 300, deafFor: 20_000 };

/** One measurement of the load client's. */
async function load(...args) {
  const { stdout } = await run(join(options.programs, 'fluxora_realtime_load'), args.map(String));
  return JSON.parse(stdout);
}

/** Contenders that make updates of `bytes`; of the server's own size without. */
async function startContenders(directory, bytes) {
  const suffix = bytes ?? 'own';
  const start = (name, command, args) => startFeed(`${name}-${suffix}`, { directory, command, args: args.map(String) });
  const fluxora = await start('fluxora', join(options.programs, 'fluxora_hub_server'), bytes === undefined ? [] : [bytes]);
  const { stream } = fluxora.said;
  const own = await bursts(fluxora, stream, { connections: 1, burst: 1, atOnce: ONE_BY_ONE, milliseconds: 100 });
  return {
    stream,
    fluxora,
    ws: await start('ws', process.execPath, [WS_HUB, own.bytes, stream]),
    bareOne: await start('bare-one', join(options.programs, 'fluxora_bare_sender'), [own.bytes, 1]),
    bareTwo: await start('bare-two', join(options.programs, 'fluxora_bare_sender'), [own.bytes, 2]),
  };
}

/** `perSecond` 0: as many as can be delivered, `atOnce` on their way. */
function bursts({ said }, stream, { connections, burst, perSecond = 0, atOnce = 0, milliseconds, deaf = 0 }) {
  return load('bursts', said.port, said.control, stream, connections, burst, perSecond, atOnce, milliseconds, deaf);
}

/** What each contender makes of a flood, of bursts one by one, and of a pace. */
function burstMeasurements({ stream, ...contenders }) {
  const all = (how, names) => Object.fromEntries(names.map((name) => [name, () => bursts(contenders[name], stream, how)]));
  const connections = SIZE.subscribers;
  return {
    flood: all({ connections, burst: BURST, atOnce: FLOOD, milliseconds: SIZE.flood }, ['fluxora', 'ws', 'bareOne', 'bareTwo']),
    oneByOne: all({ connections, burst: BURST, atOnce: ONE_BY_ONE, milliseconds: SIZE.flood }, ['fluxora', 'bareOne', 'bareTwo']),
    paced: all({ connections, burst: 1, perSecond: PACE, milliseconds: SIZE.pace }, ['fluxora', 'bareOne', 'bareTwo']),
  };
}

/** What clients that never read do to the others. */
async function measureBesideDeaf({ stream, fluxora }) {
  const how = { connections: SIZE.subscribers, burst: 1, perSecond: SIZE.deafRate, milliseconds: SIZE.deafFor };
  const figures = { without: await bursts(fluxora, stream, how), beside: await bursts(fluxora, stream, { ...how, deaf: SIZE.deaf }) };
  console.error(`deaf: ${JSON.stringify(figures)}`);
  return figures;
}

/** The contenders of one size, which end before the next begin. */
async function measureBursts(directory, bytes) {
  const contenders = await startContenders(directory, bytes);
  const samples = await takeTurns(burstMeasurements(contenders), SIZE.rounds);
  // Updates of their own size fill the queue of a client that doesn't read within seconds.
  if (bytes === undefined) samples.deaf = await measureBesideDeaf(contenders);
  for (const name of ['fluxora', 'ws', 'bareOne', 'bareTwo']) await contenders[name].end();
  return samples;
}

/** The whole server, over a log that the load client writes beside it. */
async function measureLog(directory, cluster) {
  const database = await cluster.createDatabase();
  const server = await startServer('server', { directory, program: options.server, databaseUrl: database.url });
  await load('streams', database.url, SIZE.streams);
  const measure = async (name, { transport = 'websocket', connections, streams, atOnce, perSecond }) => {
    const figures = await load('log', server.said.port, database.url, transport, connections, streams, atOnce, perSecond, perSecond * SIZE.seconds);
    console.error(`${name}: ${JSON.stringify(figures)}`);
    return figures;
  };
  const few = { connections: FEW_STREAMS, streams: FEW_STREAMS, atOnce: 1, perSecond: SIZE.fewRate };
  const figures = {
    few: await measure('few', few),
    events: await measure('events', { ...few, transport: 'sse' }),
    one: await measure('one', { connections: SIZE.subscribers, streams: 1, atOnce: 1, perSecond: PACE }),
    many: await measure('many', { connections: SIZE.streams, streams: SIZE.streams, atOnce: 20, perSecond: SIZE.manyRate / 20 }),
  };
  await server.end();
  return figures;
}

/** As many connections as one process may have descriptors, up to what is meant. */
function idleConnections() {
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Math.min(SIZE.idle, Number(hard ?? SIZE.idle + 500) - 500);
}

async function measureIdle(directory, cluster) {
  const figures = {};
  for (const kind of ['silent', 'subscribed']) {
    const database = await cluster.createDatabase();
    const server = await startServer(`idle-${kind}`, { directory, program: options.server, databaseUrl: database.url });
    figures[kind] = await load('idle', server.said.port, server.process.pid, idleConnections(), kind);
    console.error(`idle, ${kind}: ${JSON.stringify(figures[kind])}`);
    await server.end();
  }
  return figures;
}

function wsVersion() {
  return JSON.parse(readFileSync(new URL('node_modules/ws/package.json', import.meta.url), 'utf8')).version;
}

const directory = mkdtempSync(join(tmpdir(), 'fluxora-load-'));
try {
  const short = await measureBursts(directory, SHORT_BYTES);
  const own = await measureBursts(directory);
  const cluster = await PostgresCluster.start({});
  const log = await measureLog(directory, cluster);
  const idle = await measureIdle(directory, cluster);
  const results = { short, own, log, idle };
  const versions = { 'Node.js': process.versions.node, ws: wsVersion(), PostgreSQL: await postgresVersion(cluster) };
  report({ results, list: rows(results, SIZE), notes: NOTES, part: 'realtime', versions, options });
} finally {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
}
