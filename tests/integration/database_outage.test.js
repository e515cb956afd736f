// PostgreSQL goes away and comes back: reads say 503 meanwhile, clients stay, the log stays exact.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkExact } from './harness/exactness.js';
import { checkDatabase } from './harness/log_database.js';
import { PostgresCluster } from './harness/postgres_cluster.js';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';
import { seqOf } from './harness/ws_client.js';

/** For sanitizer builds: what the library loses with a connection is not the server's leak. */
const SUPPRESSIONS = fileURLToPath(new URL('./harness/libpqxx_leaks.supp', import.meta.url));
const server = {
  env: { LSAN_OPTIONS: [process.env.LSAN_OPTIONS, `suppressions=${SUPPRESSIONS}`, 'print_suppressions=0'].filter(Boolean).join(':') },
};

for (const mode of /** @type {const} */ (['fast', 'immediate'])) {
  test(`stopped (${mode}) and started again: 503 meanwhile, everything back by itself`, async () => {
    const cluster = await PostgresCluster.start({ fsync: false });
    const stack = await startStack({ cluster, server, simulator: { seed: `outage ${mode}`, streams: 20 } });
    stack.runScenario(3, { actionsPerLedger: 5 });
    await stack.settle();
    const client = await stack.openWebSocket();
    const before = seqOf((await client.subscribe({ streamId: '*' })).cursor);
    const { epoch } = await stack.head();
    const { id } = (await stack.get('/api/streams', { limit: 1 })).streams[0];

    await cluster.stop(mode);
    for (const path of ['/api/streams', `/api/streams/${id}`, `/api/streams/${id}?at=1`, `/api/streams/${id}/events`, '/api/events']) {
      const answer = await stack.request(path);
      assert.equal(answer.status, 503, path);
      assert.equal(answer.json.error, 'SERVICE_UNAVAILABLE', path);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/, path);
      assert.doesNotMatch(answer.text, /postgres|password|127\.0\.0\.1|SELECT/i, `${path} tells what it should not`);
      checkSecurityHeaders(answer.headers, path);
    }
    assert.equal((await stack.request('/health/live')).status, 200);
    assert.equal((await stack.request('/health/ready')).status, 503);
    await waitFor(async () => (await stack.health()).dependencies.postgres === 'unhealthy', { what: 'health to say so' });
    assert.equal((await stack.health()).status, 'degraded');
    await client.waitForService('service.degraded');
    await client.barrier();
    stack.runScenario(3, { actionsPerLedger: 5 });

    await cluster.start();
    await waitFor(async () => (await stack.request('/api/streams')).status === 200, { what: 'reads to work again' });
    await waitFor(async () => (await stack.request('/health/ready')).status === 200, { what: 'readiness' });
    await client.waitForService('service.recovered');
    await stack.settle();
    const { seq, epoch: same } = await stack.head();
    assert.equal(same, epoch);
    assert.ok(seq > before);
    await client.waitForSeq(seq);
    await client.barrier();
    assert.deepEqual(client.updates().map((entry) => entry.seq), Array.from({ length: seq - before }, (_, index) => before + 1 + index));
    assert.equal((await stack.health()).status, 'ok');
    await checkExact(stack);
    await checkDatabase(stack.db);
    await stack.stop();
    await cluster.end();
  });
}

test('during the outage a resume from what is remembered is given, and one that needs the log refused with 1013', async () => {
  const cluster = await PostgresCluster.start({ fsync: false });
  const stack = await startStack({ cluster, server, simulator: { seed: 'outage resume', streams: 10 } });
  stack.runScenario(3, { actionsPerLedger: 5 });
  await stack.settle();
  const { epoch, seq } = await stack.head();
  const whole = Array.from({ length: seq }, (_, index) => index + 1);
  await cluster.stop('fast');

  const remembered = await stack.openWebSocket();
  assert.equal((await remembered.subscribe({ streamId: '*', after: `${epoch}-0` })).resume, 'resumed');
  await remembered.waitForSeq(seq);
  assert.deepEqual(remembered.updates().map((entry) => entry.seq), whole);
  await remembered.end();

  // What became of another log only the database can say.
  const early = await stack.openWebSocket();
  early.send({ type: 'subscribe', streamId: '*', after: 'ffffffff-0' });
  assert.equal((await early.waitForClose())?.code, 1013, 'try again later');
  assert.deepEqual(early.updates(), []);

  await cluster.start();
  await waitFor(async () => (await stack.request('/api/streams')).status === 200, { what: 'reads to work again' });
  const client = await stack.openWebSocket();
  assert.equal((await client.subscribe({ streamId: '*', after: 'ffffffff-0' })).resume, 'epoch_changed');
  const other = await stack.openWebSocket();
  assert.equal((await other.subscribe({ streamId: '*', after: `${epoch}-0` })).resume, 'resumed');
  await other.waitForSeq(seq);
  assert.deepEqual(other.updates().map((entry) => entry.seq), whole);
  await stack.stop();
  await cluster.end();
});

test('sessions that are ended while ledgers are indexed cost nothing', async () => {
  const stack = await startStack({ server, simulator: { seed: 'sessions ended', streams: 20 } });
  const client = await stack.openWebSocket();
  const before = seqOf((await client.subscribe({ streamId: '*' })).cursor);
  let ended = 0;
  for (let round = 0; round < 25; round += 1) {
    stack.runScenario(2, { actionsPerLedger: 8 });
    // The leader's lock goes with its session, the tail's notifications with its own.
    const gone = await stack.db.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
       AND application_name = '${round % 2 === 0 ? 'fluxora-indexer' : 'fluxora-tail'}'`);
    ended += gone.length;
  }
  assert.ok(ended > 0, 'no session was there to be ended');
  await stack.settle();
  const { seq } = await stack.head();
  await client.waitForSeq(seq);
  await client.barrier();
  assert.deepEqual(client.updates().map((entry) => entry.seq), Array.from({ length: seq - before }, (_, index) => before + 1 + index));
  await checkExact(stack);
  await checkDatabase(stack.db);
  await stack.stop();
});
