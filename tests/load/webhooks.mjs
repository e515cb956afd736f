// Measures deliveries of webhooks beside a sequential sender, and what a dead receiver does to the others, and prints one
// table. scripts/load webhooks calls it; its options are described there.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { median } from '../bench/measure.mjs';
import { coldStart } from '../edge/cold_start.mjs';
import { endAll } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { waitFor } from '../integration/harness/wait.js';
import { startReceiver, startServer } from './programs.mjs';
import { parseOptions, postgresVersion, report } from './report.mjs';
import { milliseconds, row, thousands, timesOther } from './table.mjs';
import { sendSequentially } from './webhooks/sequential_sender.mjs';
import { accountId } from './yardstick/strkey.mjs';

const NOTES = 'Rates are deliveries a second: medians, with the slowest and the fastest round; ratios are medians over the rounds.';

/** `receiver`: tests/webhooks' program. */
const options = parseOptions({ receiver: { type: 'string' } });

/** How much is measured. A smoke run only shows that everything still works together. */
const SIZE = options.smoke
  ? { rounds: 1, turns: 1, endpoints: 2, entries: 50, sequential: 50, many: 50, stuck: 20, perSecond: 20, seconds: 2, coldStarts: 2 }
  : { rounds: 3, turns: 5, endpoints: 10, entries: 3_000, sequential: 2_000, many: 10_000, stuck: 2_000, perSecond: 200, seconds: 15, coldStarts: 15 };
const WRITERS = 32;
const DEADLINE_MS = 300_000;
const SECRET = randomBytes(32).toString('hex');
const SETTINGS = {
  JWT_SECRET: SECRET,
  WEBHOOK_SECRET_KEYS: randomBytes(32).toString('base64'),
  WEBHOOK_HTTP_HOSTS: '127.0.0.1',
  WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8',
};

const base64url = (text) => Buffer.from(text).toString('base64url');
const signed = `${base64url('{"alg":"HS256"}')}.${base64url('{"sub":"load","scope":"webhooks:manage"}')}`;
const HEADERS = {
  'content-type': 'application/json',
  authorization: `Bearer ${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`,
};

