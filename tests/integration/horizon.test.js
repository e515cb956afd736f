// Horizon as a witness to what the RPC says. SPEC section 9.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Horizon } from '../chain-sim/src/horizon.js';
import { startSimulator } from '../chain-sim/src/simulator.js';
import { checkExact } from './harness/exactness.js';
import { startStack } from './harness/stack.js';
import { adminHeaders } from './harness/admin.js';
import { waitFor } from './harness/wait.js';

/**
 * A stack whose server has a Horizon; both end with the test.
 * @param {import('node:test').TestContext} t
 * @param {{seed: string, env?: Record<string, string>, served?: Record<string, unknown>}} options
 */
async function startWitnessed(t, { seed, env = {}, served = {} }) {
  // The server has to know Horizon's address when it starts, and Horizon the simulator's chain.
  const bystander = await startSimulator({ seed });
  t.after(() => bystander.stop());
  const horizon = await Horizon.start(bystander);
  t.after(() => horizon.stop());
  horizon.served = served;
  const stack = await startStack({ simulator: { seed }, server: { env: { HORIZON_URL: horizon.url, HORIZON_POLL_MS: '50', ...env } } });
  t.after(() => stack.stop());
  horizon.simulator = stack.sim;
  return { stack, horizon };
}

const health = (stack, matches, what) => waitFor(async () => {
  const seen = await stack.health();
  return matches(seen) && seen;
}, { what, describe: async () => ({ health: await stack.health(), logs: stack.server.logs.slice(-5) }) });

test('of one mind with the RPC it shows nothing but that it is there', async (t) => {
  const { stack, horizon } = await startWitnessed(t, { seed: 'witness' });
  stack.runScenario(3);
  await stack.settle();
  const seen = await stack.health();
  assert.equal(seen.status, 'ok');
  assert.equal(seen.dependencies.horizon, 'healthy');
  assert.equal(seen.indexer.operatorAction, 'none');
  await waitFor(() => horizon.looks > 2, { what: 'Horizon to be looked at again and again' });
});

test('out of reach it degrades health and stops nothing', async (t) => {
  const { stack, horizon } = await startWitnessed(t, { seed: 'witness away' });
  horizon.status = 503;
  const away = await health(stack, ({ dependencies }) => dependencies.horizon === 'unhealthy', 'Horizon to be missed');
  assert.equal(away.status, 'degraded');
  assert.equal(away.indexer.operatorAction, 'observe');
  assert.match(away.indexer.summary, /Horizon/);
  stack.runScenario(3);
  await stack.settle();
  await checkExact(stack);
  horizon.status = 200;
  await health(stack, ({ status, dependencies }) => status === 'ok' && dependencies.horizon === 'healthy', 'Horizon to be back');
  await stack.server.linesOf('horizon_recovered');
  const told = stack.server.logs.filter(({ event }) => event?.startsWith('horizon_')).map(({ event }) => event);
  assert.deepEqual(told, ['horizon_unavailable', 'horizon_recovered']);
});

test('far ahead of the RPC it shows that the RPC lags, and indexing goes on', async (t) => {
  const { stack, horizon } = await startWitnessed(t, { seed: 'witness ahead' });
  stack.runScenario(2);
  await stack.settle();
  horizon.served = { core_latest_ledger: stack.sim.latest.sequence + 1_000 };
  const lagging = await health(stack, ({ status }) => status === 'degraded', 'the RPC to be called lagging');
  assert.match(lagging.indexer.summary, /RPC lags/);
  assert.equal(lagging.dependencies.horizon, 'healthy');
  stack.runScenario(2);
  await stack.settle();
  horizon.served = {};
  await health(stack, ({ status }) => status === 'ok', 'both to be even');
});

test('of another network it stops the indexer until somebody has decided', async (t) => {
  const secret = randomBytes(32).toString('hex');
  const { stack, horizon } = await startWitnessed(t, { seed: 'witness of another', env: { JWT_SECRET: secret } });
  const headers = adminHeaders(secret);
  stack.runScenario(2);
  await stack.settle();
  horizon.served = { network_passphrase: 'Another network' };
  const halted = await health(stack, ({ indexer }) => indexer.status === 'halted', 'the indexer to halt');
  assert.match(halted.indexer.summary, /Another network/);
  assert.equal(halted.indexer.operatorAction, 'page');
  horizon.served = {};
  const looked = horizon.looks;
  await waitFor(() => horizon.looks > looked + 2, { what: 'Horizon to have taken it back' });
  assert.equal((await stack.health()).indexer.status, 'halted');
  const { alarms } = (await stack.request('/admin/indexer', { headers })).json;
  assert.equal(alarms[0].alarm, 'other_network');
  assert.equal((await stack.request(`/admin/indexer/alarms/${alarms[0].id}/acknowledge`, { method: 'POST', headers })).status, 200);
  stack.runScenario(2);
  await stack.settle();
  await checkExact(stack);
});

test('of another network from the start nothing is indexed', async (t) => {
  const { stack } = await startWitnessed(t, { seed: 'witness at the start', served: { network_passphrase: 'Another network' } });
  stack.sim.runScenario(2);
  await health(stack, ({ indexer }) => indexer.status === 'halted', 'the indexer to halt');
  assert.equal((await stack.head()).seq, 0);
  assert.deepEqual(await stack.db.rows('SELECT FROM indexer_alarms'), [], 'with nothing held there is nothing to decide');
});
