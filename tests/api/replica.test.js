// Reads on a real streaming standby: what it lacks is read from the primary, and what is no standby of ours isn't used.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const TERMS = JSON.stringify({
  sender: 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J',
  recipient: 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I',
  depositAmount: '1000',
  ratePerSecond: '0.5',
});

const primary = await PostgresCluster.start({ fsync: false });
after(() => primary.end());

/** A server whose reads go to `standby`, once it says that they do. */
async function startReplicated(standby) {
  const stack = await startStack({ simulator: false, cluster: primary, server: { env: { WRITE_RATE_LIMIT: '0' } } });
  await waitForReplay(standby);
  await stack.server.restart({ DATABASE_REPLICA_URL: standby.url(stack.db.name) });
  await readUntil(stack, 'replica_in_use');
  return stack;
}

/** Until the standby has what the primary has. */
async function waitForReplay(standby) {
  const { rows: [{ lsn }] } = await primary.query('postgres', 'SELECT pg_current_wal_lsn()::text AS lsn');
  const done = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done';
  await waitFor(async () => (await standby.query('postgres', done, [lsn])).rows[0].done, {
    what: 'the standby to have what the primary has',
  });
}

/** Reads until the server has logged that event: what a replica is like is found out by reads. */
function readUntil(stack, event) {
  return waitFor(async () => {
    assert.equal((await stack.request('/api/streams')).status, 200, 'reads go on whatever the replica does');
    return stack.server.logs.find((line) => line.event === event);
  }, { what: event, describe: () => stack.server.logs.slice(-20) });
}

async function create(stack) {
  const headers = { 'content-type': 'application/json' };
  const answer = await stack.request('/api/streams', { method: 'POST', headers, body: TERMS });
  assert.equal(answer.status, 201, answer.text);
  return { id: answer.json.id, version: String(answer.headers['x-fluxora-version']) };
}

const pause = (standby) => standby.query('postgres', 'SELECT pg_wal_replay_pause()');
const resume = (standby) => standby.query('postgres', 'SELECT pg_wal_replay_resume()');

test('a lagging standby answers who asks for no version, and nobody sees less than the version they name', async () => {
  const standby = await primary.startStandby();
  const stack = await startReplicated(standby);
  const early = await create(stack);
  await waitForReplay(standby);
  await pause(standby);
  const { id, version } = await create(stack);
  const asking = { headers: { 'X-Fluxora-Min-Version': version } };

  assert.equal((await stack.request(`/api/streams/${id}`)).status, 404, 'the standby does not have it yet');
  const list = await stack.request('/api/streams');
  assert.deepEqual(list.json.streams.map((stream) => stream.id), [early.id]);
  assert.equal((await stack.request('/api/events')).json.events.length, 1);

  assert.equal((await stack.request(`/api/streams/${id}`, asking)).status, 200);
  assert.equal((await stack.request(`/api/streams/${id}?at=9999999999`, asking)).status, 200);
  const whole = await stack.request('/api/streams', asking);
  assert.deepEqual(whole.json.streams.map((stream) => stream.id), [id, early.id]);
  assert.equal((await stack.request('/api/events', asking)).json.events.length, 2);
  assert.equal((await stack.request(`/api/streams/${id}/events`, asking)).json.events.length, 1);
  const lookup = await stack.request('/api/streams/lookup', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...asking.headers },
    body: JSON.stringify({ ids: [id] }),
  });
  assert.equal(lookup.json.streams.length, 1);

  // What the standby has is enough for those who name no more than that.
  const modest = await stack.request('/api/streams', { headers: { 'X-Fluxora-Min-Version': early.version } });
  assert.deepEqual(modest.json.streams.map((stream) => stream.id), [early.id]);

  // A version that isn't anywhere yet.
  const ahead = String(BigInt(version) + 1n);
  const future = await stack.request(`/api/streams/${id}`, { headers: { 'X-Fluxora-Min-Version': ahead } });
  assert.equal(future.status, 503);
  assert.match(String(future.headers['retry-after']), /^[1-9]\d*$/);

  await resume(standby);
  await waitForReplay(standby);
  assert.equal((await stack.request(`/api/streams/${id}`)).status, 200);
  await stack.stop();
  await standby.end();
});

