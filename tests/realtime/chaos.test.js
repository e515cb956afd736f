// Two instances that are killed and ended in turn, a chain that forks, 200 clients that come and go and stall: what
// each client applied is the log, filtered by what it asked for, exactly. SPEC sections 4, 6 and 7. Once without a
// Redis, and once with one that comes and goes too.
//
// REALTIME_SEED runs the same chances again (what they meet depends on the machine), REALTIME_SECONDS says for how
// long.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startSimulator } from '../chain-sim/src/simulator.js';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { request } from '../integration/harness/http_client.js';
import { growChain } from '../integration/harness/growing_chain.js';
import { checkDatabase } from '../integration/harness/log_database.js';
import { ownHere } from '../integration/harness/ownership.js';
import { seededRandom } from '../integration/harness/seeded_random.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { Stack, newDatabase, serverEnvironment } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { ChaosClient } from './harness/chaos_client.js';
import { concerns, expectedSeqs, readLog } from './harness/log_filter.js';
import { RedisServer } from './harness/redis_server.js';

const SECONDS = Number(process.env.REALTIME_SECONDS ?? 20);
const SEED = process.env.REALTIME_SEED ?? String(Date.now());
const CLIENTS = 200;
const STREAMS = 40;
const PACE = { ledgers: 3, actions: 10, maxFork: 20, pauseMs: [20, 120] };
/** It goes on for longer until there were so many of each. */
const MIN = { kills: Math.ceil(SECONDS / 10), ends: Math.ceil(SECONDS / 10), forks: Math.ceil(SECONDS / 5) };
const MIN_OF_REDIS = { redisKills: Math.ceil(SECONDS / 20), redisPauses: Math.ceil(SECONDS / 20) };
const EVENTS = ['stream.created', 'stream.updated', 'stream.cancelled', 'stream.completed', 'stream.observed',
  'stream.retracted', 'stream.ended'];
/** The log may grow once more while it is compared: an observation that was late. */
const MAX_ROUNDS = 5;

/** @param {(low: number, high: number) => number} random */
const oneOf = (random, items) => items[random(0, items.length - 1)];

function drawTopic(random, sim) {
  const event = random(0, 3) === 0 ? { event: oneOf(random, EVENTS) } : {};
  const draw = random(0, 99);
  if (draw < 12) return {};
  if (draw < 24) return { event: oneOf(random, EVENTS) };
  // Streams that don't exist yet are among them.
  if (draw < 55) return { streamId: `${sim.contractId}-${random(0, STREAMS * 2)}`, ...event };
  if (draw < 78) return { recipient: oneOf(random, sim.people.recipients), ...event };
  return { sender: oneOf(random, sim.people.treasuries), ...event };
}

/** Deaths and orderly ends of the instances; sometimes of both at once. */
async function endInstances(servers, random, goesOn, counts) {
  const end = async (server) => {
    if (random(0, 2) > 0) {
      await server.kill9();
      counts.kills += 1;
    } else {
      await server.stop();
      counts.ends += 1;
    }
    await sleep(random(0, 500));
    await server.start();
  };
  while (goesOn()) {
    await sleep(random(800, 2_500));
    const victims = random(0, 9) === 0 ? servers : [oneOf(random, servers)];
    await Promise.all(victims.map(end));
  }
}

/** It dies, comes back empty, hangs; in the end it is there. @param {RedisServer} redis */
async function troubleRedis(redis, random, goesOn, counts) {
  while (goesOn()) {
    await sleep(random(500, 3_000));
    if (random(0, 1) === 0) {
      redis.pause();
      counts.redisPauses += 1;
      await sleep(random(100, 4_000));
      redis.resume();
    } else {
      await redis.kill9();
      counts.redisKills += 1;
      await sleep(random(0, 2_000));
      await redis.start();
    }
  }
}

/** One instance still hears from the other through it. @param {ServerProcess[]} servers */
async function checkRedisIsUsed(servers, sim) {
  const received = async ({ baseUrl }) => {
    const { text } = await request(`${baseUrl}/metrics`);
    return sampleValue(readPrometheusText(text), 'fluxora_live_bus_pages_total', { outcome: 'received' });
  };
  const before = await Promise.all(servers.map(received));
  await waitFor(async () => {
    sim.runScenario(1, { actionsPerLedger: 5 });
    await sleep(100);
    const after = await Promise.all(servers.map(received));
    return after.some((pages, index) => pages > before[index]);
  }, { what: 'news through Redis' });
}

function assertApplied(client, expected) {
  const { name, applied, begin } = client;
  if (applied.length === expected.length && applied.every((seq, index) => seq === expected[index])) return;
  const at = expected.findIndex((seq, index) => seq !== applied[index]);
  const index = at < 0 ? expected.length : at;
  const around = (list) => list.slice(Math.max(0, index - 3), index + 4).join(' ');
  assert.fail(`${name}, from ${begin} on: ${applied.length} applied, ${expected.length} in the log; at ${index}: `
    + `… ${around(applied)} … applied, … ${around(expected)} … expected`);
}

/**
 * @param {import('node:test').TestContext} t
 * @param {RedisServer | null} redis what the instances share, and lose again and again
 */
