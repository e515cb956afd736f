// Who is to be told of what: the deliveries that come into being with the log's entries, in the same transactions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractAddress } from '../chain-sim/src/accounts.js';
import { KIND } from '../chain-sim/src/simulator.js';
import { RECIPIENT, SENDER, TERMS, cancel, create, setStatus } from './harness/api_streams.js';
import { runCommand } from './harness/server_process.js';
import { MAX_EVENTS, WORKER_TOKEN, ledgerHashes, post, sentEvent } from './harness/sent_events.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

/** Nothing is sent: what was made stays to be seen. */
const SENDS_NOTHING = { WEBHOOK_DELIVERY: 'false' };

/** Changes endpoints as every change of them is made: under the log's lock, at a place in the log. */
const change = (db, statement, values) => db.rows(
  `WITH head AS (UPDATE log_head SET webhooks_version = webhooks_version + 1 RETURNING epoch, seq) ${statement}`, values);

async function addEndpoint(db, { events = [], streamId = null, sender = null, recipient = null } = {}) {
  const [{ id }] = await change(db,
    `INSERT INTO webhook_endpoints (url, events, stream_id, sender, recipient, since_epoch, since_seq)
     SELECT 'https://receiver.test/', $1, $2, $3, $4, epoch, seq FROM head RETURNING id`,
    [events.join(' '), streamId, sender, recipient]);
  return id;
}

const enable = (db, id, enabled) => change(db,
  'UPDATE webhook_endpoints SET enabled = $2, since_epoch = epoch, since_seq = seq FROM head WHERE id = $1 RETURNING epoch, seq',
  [id, enabled]);

/** SPEC section 8's filters, from what a feed shows of an entry. */
function fits(endpoint, entry) {
  const was = (party) => [entry.stream?.[party], entry.change[party]?.[0]];
  return (endpoint.events === '' || endpoint.events.split(' ').includes(entry.event))
    && (endpoint.stream_id === null || endpoint.stream_id === entry.streamId)
    && (endpoint.sender === null || was('sender').includes(endpoint.sender))
    && (endpoint.recipient === null || was('recipient').includes(endpoint.recipient));
}

const inOrder = (keys) => keys.sort((a, b) => (a < b ? -1 : 1));

/**
 * That deliveries, messages and lanes are exactly those that the log's entries ask for.
 * @param {any} stack
 * @param {(endpoint: any, entry: any) => boolean} [heard] whether the endpoint was enabled then; unless told: behind its `since`
 */
async function checkFanOut(stack, heard = (endpoint, entry) => endpoint.enabled && entry.seq > Number(endpoint.since_seq)) {
  const { epoch } = await stack.head();
  const entries = await stack.allEvents();
  const endpoints = await stack.db.rows('SELECT * FROM webhook_endpoints ORDER BY id');
  const expected = endpoints.flatMap((endpoint) => entries
    .filter((entry) => heard(endpoint, entry) && fits(endpoint, entry))
    .map((entry) => `${endpoint.id} ${entry.seq} ${entry.streamId ?? ''}`));
  const deliveries = await stack.db.rows('SELECT * FROM webhook_deliveries WHERE epoch = $1', [epoch]);
  assert.deepEqual(inOrder(deliveries.map(({ endpoint, seq, lane }) => `${endpoint} ${seq} ${lane}`)), inOrder(expected));
  assert.ok(deliveries.every(({ state, attempts, tries, finished_at_ms: end }) => state === 0 && attempts === 0 && tries === 0 && end === null));

  const bySeq = new Map(entries.map((entry) => [String(entry.seq), entry]));
  const told = new Map();
  for (const { seq } of deliveries) told.set(seq, (told.get(seq) ?? 0) + 1);
  const messages = await stack.db.rows('SELECT * FROM webhook_messages WHERE epoch = $1', [epoch]);
  assert.deepEqual(inOrder(messages.map(({ seq }) => seq)), inOrder([...told.keys()]), 'a message for each entry that somebody hears of');
  for (const { seq, event, stream_id: stream, body, deliveries: count } of messages) {
    const entry = bySeq.get(seq);
    assert.deepEqual(JSON.parse(body), { type: entry.event, timestamp: entry.closedAt, data: entry });
    assert.deepEqual([event, stream, count], [entry.event, entry.streamId ?? '', told.get(seq)]);
  }

  const lanes = await stack.db.rows('SELECT * FROM webhook_lanes WHERE epoch = $1', [epoch]);
  const waiting = new Set(deliveries.map(({ endpoint, lane }) => `${endpoint} ${lane}`));
  assert.deepEqual(inOrder(lanes.map(({ endpoint, lane }) => `${endpoint} ${lane}`)), inOrder([...waiting]), 'a lane as long as something waits in it');
  assert.ok(lanes.every(({ claimed_by: by, resting, due_at_ms: due }) => by === null && !resting && Number(due) <= Date.now()));
  return deliveries.length;
}