test('a cursor seen elsewhere is good on a lagging standby too', async () => {
  const standby = await primary.startStandby();
  const stack = await startReplicated(standby);
  await create(stack);
  await waitForReplay(standby);
  await pause(standby);
  const client = await stack.openWebSocket();
  const { cursor } = await client.subscribe({ streamId: '*' });
  const { id, version } = await create(stack);
  await client.waitForSeq(Number(version));

  const newest = `${cursor.split('-')[0]}-${version}`;
  const page = await stack.get('/api/events', { after: newest });
  assert.equal(page.resume.outcome, 'resumed');
  assert.deepEqual(page.events, []);

  // A feed's replay doesn't skip what the standby lacks.
  const late = await stack.openWebSocket();
  assert.equal((await late.subscribe({ streamId: '*', after: `${cursor.split('-')[0]}-0` })).resume, 'resumed');
  await late.waitForSeq(Number(version));
  assert.deepEqual(late.updates().map((entry) => entry.seq), [1, 2]);
  assert.equal((await stack.request(`/api/streams/${id}`)).status, 404, 'and reads by id are still the standby\'s');
  await resume(standby);
  await stack.stop();
  await standby.end();
});

test('reads that are gathered get what each of them asks for', async () => {
  const standby = await primary.startStandby();
  const stack = await startReplicated(standby);
  const early = await create(stack);
  await waitForReplay(standby);
  await pause(standby);
  const late = await create(stack);
  const asked = Array.from({ length: 120 }, (_, index) => ({
    id: index % 2 ? early.id : late.id,
    headers: index % 3 ? { 'X-Fluxora-Min-Version': late.version } : {},
  }));
  const answers = await Promise.all(asked.map(({ id, headers }) => stack.request(`/api/streams/${id}`, { headers })));
  for (const [index, answer] of answers.entries()) {
    const expected = asked[index].id === early.id || index % 3 ? 200 : 404;
    assert.equal(answer.status, expected, `read ${index}`);
    if (expected === 200) assert.equal(answer.json.id, asked[index].id);
  }
  await resume(standby);
  await stack.stop();
  await standby.end();
});

test('a standby that dies is left alone, and used again when it is back', async () => {
  const standby = await primary.startStandby();
  const stack = await startReplicated(standby);
  const { id } = await create(stack);
  await waitForReplay(standby);
  await standby.stop('immediate');
  await readUntil(stack, 'replica_unavailable');
  for (let i = 0; i < 20; i += 1) assert.equal((await stack.request(`/api/streams/${id}`)).status, 200);
  assert.equal((await stack.request('/health/ready')).status, 200, 'ready means the primary');
  assert.equal((await stack.health()).dependencies.postgres, 'healthy');

  await standby.start();
  await readUntil(stack, 'replica_recovered');
  await waitForReplay(standby);
  await pause(standby);
  const late = await create(stack);
  await waitFor(async () => (await stack.request(`/api/streams/${late.id}`)).status === 404, {
    what: 'the standby to answer again',
  });
  await resume(standby);
  await stack.stop();
  await standby.end();
});

test('a database that is no standby, or holds another log, is refused', async () => {
  const stack = await startStack({ simulator: false, cluster: primary });
  const { id } = await create(stack);
  await stack.server.restart({ DATABASE_REPLICA_URL: stack.db.url });
  assert.match((await readUntil(stack, 'replica_refused')).message, /no standby/);
  assert.equal((await stack.request(`/api/streams/${id}`)).status, 200);

  const standby = await primary.startStandby();
  const other = await startStack({ simulator: false, cluster: primary });
  await waitForReplay(standby);
  await stack.server.restart({ DATABASE_REPLICA_URL: standby.url(other.db.name) });
  assert.match((await readUntil(stack, 'replica_refused')).message, /another log/);
  assert.equal((await stack.request(`/api/streams/${id}`)).status, 200);
  await other.stop();
  await stack.stop();
  await standby.end();
});
