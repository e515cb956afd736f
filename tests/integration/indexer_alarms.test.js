// What an operator is called for: stalls, another network; and what instances that don't lead show and tell.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { adminHeaders } from './harness/admin.js';
import { checkExact } from './harness/exactness.js';
import { request } from './harness/http_client.js';
import { ServerProcess } from './harness/server_process.js';
import { serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';
import { WsClient } from './harness/ws_client.js';

const SECRET = randomBytes(32).toString('hex');
const HEADERS = adminHeaders(SECRET);
const ENV = { JWT_SECRET: SECRET, INDEXER_STALL_THRESHOLD_MS: '3000' };
/** Every answer fails until it is taken back. */
const FOREVER = 1_000_000;

const healthOf = async (server) => (await request(`${server.baseUrl}/health`)).json;
const reportOf = async (server) => (await request(`${server.baseUrl}/admin/indexer`, { headers: HEADERS })).json;
const acknowledge = (server, id) => request(`${server.baseUrl}/admin/indexer/alarms/${id}/acknowledge`, { method: 'POST', headers: HEADERS });
const metric = async (server, line) => (await request(`${server.baseUrl}/metrics`)).text.split('\n').includes(line);

/** Waits until a server's health is as wanted, and gives it. */
const healthy = (server, matches, what) => waitFor(async () => {
  const seen = await healthOf(server);
  return matches(seen) && seen;
}, { what, describe: async () => ({ health: await healthOf(server).catch(String), logs: server.logs.slice(-8) }) });

/** A second instance on the same database and chain. */
const startOther = (stack) => ServerProcess.start({ ...serverEnvironment(stack.db, stack.sim), ...ENV });

test('a stall is one alarm for all instances, latched until it is over and acknowledged', async () => {
  const stack = await startStack({ simulator: { seed: 'stall', streams: 10 }, server: { env: ENV } });
  stack.runScenario(3);
  await stack.settle();
  const other = await startOther(stack);
  await healthy(other, ({ indexer }) => indexer.summary.startsWith('Another instance indexes'), 'the other to follow');

  stack.sim.faults.add({ kind: 'http', status: 502, count: FOREVER });
  for (const server of [stack.server, other]) {
    const stalled = await healthy(server, ({ indexer }) => indexer.status === 'stalled', 'the stall to be shown');
    assert.equal(stalled.status, 'degraded');
    assert.equal(stalled.indexer.clientImpact, 'stale_chain_state');
    assert.equal(stalled.indexer.operatorAction, 'page');
    assert.equal(stalled.indexer.thresholdMs, 3000);
    assert.ok(stalled.indexer.lagMs > 3000);
  }
  const [{ id }] = (await waitFor(async () => {
    const { alarms } = await reportOf(other);
    return alarms.length > 0 && alarms;
  }, { what: 'the alarm' }));
  const stallsTold = () => [stack.server, other].flatMap(({ logs }) => logs.filter(({ event }) => event === 'indexer_stalled'));
  const told = await waitFor(() => stallsTold().length > 0 && stallsTold(), { what: 'the stall to be logged' });
  assert.equal(told.length, 1, 'by whoever noticed first');
  assert.equal(told[0].level, 'error');
  await waitFor(() => metric(other, 'fluxora_indexer_alarm{alarm="stalled"} 1'), { what: 'the metric' });
  await waitFor(() => metric(stack.server, 'fluxora_rpc_circuit_state{state="open"} 1'), { what: 'the circuit to open' });
  assert.equal((await stack.server.linesOf('rpc_circuit_open')).length, 1);
  assert.equal((await healthOf(stack.server)).dependencies.rpc, 'unhealthy');

  // Acknowledged on one, observed on all; it isn't over.
  const answer = await acknowledge(other, id);
  assert.equal(answer.status, 200);
  assert.equal(answer.json.acknowledgedBy, 'jwt:operator');
  assert.equal(answer.json.clearedAt, null);
  for (const server of [stack.server, other]) {
    const seen = await healthy(server, ({ indexer }) => indexer.operatorAction === 'observe', 'the page to end');
    assert.equal(seen.indexer.status, 'stalled');
  }
  const again = await acknowledge(stack.server, id);
  assert.deepEqual(again.json, answer.json, 'the first one counts');
  const { entries } = (await stack.request('/admin/audit?action=alarm.acknowledge', { headers: HEADERS })).json;
  assert.deepEqual(entries.map(({ actor, target }) => [actor, target]), [['jwt:operator', id]]);

  stack.sim.faults.clear();
  for (const server of [stack.server, other]) {
    // The alarm ends a moment after its cause.
    await healthy(server, ({ status, indexer }) => status === 'ok' && indexer.operatorAction === 'none', 'the stall to be over');
  }
  assert.equal((await stack.server.linesOf('rpc_circuit_closed')).length, 1);
  assert.ok(!(await metric(other, 'fluxora_indexer_alarm{alarm="stalled"} 1')));
  assert.equal((await reportOf(other)).alarms.length, 1);
  await stack.settle();
  await checkExact(stack);
  await other.stop();
  await stack.stop();
});

test('a stall that is over waits for somebody to have seen it, over restarts', async () => {
  const stack = await startStack({ simulator: { seed: 'latched' }, server: { env: ENV } });
  stack.runScenario(2);
  await stack.settle();
  stack.sim.faults.add({ kind: 'http', count: FOREVER });
  await healthy(stack.server, ({ indexer }) => indexer.status === 'stalled', 'the stall');
  await stack.server.restart();
  await healthy(stack.server, ({ indexer }) => indexer.status === 'stalled' && indexer.lagMs > 3000, 'the stall to go on');
  stack.sim.faults.clear();
  const latched = await healthy(stack.server, ({ status }) => status === 'ok', 'its end');
  assert.equal(latched.indexer.status, 'healthy');
  assert.equal(latched.indexer.operatorAction, 'observe');
  assert.match(latched.indexer.summary, /waits to be acknowledged/);
  assert.equal(latched.indexer.clientImpact, 'none');

  await stack.server.restart();
  await stack.settle();
  const { indexer } = await healthOf(stack.server);
  assert.equal(indexer.operatorAction, 'observe');
  // A start that took its time counts as a stall for a moment, which is the same alarm again.
  const { alarms } = await waitFor(async () => {
    const report = await reportOf(stack.server);
    return report.alarms[0].clearedAt >= report.alarms[0].raisedAt && report;
  }, { what: 'the alarm to be cleared' });
  assert.equal(alarms.length, 1, 'one alarm, not one for each start');
  assert.equal((await acknowledge(stack.server, alarms[0].id)).status, 200);
  const seen = await healthy(stack.server, (health) => health.indexer.operatorAction === 'none', 'the alarm to end');
  assert.equal(seen.indexer.summary, 'Up to date.');
  await stack.stop();
});

test('another network halts the indexer, over restarts, until somebody has decided', async () => {
  const stack = await startStack({ simulator: { seed: 'another network' }, server: { env: ENV } });
  stack.runScenario(3);
  await stack.settle();
  const { seq } = await stack.head();
  const network = stack.sim.networkPassphrase;
  stack.sim.served.networkPassphrase = 'Another network';
  const unset = { NETWORK_PASSPHRASE: undefined };
  await stack.server.restart(unset);
  const halted = await healthy(stack.server, ({ indexer }) => indexer.status === 'halted', 'the indexer to halt');
  assert.match(halted.indexer.summary, /acknowledge the alarm/);
  assert.equal(halted.indexer.operatorAction, 'page');

  stack.sim.served.networkPassphrase = network;
  stack.runScenario(2);
  await stack.server.restart(unset);
  await healthy(stack.server, ({ indexer }) => indexer.status === 'halted', 'it to halt again, with its cause gone');
  const calls = stack.sim.calls.get('getHealth');
  const { alarms } = await reportOf(stack.server);
  assert.deepEqual(alarms.map(({ alarm }) => alarm), ['other_network']);
  assert.equal((await stack.head()).seq, seq);
  assert.equal(stack.sim.calls.get('getHealth'), calls, 'nothing is asked of the chain');
  assert.equal((await acknowledge(stack.server, alarms[0].id)).json.clearedAt !== null, true);
  await stack.settle();
  assert.equal((await healthOf(stack.server)).status, 'ok');
  await checkExact(stack);
  await stack.stop();
});

test('clients of an instance that follows are told of the leader’s trouble, and it shows what the leader knows', async () => {
  const stack = await startStack({ simulator: { seed: 'followers', streams: 10 }, server: { env: { JWT_SECRET: SECRET } } });
  stack.runScenario(3);
  await stack.settle();
  const other = await startOther(stack);
  const shown = await healthy(other, ({ indexer }) => indexer.lastLedger === stack.sim.latest.sequence - 1, 'it to follow');
  const leading = await healthOf(stack.server);
  assert.equal(shown.network, stack.sim.networkPassphrase);
  assert.equal(shown.indexer.lastSafeLedger, leading.indexer.lastSafeLedger);
  assert.equal(shown.dependencies.rpc, 'healthy');
  assert.equal(shown.status, 'ok');
  assert.deepEqual([(await reportOf(stack.server)).leads, (await reportOf(other)).leads], [true, false]);
  const client = await WsClient.open(other.wsUrl);

  stack.sim.faults.add({ kind: 'http', count: FOREVER });
  const degraded = await client.waitForService('service.degraded');
  assert.match(degraded.reason, /RPC/);
  const unwell = await healthOf(other);
  assert.equal(unwell.status, 'degraded');
  assert.equal(unwell.dependencies.rpc, 'unhealthy');
  stack.sim.faults.clear();
  await client.waitForService('service.recovered');
  const services = client.messages.filter(({ type }) => type === 'service').map(({ event }) => event);
  assert.deepEqual(services, ['service.degraded', 'service.recovered']);

  // A reorg is everybody's, too.
  stack.runScenario(2);
  await stack.settle();
  stack.sim.fork(2);
  stack.sim.closeLedger();
  await healthy(other, ({ indexer }) => indexer.reorgDetected, 'the reorg to be shown');
  // Whoever takes over goes on, and knows when the last sync was.
  const { indexer: before } = await healthOf(stack.server);
  await stack.server.kill9();
  await waitFor(async () => (await reportOf(other)).leads, { what: 'the other to lead' });
  // What the one has seen last may not have been published; the other's own look at the chain is later than any.
  await healthy(other, ({ indexer }) => indexer.lastSuccessfulSyncAt >= before.lastSuccessfulSyncAt, 'it to index');
  await client.end();
  await other.stop();
  await stack.stop();
});

test('without a chain clients are told of the database’s trouble all the same', async (t) => {
  const stack = await startStack({ simulator: false });
  t.after(() => stack.stop());
  const client = await stack.openWebSocket();
  // Nobody may connect, and whoever is connected is thrown out.
  await stack.db.cluster.query('postgres', `ALTER DATABASE ${stack.db.name} ALLOW_CONNECTIONS false`);
  await stack.db.cluster.query('postgres', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${stack.db.name}'`);
  const degraded = await client.waitForService('service.degraded');
  assert.equal(degraded.reason, 'Database unreachable');
  await stack.db.cluster.query('postgres', `ALTER DATABASE ${stack.db.name} ALLOW_CONNECTIONS true`);
  await client.waitForService('service.recovered');
  await client.end();
});