test('every entry makes the deliveries that the endpoints ask for', async () => {
  const stack = await startStack({ simulator: { seed: 'fan-out', streams: 12 }, server: { env: { ...SENDS_NOTHING, INDEXER_BATCH_LEDGERS: '3' } } });
  const { sim, db } = stack;
  await stack.settle();
  assert.equal(await checkFanOut(stack), 0, 'without an endpoint: none, and no message either');

  const [one, two] = sim.people.recipients;
  const treasury = sim.people.treasuries[0];
  const given = sim.createStream({ sender: treasury, recipient: one, depositAmount: '36000000000', ratePerSecond: '100000', kind: KIND.linear, startDelay: 0, duration: 30 });
  sim.closeLedger();
  await addEndpoint(db);
  await addEndpoint(db, { events: ['stream.created', 'stream.retracted'] });
  await addEndpoint(db, { events: ['protocol.event', 'chain.event'] });
  await addEndpoint(db, { streamId: stack.streamId(given) });
  await addEndpoint(db, { recipient: one });
  await addEndpoint(db, { recipient: two, events: ['stream.updated', 'stream.ended', 'stream.cliff_reached', 'stream.observed'] });
  await addEndpoint(db, { sender: treasury });
  await addEndpoint(db, { sender: treasury, recipient: two });
  await addEndpoint(db, { sender: SENDER });
  await addEndpoint(db, { recipient: RECIPIENT, events: ['stream.cancelled'] });
  await addEndpoint(db, { streamId: 'nobody’s' });

  sim.transferRecipient(given, two);
  sim.closeLedger();
  sim.transferSender(given, sim.people.treasuries[1]);
  stack.runScenario(8, { actionsPerLedger: 6 });
  await stack.settle();
  const { json: made } = await create(stack.baseUrl);
  assert.equal((await setStatus(stack.baseUrl, made.id, 'paused')).status, 200);
  assert.equal((await cancel(stack.baseUrl, made.id)).status, 200);
  await Promise.all(Array.from({ length: 20 }, () => create(stack.baseUrl)));
  const before = await checkFanOut(stack);
  assert.ok(before > 100);
  const former = await db.row('SELECT count(*) FROM webhook_deliveries d JOIN webhook_messages m USING (epoch, seq) WHERE d.endpoint = $1 AND m.body LIKE $2',
    [5, `%"change":{"recipient":["${one}",%`]);
  assert.ok(Number(former.count) > 0, 'who was the recipient until this entry hears of it');

  // What is undone is told, and so is what comes instead.
  sim.fork(4);
  stack.runScenario(2, { actionsPerLedger: 6 });
  await stack.settle();
  await waitFor(async () => (await db.rows("SELECT FROM events WHERE event = 'stream.retracted'")).length > 0, { what: 'the fork to be left' });
  await stack.settle();
  assert.ok(await checkFanOut(stack) > before);
  await stack.stop();
});

