// Trouble with the chain's RPC: reads go on, clients stay and are told, the log stays exact.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nativeToScVal, xdr } from '@stellar/stellar-sdk';
import { ExpectedStreams } from './harness/expected_streams.js';
import { checkExact } from './harness/exactness.js';
import { checkDatabase } from './harness/log_database.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';
import { seqOf } from './harness/ws_client.js';

const API_TERMS = {
  sender: 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J',
  recipient: 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I',
  depositAmount: '1000',
  ratePerSecond: '0.5',
};

test('answers of every bad kind are waited out, and the log is exact', async () => {
  const stack = await startStack({ simulator: { seed: 'bad answers', streams: 20 }, server: { env: { INDEXER_BATCH_LEDGERS: '3' } } });
  const faults = [
    { kind: 'http' }, { kind: 'http', status: 503 }, { kind: 'http', status: 404 }, { kind: 'rpcError' }, { kind: 'garbage' }, { kind: 'wrongId' },
    { kind: 'reset' }, { kind: 'timeout', delayMs: 200 }, { kind: 'slow', delayMs: 200 },
    { kind: 'truncated', methods: ['getEvents'] }, { kind: 'truncated', methods: ['getLedgers'] }, { kind: 'garbage', methods: ['getEvents'] },
  ];
  for (const fault of faults) {
    stack.sim.faults.add(fault);
    stack.runScenario(3, { actionsPerLedger: 5 });
    await stack.settle();
  }
  assert.equal(stack.sim.faults.pending, 0, 'every fault was met');
  await checkExact(stack);
  await stack.stop();
});

test('while it is away clients stay connected and are told; reads go on', async () => {
  const stack = await startStack({ simulator: { seed: 'away', streams: 20 } });
  stack.runScenario(3, { actionsPerLedger: 5 });
  await stack.settle();
  const client = await stack.openWebSocket();
  const before = seqOf((await client.subscribe({ streamId: '*' })).cursor);

  stack.sim.faults.add({ kind: 'http', count: 1_000_000 });
  stack.runScenario(3, { actionsPerLedger: 5 });
  const degraded = await client.waitForService('service.degraded');
  assert.equal(typeof degraded.reason, 'string');
  assert.ok(!Number.isNaN(Date.parse(degraded.timestamp)));
  const late = await stack.openWebSocket();
  const health = await stack.health();
  assert.equal(health.status, 'degraded');
  assert.equal(health.dependencies.rpc, 'unhealthy');
  assert.equal(health.dependencies.postgres, 'healthy');
  assert.match(health.indexer.summary, /RPC/);
  assert.equal((await stack.request('/health/ready')).status, 200);
  assert.ok((await stack.allStreams()).length > 0);

  stack.sim.faults.clear();
  await client.waitForService('service.recovered');
  await late.waitForService('service.recovered');
  await stack.settle();
  const { seq } = await stack.head();
  await client.waitForSeq(seq);
  assert.deepEqual(client.updates().map((entry) => entry.seq), Array.from({ length: seq - before }, (_, index) => before + 1 + index));
  const services = client.messages.filter(({ type }) => type === 'service').map(({ event }) => event);
  assert.deepEqual(services, ['service.degraded', 'service.recovered'], 'each told once');
  assert.equal((await stack.health()).status, 'ok');
  await checkExact(stack);
  await stack.stop();
});

test('a server that lags behind, or loses its newest ledgers for a while, is waited for', async () => {
  const stack = await startStack({ simulator: { seed: 'lagging', streams: 20 } });
  stack.runScenario(6, { actionsPerLedger: 5 });
  await stack.settle();
  const { seq } = await stack.head();
  stack.sim.lagBehind(5);
  stack.runScenario(3, { actionsPerLedger: 5 });
  await waitFor(() => stack.sim.calls.get('getHealth') > 0, { what: 'another look at the chain' });
  assert.equal((await stack.head()).seq, seq);
  assert.equal((await stack.health()).indexer.reorgDetected, false);
  stack.sim.lagBehind(0);
  await stack.settle();
  await checkExact(stack);
  await stack.stop();
});

test('a ledger with more events than one page of the RPC', async () => {
  const stack = await startStack({ simulator: { seed: 'pages' } });
  const base64 = (value) => value.toXDR('base64');
  const burst = (count) => stack.sim.appendEvents(Array.from({ length: count }, (_, index) => (
    { topics: [base64(xdr.ScVal.scvSymbol('burst'))], value: base64(nativeToScVal(index, { type: 'u32' })) })));
  // Quiet ledgers, one with over two pages of events, a quiet one, and two of almost a page each: all in one batch,
  // for the first answer fails.
  stack.sim.faults.add({ kind: 'http' });
  for (const count of [0, 0, 4_500, 0, 1_900, 1_900, 3]) {
    if (count > 0) burst(count);
    stack.sim.closeLedger();
  }
  await stack.settle();
  const entries = await stack.allEvents();
  assert.equal(entries.length, 4_500 + 1_900 + 1_900 + 3);
  assert.deepEqual(entries.map(({ eventId }) => eventId), stack.expected.events.map(({ id }) => id));
  await checkDatabase(stack.db);
  await stack.stop();
});