async function chaos(t, redis) {
  t.diagnostic(`REALTIME_SEED=${SEED}`);
  console.log(`REALTIME_SEED=${SEED}`);
  const sim = await startSimulator({ seed: SEED, streams: STREAMS, tokenEvents: false });
  ownHere(() => sim.stop());
  sim.runScenario(30, { actionsPerLedger: 8 });
  const db = await newDatabase();
  // With a Redis the feeds of an instance that was killed count for a while, and those of one that was killed before.
  const settings = {
    ...serverEnvironment(db, sim),
    REDIS_URL: redis?.url(),
    WS_MAX_CONNECTIONS_PER_IP: String(20 * CLIENTS),
    WRITE_RATE_LIMIT: '0',
  };
  const servers = [0, 1].map(() => new ServerProcess({ env: settings }));
  for (const server of servers) await server.start();
  const stack = new Stack(db, sim, servers[0], async () => {});
  await stack.waitForLedger();
  const { epoch } = await stack.head();

  const texts = new Map();
  const draw = seededRandom(`${SEED}/clients`);
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const transport = index % 2 === 0 ? 'websocket' : 'sse';
    // The first two want everything from the beginning.
    const topic = index < 2 ? {} : drawTopic(draw, sim);
    const after = index < 2 || draw(0, 2) > 0 ? `${epoch}-0` : undefined;
    const name = `client ${index} (${transport} ${JSON.stringify(topic)})`;
    return new ChaosClient({ name, transport, topic, after, random: seededRandom(`${SEED}/client/${index}`), texts });
  });

  const least = { ...MIN, ...(redis ? MIN_OF_REDIS : {}) };
  const counts = Object.fromEntries(Object.keys(least).map((what) => [what, 0]));
  const end = Date.now() + SECONDS * 1000;
  const goesOn = () => Date.now() < end || Object.entries(least).some(([what, count]) => counts[what] < count);
  const pick = seededRandom(`${SEED}/instances`);
  const anyServer = () => oneOf(pick, servers).baseUrl;
  await Promise.all([
    growChain(sim, seededRandom(`${SEED}/chain`), goesOn, counts, PACE),
    endInstances(servers, seededRandom(`${SEED}/ends`), goesOn, counts),
    redis && troubleRedis(redis, seededRandom(`${SEED}/redis`), goesOn, counts),
    ...clients.map((client) => client.live(anyServer, goesOn)),
  ]);

  if (redis) await checkRedisIsUsed(servers, sim);
  sim.closeLedger();
  await stack.waitForLedger();
  let log;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    log = await readLog(db);
    const read = log;
    const count = (client) => expectedSeqs(read, client.topic, client.begin ?? 0).length;
    await Promise.all(clients.map((client) => client.drain(anyServer, () => count(client))));
    if ((await checkDatabase(db)).head === read.length) break;
  }

  const sum = (of) => clients.reduce((total, client) => total + of(client), 0);
  const ends = {};
  for (const [how, count] of clients.flatMap((client) => Object.entries(client.ends))) {
    ends[how] = (ends[how] ?? 0) + count;
  }
  const retractions = log.filter(({ event }) => event === 'stream.retracted').length;
  const total = {
    ...counts,
    entries: log.length,
    retractions,
    connections: sum((one) => one.connections),
    resumes: sum((one) => one.resumes),
    stalls: sum((one) => one.stalls),
    applied: sum((one) => one.applied.length),
    connectionEnds: ends,
  };
  t.diagnostic(JSON.stringify(total));
  console.log(JSON.stringify(total));

  assert.deepEqual(clients.flatMap(({ troubles }) => troubles).slice(0, 10), []);
  for (const client of clients) assertApplied(client, expectedSeqs(log, client.topic, client.begin));
  const entries = await stack.allEvents();
  assert.equal(texts.size, entries.length);
  for (const entry of entries) assert.equal(texts.get(entry.seq), JSON.stringify(entry));

  // It was what it says it is.
  assert.ok(retractions > 0 && total.resumes > CLIENTS, JSON.stringify(total));
  const parties = clients.filter(({ topic }) => topic.recipient ?? topic.sender);
  const lost = ({ topic }) => log.some((row) => concerns(row, topic) && row.before && row.after
    && (topic.recipient ? row.after.recipient !== topic.recipient : row.after.sender !== topic.sender));
  assert.ok(parties.some(lost), 'no stream went from a party to another');
  for (const client of clients) client.leave();
  for (const server of servers) await server.stop();
  await sim.stop();
}

const forAllThat = { timeout: (3 * SECONDS + 400) * 1000 };

test(`${CLIENTS} clients, two instances, kills, ends, forks and stalls for ${SECONDS} s: each has its log exactly`,
  forAllThat, (t) => chaos(t, null));

const skip = spawnSync('redis-server', ['--version']).error !== undefined && 'redis-server is not installed';

test('the same with a Redis between them that dies, hangs and comes back', { ...forAllThat, skip }, async (t) => {
  const redis = await RedisServer.start();
  await chaos(t, redis);
  await redis.end();
});
