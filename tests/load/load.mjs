// Measures the server beside nginx, pgbench and the yardstick, and prints one table. scripts/load service calls it; its
// options are described there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endAll } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { requireSameAnswers } from './answers.mjs';
import { createStreams, numberStreams, streamIdSql } from './dataset.mjs';
import { pgbench, startNginx, startServer, startYardstick, version, wrk } from './programs.mjs';
import { parseOptions, postgresVersion, report } from './report.mjs';
import { takeTurns } from './rounds.mjs';
import { NOTES, rows } from './table.mjs';
import { FIND } from './yardstick/reads.mjs';

const options = parseOptions();

/** How much is measured. A smoke run only shows that everything still works together. */
const SIZE = options.smoke
  ? { streams: 200, rounds: 1, seconds: 1, connections: 8, early: 100, late: 2_000 }
  : { streams: 10_000, rounds: 3, seconds: 5, connections: 64, early: 10_000, late: 1_000_000 };
const MANY_CONNECTIONS = 128;
const FEW_CLIENTS = 4; // as pgbench is fastest here: more contend for the cores
const WARM_UP_SECONDS = 1; // each contender's own compiler, caches and connections

async function start() {
  const directory = mkdtempSync(join(tmpdir(), 'fluxora-load-'));
  const cluster = await PostgresCluster.start({ maxConnections: 200 });
  const reads = await cluster.createDatabase();
  const writes = await cluster.createDatabase();
  const yardstickWrites = await cluster.createDatabase();
  const server = (name, { url }) => startServer(name, { directory, program: options.server, databaseUrl: url });
  const yardstick = (name, { url }, workers) => startYardstick(name, { directory, databaseUrl: url, workers });

  const filler = await server('filler', reads);
  await createStreams(filler.url, SIZE.streams);
  await filler.end();
  const client = cluster.client(reads.name);
  await client.connect();
  await numberStreams(client);
  await client.end();
  const env = { ...process.env, DATABASE_URL: yardstickWrites.url };
  execFileSync(options.server, ['migrate'], { env, stdio: 'ignore' });
  // The server's own writers make the log's partitions as they need them.
  await cluster.query(yardstickWrites.name, 'CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10000001)');
  const script = join(directory, 'select.sql');
  const select = FIND.text.replace(/\s+/g, ' ').replace('$1', streamIdSql(':n'));
  writeFileSync(script, `\\set n random(1, ${SIZE.streams})\n${select};\n`);

  return {
    directory,
    cluster,
    reads,
    script,
    fluxora: await server('fluxora', reads),
    fluxoraWrites: await server('fluxora-writes', writes),
    express: await yardstick('express', reads, 1),
    expressWrites: await yardstick('express-writes', yardstickWrites, 1),
    workers: await yardstick('express-workers', reads, 2),
    workersWrites: await yardstick('express-workers-writes', yardstickWrites, 2),
    nginx: await startNginx(directory),
  };
}

/** Every measurement by name; a round makes each of them. */
function measurements(programs, seconds) {
  const load = { connections: SIZE.connections, seconds };
  const rate = async (program, kind) => (await wrk(program, kind, load)).rate;
  const { fluxora, fluxoraWrites, express, expressWrites, workers, workersWrites, nginx } = programs;
  const one = ['streams', `${SIZE.streams}`];
  const list = ['get', '/api/streams?limit=20'];
  const { cluster, reads, script } = programs;
  const select = (connections) => pgbench({ cluster, database: reads.name, script, connections, seconds });
  return {
    health: {
      fluxora: () => rate(fluxora, ['get', '/health']),
      nginx: () => rate(nginx, ['get', '/health']),
    },
    one: {
      fluxora: () => rate(fluxora, one),
      pgbench: () => select(SIZE.connections),
      fewClients: () => select(FEW_CLIENTS),
      express: () => rate(express, one),
      workers: () => rate(workers, one),
    },
    list: {
      fluxora: () => rate(fluxora, list),
      express: () => rate(express, list),
      workers: () => rate(workers, list),
    },
    latency: {
      fluxora: async () => {
        const { p50, p99 } = await wrk(fluxora, one, { connections: MANY_CONNECTIONS, seconds });
        return { p50, p99 };
      },
    },
    create: {
      fluxora: () => rate(fluxoraWrites, ['create']),
      express: () => rate(expressWrites, ['create']),
      workers: () => rate(workersWrites, ['create']),
    },
  };
}

/** What the server has resident: idle, after the first requests and after many. wrk counts seconds, not requests. */
async function measureMemory({ fluxora }) {
  const idle = fluxora.residentKiB();
  let sent = 0;
  const after = async (requests, seconds) => {
    while (sent < requests) {
      const figures = await wrk(fluxora, ['mixed', `${SIZE.streams}`], { connections: SIZE.connections, seconds });
      sent += figures.requests;
    }
    const figures = { requests: sent, residentKiB: fluxora.residentKiB() };
    console.error(`memory: ${JSON.stringify(figures)}`);
    return figures;
  };
  return { idle, early: await after(SIZE.early, 1), late: await after(SIZE.late, SIZE.seconds) };
}

async function versions({ cluster }) {
  return {
    'Node.js': process.versions.node,
    Express: JSON.parse(readFileSync(new URL('node_modules/express/package.json', import.meta.url), 'utf8')).version,
    pg: JSON.parse(readFileSync(new URL('node_modules/pg/package.json', import.meta.url), 'utf8')).version,
    PostgreSQL: await postgresVersion(cluster),
    nginx: await version('nginx', ['-v']),
    wrk: await version('wrk', ['-v']),
  };
}

let programs;
try {
  programs = await start();
  await requireSameAnswers(programs);
  const memory = await measureMemory(programs);
  await takeTurns(measurements(programs, WARM_UP_SECONDS), 1);
  const samples = await takeTurns(measurements(programs, SIZE.seconds), SIZE.rounds);
  const results = { ...samples, memory };
  report({ results, list: rows(results), notes: NOTES, part: 'service', versions: await versions(programs), options });
} finally {
  await endAll();
  if (programs !== undefined) rmSync(programs.directory, { recursive: true, force: true });
}
