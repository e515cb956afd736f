// kill -9 of servers and of the receiver at random instants, while a chain with forks grows and streams are written
// through the API: each event is delivered at least once, in order per stream, under one id, and none is invented.
// SPEC section 8, "Delivery". What exactly has to add up is in harness/delivery_audit.js.
//
// WEBHOOKS_SEED runs the same chances again (what they meet depends on the machine), WEBHOOKS_SECONDS says for how
// long.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startSimulator } from '../chain-sim/src/simulator.js';
import { SENDER, cancel, create, setStatus } from '../integration/harness/api_streams.js';
import { growChain } from '../integration/harness/growing_chain.js';
import { checkDatabase } from '../integration/harness/log_database.js';
import { ownHere } from '../integration/harness/ownership.js';
import { seededRandom } from '../integration/harness/seeded_random.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { Stack, newDatabase, serverEnvironment } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { auditDeliveries, drain } from './harness/delivery_audit.js';
import { ReceiverProgram } from './harness/receiver_program.js';
import { seqOf } from './harness/wanted_entries.js';
import { WebhookApi, webhookEnvironment } from './harness/webhook_server.js';

const SECONDS = Number(process.env.WEBHOOKS_SECONDS ?? 20);
const SEED = process.env.WEBHOOKS_SEED ?? String(Date.now());
const STREAMS = 40;
const PACE = { ledgers: 2, actions: 8, maxFork: 10, pauseMs: [50, 250] };
const SCHEDULE = '1s,1s,1s,1s,1s,1s,1s,1s';
const ATTEMPTS_MAX = SCHEDULE.split(',').length + 1;
/** It goes on for longer until there were so many of each. */
const LEAST = {
  kills: Math.ceil(SECONDS / 6),
  receiverKills: Math.ceil(SECONDS / 10),
  forks: Math.ceil(SECONDS / 5),
  written: SECONDS,
};

/** @param {(low: number, high: number) => number} random */
const oneOf = (random, items) => items[random(0, items.length - 1)];

/** Streams of the API. Whether a write that got no answer happened is the log's to say. */
async function writeStreams(anyServer, random, goesOn, counts) {
  const ids = [];
  while (goesOn()) {
    try {
      const draw = random(0, 3);
      const id = ids.length > 0 ? oneOf(random, ids) : undefined;
      const baseUrl = anyServer();
      const answer =
        id === undefined || draw === 0
          ? await create(baseUrl)
          : draw === 3 && random(0, 4) === 0
            ? await cancel(baseUrl, id)
            : await setStatus(baseUrl, id, oneOf(random, ['paused', 'active']));
      if (answer.status === 201) ids.push(answer.json.id);
      if (answer.status < 300) counts.written += 1;
    } catch {
      // The server died under it.
    }
    await sleep(random(20, 150));
  }
}

/** A process that dies at any instant and comes back; not while `calm` is asked for. */
async function killAgainAndAgain(victims, random, goesOn, calm, died) {
  while (goesOn()) {
    await sleep(random(500, 4_000));
    await calm.away(async () => {
      const victim = oneOf(random, victims);
      await victim.kill9();
      died(victim);
      await sleep(random(0, 1_500));
      await victim.start();
    });
  }
}

/** A machine that stands still for ten seconds costs an instance what it had claimed. @param {ServerProcess} server */
const claimsLost = (server) => server.logs.filter(({ event }) => event === 'webhook_claims_lost').length;

/** Kills on one side, calls that must not be cut off on the other: whoever has begun ends first. */
class Calm {
  constructor() {
    this.last = Promise.resolve();
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  away(work) {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }
}

/** @param {number} instances */
async function crashAudit(t, instances) {
  t.diagnostic(`WEBHOOKS_SEED=${SEED}`);
  console.log(`WEBHOOKS_SEED=${SEED}`);
  const sim = await startSimulator({ seed: SEED, streams: STREAMS, tokenEvents: false });
  ownHere(() => sim.stop());
  sim.runScenario(10, { actionsPerLedger: 8 });
  const db = await newDatabase();
  const settings = {
    ...serverEnvironment(db, sim),
    ...webhookEnvironment(),
    WEBHOOK_RETRY_SCHEDULE: SCHEDULE,
    WEBHOOK_TIMEOUT_MS: '3000',
  };
  const servers = Array.from({ length: instances }, () => new ServerProcess({ env: settings }));
  for (const server of servers) await server.start();
  const receiver = new ReceiverProgram({
    seed: [...SEED].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) % 1_000_000,
  });
  await receiver.start();
  const stack = new Stack(db, sim, servers[0], async () => {});
  await stack.waitForLedger();