test('a chain of another network is not followed', async () => {
  const stack = await startStack({ simulator: { seed: 'network', streams: 5 }, server: { env: { NETWORK_PASSPHRASE: 'Somebody else’s network' } } });
  stack.sim.runScenario(2);
  await waitFor(async () => (await stack.health()).indexer.status === 'halted', { what: 'the indexer to halt', describe: () => stack.server.logs.slice(-5) });
  const health = await stack.health();
  assert.equal(health.status, 'degraded');
  assert.equal(health.indexer.operatorAction, 'page');
  assert.match(health.indexer.summary, /network/i);
  assert.equal((await stack.head()).seq, 0);

  // Nor is it, when the database holds another network's streams.
  await stack.server.restart({ NETWORK_PASSPHRASE: undefined });
  await stack.waitForLedger();
  await stack.server.stop();
  const { seq } = await stack.db.row('SELECT seq::int FROM log_head');
  stack.sim.served.networkPassphrase = 'Reset network';
  await stack.server.restart({ NETWORK_PASSPHRASE: undefined });
  await waitFor(async () => (await stack.health()).indexer.status === 'halted', { what: 'the indexer to halt' });
  assert.equal((await stack.head()).seq, seq);
  await stack.stop();
});

test('a chain that was reorganised below the checkpoint is rolled back and followed', async () => {
  const stack = await startStack({ simulator: { seed: 'reorg', streams: 10 } });
  stack.runScenario(6, { actionsPerLedger: 5 });
  await stack.settle();
  const before = await stack.allEvents();
  const checkpoint = stack.sim.chain.ledger((await stack.health()).indexer.lastLedger);
  const { from } = stack.sim.fork(4);
  const replaced = stack.sim.chain.ledger(checkpoint.sequence);
  stack.sim.closeLedger();
  const warning = await stack.server.waitForLog(({ event }) => event === 'reorg_detected', 'the reorg to be noticed');
  assert.equal(warning.level, 'warn');
  assert.equal(warning.existingHash, checkpoint.hash.toString('hex'));
  assert.equal(warning.incomingHash, replaced.hash.toString('hex'));
  await stack.settle();
  assert.equal((await stack.health()).indexer.reorgDetected, true, 'until the tip is 5 ledgers past it');

  // Nothing of the past was edited; what the fork took back was undone newest first and then entered again.
  const after = await stack.allEvents();
  assert.deepEqual(after.slice(0, before.length), before);
  const undone = before.filter(({ ledger }) => ledger >= from).map(({ seq }) => seq);
  assert.ok(undone.length > 5, `only ${undone.length} entries to undo`);
  const retractions = after.slice(before.length, before.length + undone.length);
  assert.deepEqual(retractions.map(({ retracts }) => retracts), undone.toReversed());
  assert.deepEqual([...new Set(retractions.map(({ event }) => event))], ['stream.retracted']);
  await checkForked(stack);

  stack.runScenario(8, { actionsPerLedger: 3 });
  await stack.settle();
  assert.equal((await stack.health()).indexer.reorgDetected, false);
  await stack.stop();
});

test('what an API stream was stays so when a fork takes back the ledger that it ended with', async () => {
  const stack = await startStack({ simulator: { seed: 'past', streams: 3 } });
  stack.runScenario(2, { actionsPerLedger: 0 });
  await stack.settle();
  const { closedAt } = stack.sim.latest;
  const write = (path, method, body) => stack.request(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const terms = { ...API_TERMS, startTime: closedAt - 100, endTime: closedAt + 7 };
  const { json: created } = await write('/api/streams', 'POST', terms);
  const path = `/api/streams/${created.id}`;
  stack.runScenario(3, { actionsPerLedger: 0 });
  await stack.settle();
  const then = Math.floor(Date.parse(created.createdAt) / 1000);
  await waitFor(() => Date.now() >= (then + 1) * 1000, { what: 'the second of its creation to be over' });
  assert.equal((await write(path, 'PATCH', { status: 'paused' })).status, 200);

  stack.sim.fork(3, { content: 'empty' });
  stack.sim.closeLedger();
  await stack.server.waitForLog(({ event }) => event === 'reorg_detected', 'the reorg to be noticed');
  await stack.settle();
  const { events } = await stack.get(`${path}/events`);
  assert.ok(events.some(({ event }) => event === 'stream.retracted'), 'its end was taken back');
  assert.equal((await stack.get(`${path}?at=${then}`)).status, 'active', 'it was paused later');
  assert.equal((await stack.get(path)).status, 'paused');
  await stack.stop();
});

test('forks of several depths, with the same ledgers, with empty ones, and back and forth', async () => {
  const stack = await startStack({ simulator: { seed: 'forks', streams: 15 } });
  for (const [depth, content] of [[1, 'same'], [3, 'empty'], [7, 'same'], [2, 'empty'], [9, 'empty']]) {
    stack.runScenario(5, { actionsPerLedger: 4 });
    await stack.settle();
    stack.sim.fork(depth, { content });
    stack.sim.closeLedger();
    await stack.settle();
    await checkForked(stack);
  }
  await checkDatabase(stack.db);
  await stack.stop();
});

/** Exact by the chain as it is now. @param {import('./harness/stack.js').Stack} stack */
async function checkForked(stack) {
  stack.expected = new ExpectedStreams(stack.sim);
  stack.expected.take((await stack.health()).indexer.lastLedger);
  await checkExact(stack);
}