test('an endpoint hears exactly of what comes behind the place in the log at which it came, or was enabled', async () => {
  const stack = await startStack({ simulator: { seed: 'fan-out comings', streams: 10 }, server: { env: { ...SENDS_NOTHING, INDEXER_BATCH_LEDGERS: '2', WRITE_RATE_LIMIT: '0' } } });
  const { sim, db } = stack;
  await stack.settle();
  /** From where on it was enabled, and to where. @type {Map<string, {from: number, to: number}[]>} */
  const spans = new Map();
  const since = async (id) => Number((await db.row('SELECT since_seq FROM webhook_endpoints WHERE id = $1', [id])).since_seq);
  let ended = false;
  const write = async () => {
    while (!ended) {
      const answer = await create(stack.baseUrl);
      assert.equal(answer.status, 201, answer.text);
    }
  };
  const close = async () => {
    while (!ended) {
      stack.runScenario(1, { actionsPerLedger: 5 });
      await stack.waitForLedger();
    }
  };
  const manage = async (filter) => {
    for (let i = 0; i < 12; i += 1) {
      const id = await addEndpoint(db, filter);
      spans.set(id, [{ from: await since(id), to: Infinity }]);
      if (i % 3 === 0) continue;
      await enable(db, id, false);
      spans.get(id).at(-1).to = await since(id);
      if (i % 3 === 1) continue;
      await enable(db, id, true);
      spans.get(id).push({ from: await since(id), to: Infinity });
    }
  };
  const busy = [write(), write(), close()];
  await Promise.all([manage({}), manage({ recipient: RECIPIENT }), manage({ events: ['stream.updated', 'stream.created'] })]);
  ended = true;
  await Promise.all(busy);
  await stack.settle();
  const heard = ({ id }, { seq }) => spans.get(id).some(({ from, to }) => seq > from && seq <= to);
  assert.ok(await checkFanOut(stack, heard) > 100);
  assert.ok([...spans.values()].flat().some(({ from, to }) => to > from && to < Infinity), 'something came meanwhile');
  await stack.stop();
});