async function post(server, path, body, headers = HEADERS) {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${path} was answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/** Calls `work` with 0, 1, … count − 1, some at a time. */
async function inParallel(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

/** An entry of the log: a stream to the n-th account is made. */
function makeEntry(server, n) {
  const stream = { sender: accountId(0), recipient: accountId(n), depositAmount: '1000000.5', ratePerSecond: '0.0116' };
  return post(server, '/api/streams', stream, { 'content-type': 'application/json' });
}

/** One database with its server, with or without a dispatcher. */
class Service {
  constructor(directory, cluster, database) {
    Object.assign(this, { directory, cluster, database, starts: 0 });
  }

  async serve(delivery) {
    await this.server?.end();
    this.starts += 1;
    const settings = { ...SETTINGS, WEBHOOK_DELIVERY: `${delivery}` };
    const name = `${this.database.name}-${this.starts}`;
    this.server = await startServer(name, { directory: this.directory, program: options.server, databaseUrl: this.database.url, settings });
    return this.server;
  }

  async query(text) {
    this.client ??= await this.connect();
    return (await this.client.query(text)).rows;
  }

  async connect() {
    const client = this.cluster.client(this.database.name);
    await client.connect();
    return client;
  }

  async end() {
    await this.server.end();
    await this.client?.end();
  }
}

/** Everything that waits is sent: how many deliveries a second, from the first attempt to the last one's record. */
async function deliver(service) {
  const [{ waiting }] = await service.query('SELECT count(*)::int AS waiting FROM webhook_deliveries WHERE state = 0');
  const [{ before }] = await service.query('SELECT count(*)::int AS before FROM webhook_attempts');
  await service.query('ANALYZE');
  await service.serve(true);
  await waitFor(async () => (await service.query('SELECT FROM webhook_lanes LIMIT 1')).length === 0, { what: 'all to be sent', deadlineMs: DEADLINE_MS });
  const ended = Date.now();
  const [figures] = await service.query(`SELECT min(at_ms)::bigint AS begun, count(*)::int AS attempts FROM
    (SELECT at_ms FROM webhook_attempts ORDER BY at_ms DESC LIMIT ${waiting}) newest`);
  const [{ after }] = await service.query('SELECT count(*)::int AS after FROM webhook_attempts');
  if (after - before !== waiting) throw new Error(`${waiting} deliveries took ${after - before} attempts`);
  return { sent: waiting, rate: (waiting * 1000) / (ended - Number(figures.begun)) };
}

async function bodiesOf(service) {
  const rows = await service.query(`SELECT stream_id AS stream, event, body FROM webhook_messages ORDER BY seq DESC LIMIT ${SIZE.sequential}`);
  return { bodies: rows, bytes: median(rows.map(({ body }) => Buffer.byteLength(body))) };
}

/** An endpoint of its own path at the receiver, which is told the secret. */
async function makeEndpoint(service, receiver, path, filter = {}) {
  const { id, secret } = await post(service.server, '/api/webhooks/endpoints', { url: `${receiver.url}${path}`, ...filter });
  receiver.process.stdin.write(`trust ${path} ${secret}\n`);
  return { id, secret };
}

async function beginToServe(receiver) {
  receiver.process.stdin.write('serve\n');
  await waitFor(async () => (await fetch(`${receiver.url}/counts`)).ok, { what: 'the receiver to serve' });
}

/** Our dispatcher and the sequential sender in turns, with the same bodies to the same receiver. */
async function measureRate(directory, cluster) {
  const service = new Service(directory, cluster, await cluster.createDatabase());
  const yardstick = await cluster.createDatabase();
  const receiver = await startReceiver('receiver-rate', { directory, program: options.receiver });
  await service.serve(false);
  let secret;
  for (let n = 0; n < SIZE.endpoints; n += 1) ({ secret } = await makeEndpoint(service, receiver, `/ok/${n}`));
  await beginToServe(receiver);
  const url = `${receiver.url}/ok/${SIZE.endpoints - 1}`;
  const samples = { ours: [], sequential: [] };
  for (let round = 0; round < SIZE.rounds; round += 1) {
    await service.serve(false);
    await inParallel(SIZE.entries, (n) => makeEntry(service.server, n + 1));
    samples.ours.push(await deliver(service));
    const { bodies, bytes } = await bodiesOf(service);
    samples.bytes = bytes;
    samples.sequential.push(await sendSequentially({ database: yardstick.url, prefix: `sequential-${round}`, url, secret, bodies }));
    console.error(`round ${round + 1}: ${JSON.stringify({ ours: samples.ours.at(-1), sequential: samples.sequential.at(-1) })}`);
  }
  await service.end();
  await receiver.end();
  return samples;
}

/** Entries at a steady pace, to endpoints in turn; the time from before each request to its webhook's arrival. */
async function measureLatency(service, receiver, first) {
  const begun = new Map();
  const pending = [];
  const start = Date.now();
  const count = SIZE.perSecond * SIZE.seconds;
  for (let n = 0; n < count; n += 1) {
    const due = start + (n * 1000) / SIZE.perSecond;
    if (due > Date.now()) await delay(due - Date.now());
    const at = Date.now();
    pending.push(makeEntry(service.server, 1 + ((first + n) % SIZE.many)).then(({ id }) => begun.set(id, at)));
  }
  await Promise.all(pending);
  const latencies = await waitFor(() => {
    const arrived = arrivals(receiver, begun);
    return arrived.length === count && arrived;
  }, { what: `${count} webhooks to arrive`, deadlineMs: DEADLINE_MS });
  const sorted = latencies.toSorted((a, b) => a - b);
  return { p50: sorted[sorted.length >> 1], p99: sorted[Math.floor(sorted.length * 0.99)] };
}

/** Milliseconds from each begin to the first arrival of its webhook. */
function arrivals(receiver, begun) {
  const arrived = new Map();
  for (const line of readFileSync(receiver.record, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue;
    const { at, streamId } = JSON.parse(line);
    if (begun.has(streamId) && !arrived.has(streamId)) arrived.set(streamId, at - begun.get(streamId));
  }
  return [...arrived.values()];
}

/** Many endpoints, each with an account of its own, and one that never answers: without its lanes and with them. */
async function measureIsolation(directory, cluster) {
  const service = new Service(directory, cluster, await cluster.createDatabase());
  const receiver = await startReceiver('receiver-isolation', { directory, program: options.receiver });
  await service.serve(true);
  await inParallel(SIZE.many, (n) => makeEndpoint(service, receiver, `/ok/${n + 1}`, { recipient: accountId(n + 1) }));
  const deadAccount = SIZE.many + 1;
  const dead = await makeEndpoint(service, receiver, '/hang/dead', { recipient: accountId(deadAccount) });
  await beginToServe(receiver);
  let measured = 0;
  const measure = () => measureLatency(service, receiver, SIZE.perSecond * SIZE.seconds * measured++);
  await measure(); // opens what connections there are to be
  const samples = { without: [], beside: [] };
  for (let round = 0; round < SIZE.turns; round += 1) {
    await enable(service, dead, false);
    samples.without.push(await measure());
    await enable(service, dead, true);
    await inParallel(SIZE.stuck, () => makeEntry(service.server, deadAccount));
    samples.beside.push(await measure());
    console.error(`isolation, round ${round + 1}: ${JSON.stringify({ without: samples.without.at(-1), beside: samples.beside.at(-1) })}`);
  }
  const [{ stuck }] = await service.query('SELECT count(*)::int AS stuck FROM webhook_deliveries WHERE state = 0');
  await service.end();
  await receiver.end();
  return { ...samples, stuck };
}

async function enable(service, { id }, enabled) {
  const answer = await fetch(`${service.server.url}/api/webhooks/endpoints/${id}`, { method: 'PATCH', headers: HEADERS, body: JSON.stringify({ enabled }) });
  if (!answer.ok) throw new Error(`PATCH was answered ${answer.status}: ${await answer.text()}`);
}

function rows({ rate, isolation, cold }) {
  const rates = (samples) => samples.map((sample) => sample.rate);
  const ours = median(rates(rate.ours));
  const { without, beside, stuck } = isolation;
  const middle = (samples, name) => median(samples.map((sample) => sample[name]));
  const of = (samples) => `p50 ${milliseconds(middle(samples, 'p50') * 1000)}, p99 ${milliseconds(middle(samples, 'p99') * 1000)}`;
  const ratio = median(beside.map(({ p99 }, round) => p99 / without[round].p99));
  return [
    timesOther(`deliveries of ${thousands(rate.bytes)} bytes, claimed, sent and recorded, against a sequential sender`, rates(rate.ours), rates(rate.sequential), 10),
    row('the same, a second', thousands(ours), '', '', '≥ 3,000', ours >= 3_000),
    row(`${thousands(SIZE.many)} endpoints, ${thousands(SIZE.perSecond)} entries a second, from request to receiver, beside one that never answers and for which ${thousands(stuck)} wait, against without it`,
      of(beside), of(without), `${ratio.toFixed(2)} ×`, '≤ 1.2 ×', ratio <= 1.2),
    row('edge receiver in workerd, from a fresh instance to its first verdict', `${cold.toFixed(1)} ms`, '', '', '≤ 5 ms', cold <= 5),
  ];
}

const directory = mkdtempSync(join(tmpdir(), 'fluxora-load-'));
try {
  const cluster = await PostgresCluster.start({});
  const results = { rate: await measureRate(directory, cluster), isolation: await measureIsolation(directory, cluster), cold: await coldStart(SIZE.coldStarts) };
  const versions = { 'Node.js': process.versions.node, PostgreSQL: await postgresVersion(cluster) };
  report({ results, list: rows(results), notes: NOTES, part: 'webhooks', versions, options });
} finally {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
}