  const running = () => servers.find((server) => server.running && server.port > 0) ?? servers[0];
  const webhooks = new WebhookApi(() => running().baseUrl);
  const endpoints = [];
  /** Its secret is known to the receiver before the first delivery can come. */
  const add = async (path, filter) => {
    const made = await webhooks.create({ url: receiver.url(path), enabled: false, ...filter });
    await receiver.trust(path, made.secret);
    const { cursor } = await webhooks.change(made.id, { enabled: true });
    endpoints.push({ id: made.id, path, filter, spans: [{ after: seqOf(cursor) }] });
    return endpoints.at(-1);
  };
  const turnOff = async (endpoint) => {
    const { cursor } = await webhooks.change(endpoint.id, { enabled: false });
    endpoint.spans.at(-1).through = seqOf(cursor);
  };
  const turnOn = async (endpoint) => {
    const { cursor } = await webhooks.change(endpoint.id, { enabled: true });
    endpoint.spans.push({ after: seqOf(cursor) });
  };
  await add('/flaky/20/all', {});
  const toggled = await add('/ok/toggled', {});
  const rotated = await add('/flaky/10/updates', { events: ['stream.updated', 'stream.retracted', 'stream.observed'] });
  await add('/flaky/30/recipient', { recipient: sim.people.recipients[0] });
  await add('/ok/sender', {
    sender: sim.people.treasuries[0],
    events: ['stream.created', 'stream.updated', 'stream.retracted'],
  });
  await add('/flaky/20/stream', { streamId: `${sim.contractId}-3` });
  await add('/slow/80/api', { sender: SENDER });
  // A client's error opens no breaker: each of these runs through its whole schedule.
  await add('/status/400/dead', { events: ['stream.cancelled'] });

  const counts = { kills: 0, receiverKills: 0, claimsLost: 0, forks: 0, written: 0 };
  const end = Date.now() + SECONDS * 1000;
  const goesOn = () => Date.now() < end || Object.entries(LEAST).some(([what, least]) => counts[what] < least);
  const pick = seededRandom(`${SEED}/instances`);
  const anyServer = () => oneOf(pick, servers).baseUrl;
  const [serversAlive, receiverAlive] = [new Calm(), new Calm()];
  /** What an operator does meanwhile. */
  const operate = async () => {
    const step = (work) => sleep(SECONDS * 200).then(() => serversAlive.away(() => receiverAlive.away(work)));
    await step(() => add('/flaky/20/late', { recipient: sim.people.recipients[1] }));
    await step(() => turnOff(toggled));
    await step(async () => receiver.trust(rotated.path, (await webhooks.rotate(rotated.id, 3_600)).secret));
    await step(() => turnOn(toggled));
  };
  await Promise.all([
    growChain(sim, seededRandom(`${SEED}/chain`), goesOn, counts, PACE),
    writeStreams(anyServer, seededRandom(`${SEED}/writes`), goesOn, counts),
    killAgainAndAgain(servers, seededRandom(`${SEED}/kills`), goesOn, serversAlive, (server) => {
      counts.kills += 1;
      counts.claimsLost += claimsLost(server);
    }),
    killAgainAndAgain([receiver], seededRandom(`${SEED}/receiver`), goesOn, receiverAlive, () => {
      counts.receiverKills += 1;
    }),
    operate(),
  ]);

  sim.closeLedger();
  await stack.waitForLedger();
  await checkDatabase(db);
  await drain(db);
  await waitFor(async () => (await db.row('SELECT count(*)::int AS count FROM webhook_lanes')).count === 0, {
    what: 'the lanes to be gone',
  });
  for (const server of servers) counts.claimsLost += claimsLost(server);
  const sums = await auditDeliveries({
    stack,
    endpoints,
    received: receiver.records(),
    interruptions: counts.kills + counts.receiverKills + counts.claimsLost,
    attemptsMax: ATTEMPTS_MAX,
    deadLetters: await webhooks.deadLetters(),
  });
  const total = { ...counts, ...sums };
  t.diagnostic(JSON.stringify(total));
  console.log(JSON.stringify(total));

  // It was what it says it is.
  assert.ok(total.deliveries > total.entries && total.received > total.deliveries, JSON.stringify(total));
  assert.ok(total.handled >= total.deliveries - total.dead && total.unanswered > 0, JSON.stringify(total));
  for (const server of servers) await server.stop();
  await receiver.end();
  await sim.stop();
}

const forAllThat = { timeout: (3 * SECONDS + 400) * 1000 };

test(
  `two instances and the receiver killed at random for ${SECONDS} s: every event is delivered, and all adds up`,
  forAllThat,
  (t) => crashAudit(t, 2),
);

test(
  `one instance and the receiver killed at random for ${SECONDS} s: every event is delivered, and all adds up`,
  forAllThat,
  (t) => crashAudit(t, 1),
);