test('of a log that is read again nobody is told until it is served', async () => {
  const stack = await startStack({ simulator: { seed: 'fan-out replayed', streams: 8 }, server: { env: SENDS_NOTHING } });
  const { db } = stack;
  await addEndpoint(db);
  stack.runScenario(6, { actionsPerLedger: 4 });
  await stack.settle();
  assert.equal((await create(stack.baseUrl)).status, 201);
  const old = await stack.head();
  const made = await checkFanOut(stack);
  assert.ok(made > 0);

  const { code, stdout, stderr } = await runCommand(['replay'], stack.server.env);
  assert.equal(code, 0, stdout + stderr);
  const swapped = await stack.head();
  assert.notEqual(swapped.epoch, old.epoch);
  assert.equal((await db.row('SELECT count(*) FROM webhook_deliveries')).count, String(made));
  assert.deepEqual(await db.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'fluxora_next'"), []);

  const id = await addEndpoint(db, { sender: SENDER });
  const newcomer = await db.row('SELECT since_epoch, since_seq FROM webhook_endpoints WHERE id = $1', [id]);
  assert.equal(newcomer.since_epoch, swapped.epoch);
  assert.equal((await create(stack.baseUrl, TERMS)).status, 201);
  stack.runScenario(3, { actionsPerLedger: 4 });
  await stack.settle();
  const heard = (endpoint, { seq }) => seq > (endpoint.id === id ? Number(newcomer.since_seq) : swapped.seq);
  assert.ok(await checkFanOut(stack, heard) > 0);
  await stack.stop();
});

test('what the served log had not come to when another took its place is told, and nothing else of that', async () => {
  const seed = 'fan-out swapped';
  const stack = await startStack({ simulator: { seed, streams: 8, tokenEvents: false }, server: { env: SENDS_NOTHING } });
  const { sim, db } = stack;
  const all = await addEndpoint(db);
  const some = await addEndpoint(db, { events: ['stream.created', 'stream.ended'] });
  const disabled = await addEndpoint(db);
  await enable(db, disabled, false);
  /** A stream of the API that ends with later ledgers. */
  const createEnding = async (ledgers) => {
    const { now } = await db.row('SELECT closed_at::int AS now FROM indexer_checkpoint');
    const answer = await create(stack.baseUrl, { ...TERMS, startTime: now - 100, cliffTime: now + 3, endTime: now + 5 * ledgers });
    assert.equal(answer.status, 201, answer.text);
    return answer.json.id;
  };
  stack.runScenario(4, { actionsPerLedger: 4 });
  await stack.settle();
  const early = await createEnding(2);
  const late = await createEnding(20);
  const other = contractAddress(seed, 'other');
  sim.appendEvents(sim.events().map(({ topic, value }) => ({ contractId: other, topics: topic, value })));
  stack.runScenario(6, { actionsPerLedger: 4 });
  await stack.settle();

  // Nothing of the chain is told from here on: the indexer halts until the other contract's past is there.
  await stack.server.restart({ CONTRACT_IDS: [other, sim.contractId].sort().join(',') });
  await stack.server.waitForLog(({ event }) => event === 'indexer_halted', 'the halt');
  const { ledger } = await db.row('SELECT ledger::int FROM indexer_checkpoint');
  const old = await stack.head();
  stack.runScenario(30, { actionsPerLedger: 2 });
  assert.equal((await create(stack.baseUrl)).status, 201);
  await db.rows(`INSERT INTO webhook_replays (endpoint, epoch, after_seq, through_seq, place, state, started_by)
    VALUES ($1, $2, 0, 1, 0, 'paused', 'service')`, [all, old.epoch]);
  const { code, stdout, stderr } = await runCommand(['replay'], stack.server.env);
  assert.equal(code, 0, stdout + stderr);
  const { epoch } = await stack.head();
  const replays = () => db.rows('SELECT endpoint, epoch, state FROM webhook_replays ORDER BY id');
  await waitFor(async () => (await replays()).every(({ state }) => state !== 'running'), { what: 'the replays to end', describe: replays });
  assert.deepEqual(await replays(), [
    { endpoint: all, epoch: old.epoch, state: 'failed' },
    { endpoint: all, epoch, state: 'done' },
    { endpoint: some, epoch, state: 'done' },
  ]);
  await stack.settle();
  const entries = await stack.allEvents();
  const untold = entries.filter((entry) => entry.ledger > ledger);
  for (const endpoint of await db.rows('SELECT * FROM webhook_endpoints ORDER BY id')) {
    const made = await db.rows('SELECT seq::int FROM webhook_deliveries WHERE endpoint = $1 AND epoch = $2 ORDER BY seq', [endpoint.id, epoch]);
    const expected = endpoint.enabled ? untold.filter((entry) => fits(endpoint, entry)) : [];
    assert.deepEqual(made.map(({ seq }) => seq), expected.map(({ seq }) => seq));
  }
  assert.ok(untold.some(({ streamId }) => streamId === late), 'its end came with the new log');
  assert.ok(untold.some(({ streamId }) => streamId !== late));
  assert.ok(!untold.some(({ streamId }) => streamId === early), 'its end was told');
  assert.ok(entries.some((entry) => entry.ledger === null && entry.seq > untold[0].seq), 'what the API wrote stands behind it');
  await stack.stop();
});

test('events that others send make deliveries too', async () => {
  const source = await startStack({ simulator: { seed: 'fan-out sent', streams: 6 } });
  source.runScenario(4, { actionsPerLedger: 5 });
  await source.settle();
  const stack = await startStack({ simulator: false, server: { env: { ...SENDS_NOTHING, CONTRACT_IDS: source.sim.contractId, INDEXER_WORKER_TOKEN: WORKER_TOKEN, WRITE_RATE_LIMIT: '0' } } });
  await addEndpoint(stack.db);
  await addEndpoint(stack.db, { events: ['stream.created'] });
  const hashes = await ledgerHashes(source.db);
  const chain = source.sim.events({ contractId: source.sim.contractId }).filter(({ ledger }) => hashes.has(ledger));
  for (let from = 0; from < chain.length; from += MAX_EVENTS) {
    const answer = await post(stack.server, { events: chain.slice(from, from + MAX_EVENTS).map((event) => sentEvent(event, hashes.get(event.ledger))) });
    assert.equal(answer.status < 300, true, answer.text);
  }
  assert.ok(await checkFanOut(stack) > chain.length);
  await stack.stop();
  await source.stop();
});
