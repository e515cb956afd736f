// A real PostgreSQL through the clients that people use.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import pg from 'pg';
import postgres from 'postgres';

import { createReceiver } from '../../edge/src/index.js';
import { ClaimLost, postgresSchema, postgresStore } from '../../edge/src/postgres.js';
import { seededRandom } from '../integration/harness/seeded_random.js';
import { newDatabase } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { deferred, headersOf, SECRET, WAYS } from '../unit/edge/deliveries.js';
import { block, runModule } from '../unit/edge/documented.js';
import { checkStore, realTime } from '../unit/edge/store_rules.js';
import { checkCrashes } from './store_crashes.js';

let database;
let pool;
let sql;
/** How each is asked, as edge/src/postgres.d.ts says it. */
const QUERIES = {
  pg: (text, values) => pool.query(text, values),
  'postgres.js': (text, values) => sql.unsafe(text, values),
};

before(async () => {
  database = await newDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 20 });
  // Connections are ended below; each query says so.
  pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
  sql = postgres(database.url, { max: 20, onnotice() {} });
  for (let twice = 0; twice < 2; twice += 1) await pool.query(postgresSchema());
  await pool.query(`CREATE SCHEMA webhooks; ${postgresSchema({ table: 'webhooks.seen' })}`);
  await pool.query('CREATE TABLE effects (id text NOT NULL)');
});
after(async () => {
  await pool?.end();
  await sql?.end();
});

for (const [name, query] of Object.entries(QUERIES)) {
  checkStore(name, () => ({ store: postgresStore(query), passed: realTime }));
}
checkStore('pg, a table of another schema', () => {
  return { store: postgresStore(QUERIES.pg, { table: 'webhooks.seen' }), passed: realTime };
});

checkCrashes('pg', () => ({ environment: { DATABASE_URL: database.url }, store: postgresStore(QUERIES.pg) }));

test('what has served its time is removed, some at a time, and by claims', async () => {
  const table = 'swept';
  await pool.query(postgresSchema({ table }));
  const store = postgresStore(QUERIES.pg, { table });
  const rows = async () => Number((await pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);
  const fill = (count) => pool.query(
    `INSERT INTO ${table} SELECT 'old-' || n, NULL, now() - interval '1 s' FROM generate_series(1, ${count}) n`,
  );
  await fill(30);
  assert.equal(await store.sweep(20), 20);
  assert.equal(await store.sweep(20), 10);
  assert.equal(await store.sweep(), 0);
  await fill(5);
  await store.claim('a', { leaseMs: 60_000 });
  assert.equal(await rows(), 1);
  await fill(5);
  for (let i = 0; i < 100; i += 1) await store.claim(`b${i}`, { leaseMs: 60_000 });
  assert.equal(await rows(), 101);
  await assert.rejects(store.sweep(0), TypeError);
});

test('what has served its time is found by the index', async () => {
  const table = 'indexed';
  await pool.query(postgresSchema({ table }));
  await pool.query(`INSERT INTO ${table}
    SELECT 'kept-' || n, NULL, now() + interval '7 days' FROM generate_series(1, 20000) n`);
  await pool.query(`ANALYZE ${table}`);
  const asked = [];
  const store = postgresStore((...query) => { asked.push(query); return pool.query(...query); }, { table });
  assert.equal(await store.sweep(), 0);
  const [[text, values]] = asked;
  const { rows } = await pool.query(`EXPLAIN ${text}`, values);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(plan, /Index Scan using indexed_expires_at/);
  assert.doesNotMatch(plan, /Seq Scan/);
});

test('four that start at once all find their table made', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
  try {
    for (let round = 0; round < 20; round += 1) {
      const schema = postgresSchema({ table: `made_${round}` });
      await Promise.all(clients.map((client) => client.query(schema)));
    }
  } finally {
    for (const client of clients) client.release();
  }
});

test('a claim that the client sends again, having lost the reply, is its own', async () => {
  const again = async (...query) => {
    await QUERIES.pg(...query);
    return QUERIES.pg(...query);
  };
  const id = randomUUID();
  const { state, token } = await postgresStore(again).claim(id, { leaseMs: 60_000 });
  assert.equal(state, 'new');
  const store = postgresStore(QUERIES.pg);
  assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'busy');
  assert.equal(await store.complete(id, token, { keepMs: 60_000 }), true);
  assert.deepEqual(await postgresStore(again).claim(id, { leaseMs: 60_000 }), { state: 'done' });
});

/** What a handler does in a transaction of its own, and how it ends. */
async function inTransaction(store, claim, atCommit) {
  const client = await pool.connect();
  let broken;
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO effects VALUES ($1)', [claim.id]);
    await store.completeIn((text, values) => client.query(text, values), claim);
    await atCommit?.(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch((lost) => { broken = lost; });
    throw error;
  } finally {
    client.release(broken);
  }
}

const EFFECTS = 'SELECT count(*) FROM effects WHERE id = $1';
const effectsOf = async (id) => Number((await pool.query(EFFECTS, [id])).rows[0].count);
const ownPid = async (client) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
const endConnection = async (client) => pool.query('SELECT pg_terminate_backend($1)', [await ownPid(client)]);

test('in the handler’s transaction: its effect and the memory of it are there together, or neither', async () => {
  const store = postgresStore(QUERIES.pg);
  const faults = [endConnection, async () => { throw new Error('failed'); }, undefined];
  const receiver = createReceiver({
    secret: SECRET, seen: store, onEvent: (_, { claim }) => inTransaction(store, claim, faults.shift()), onReject() {},
  });
  const id = randomUUID();
  const headers = headersOf({ id, timestamp: Math.floor(Date.now() / 1000) });
  const answers = [];
  for (let i = 0; i < 4; i += 1) answers.push([(await WAYS.fetch(receiver, headers)).status, await effectsOf(id)]);
  assert.deepEqual(answers, [[500, 0], [500, 0], [200, 1], [200, 1]]);
});

/** Ends a connection of the README's program, and waits until its process knows. */
async function lose(client) {
  let gone = false;
  client.once('end', () => { gone = true; });
  await endConnection(client);
  await waitFor(() => gone, { what: 'the connection to be gone' });
}

test('in the handler’s transaction: the README’s program', async (t) => {
  const streamId = randomUUID();
  await pool.query('CREATE TABLE subscriptions (stream_id text PRIMARY KEY, state text)');
  await pool.query("INSERT INTO subscriptions VALUES ($1, 'stream.created')", [streamId]);
  Object.assign(process.env, { DATABASE_URL: database.url, WEBHOOK_SECRET: SECRET });
  const made = await runModule(block('edge/README.md', 'js', 'completeIn'), ['receiver', 'pool'], import.meta.url);
  t.after(() => made.pool.end());
  // What goes wrong behind a statement of the handler's, for the attempts below: connections that are lost with nothing
  // asked of them, and an error that leaves the connection as it was.
  const faults = [['BEGIN', lose], ['UPDATE', lose], ['UPDATE', async () => { throw new Error('failed'); }]];
  const connect = made.pool.connect.bind(made.pool);
  t.mock.method(made.pool, 'connect', async (...given) => {
    if (given.length > 0) return connect(...given); // by pool.query
    const client = await connect();
    const { query } = client;
    client.query = async (...asked) => {
      const result = await query.apply(client, asked);
      if (!asked[0].startsWith(faults[0]?.[0])) return result;
      const [[, fault]] = faults.splice(0, 1);
      delete client.query;
      await fault(client);
      return result;
    };
    return client;
  });
  const told = t.mock.method(console, 'error', () => {});
  const body = JSON.stringify({ type: 'stream.cancelled', data: { streamId } });
  const headers = headersOf({ id: randomUUID(), timestamp: Math.floor(Date.now() / 1000), body });
  while (faults.length > 0) {
    assert.equal((await WAYS.fetch(made.receiver, headers, body)).answer.error, 'handler_failed');
    assert.equal((await pool.query('SELECT state FROM subscriptions')).rows[0].state, 'stream.created');
  }
  // The handler's own error, not that of the ROLLBACK behind it.
  assert.equal(told.mock.calls.at(-1).arguments[1].message, 'failed');
  assert.deepEqual((await WAYS.fetch(made.receiver, headers, body)).answer, { ok: true });
  const idle = await connect();
  idle.release();
  await lose(idle);
  assert.deepEqual((await WAYS.fetch(made.receiver, headers, body)).answer, { ok: true, duplicate: true });
  assert.equal((await pool.query('SELECT state FROM subscriptions')).rows[0].state, 'stream.cancelled');
});

test('in the handler’s transaction: cut off behind the commit, the next copy is a duplicate', async () => {
  const store = postgresStore(QUERIES.pg);
  const complete = () => { throw new Error('cut off'); };
  const cutOff = { claim: (...values) => store.claim(...values), release() {}, complete };
  const receiverOf = (seen) => createReceiver({
    secret: SECRET, seen, onEvent: (_, { claim }) => inTransaction(store, claim), onReject() {},
  });
  const id = randomUUID();
  const headers = headersOf({ id, timestamp: Math.floor(Date.now() / 1000) });
  assert.equal((await WAYS.fetch(receiverOf(cutOff), headers)).status, 500);
  assert.deepEqual((await WAYS.fetch(receiverOf(store), headers)).answer, { ok: true, duplicate: true });
  assert.equal(await effectsOf(id), 1);
});

test('in the handler’s transaction: a claim that was lost undoes it, whoever comes first', async () => {
  const store = postgresStore(QUERIES.pg);
  const options = { leaseMs: 50, keepMs: 60_000 };
  for (const firstCommits of [true, false]) {
    const id = randomUUID();
    const slow = { id, keepMs: 60_000, token: (await store.claim(id, options)).token };
    await realTime(50);
    const next = { id, keepMs: 60_000, token: (await store.claim(id, { ...options, leaseMs: 60_000 })).token };
    if (firstCommits) {
      await inTransaction(store, next);
      await assert.rejects(inTransaction(store, slow), ClaimLost);
    } else {
      await assert.rejects(inTransaction(store, slow), ClaimLost);
      await inTransaction(store, next);
    }
    assert.equal(await effectsOf(id), 1);
    assert.equal((await store.claim(id, options)).state, 'done');
  }
});

test('in the handler’s transaction: one that is about to commit decides over a claim that waits for it', async () => {
  const store = postgresStore(QUERIES.pg);
  const id = randomUUID();
  const slow = { id, keepMs: 60_000, token: (await store.claim(id, { leaseMs: 50 })).token };
  await realTime(50);
  const gate = deferred();
  const finished = deferred();
  const transaction = inTransaction(store, slow, async () => { finished.resolve(); await gate.promise; });
  await finished.promise;
  const claimed = store.claim(id, { leaseMs: 60_000 });
  const WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  const waits = async () => (await pool.query(WAITING)).rowCount > 0;
  await waitFor(waits, { what: 'the claim to wait' });
  gate.resolve();
  await transaction;
  assert.deepEqual(await claimed, { state: 'done' });
  assert.equal(await effectsOf(id), 1);
});

test('in the handler’s transaction: each event has its effect once, whatever breaks on the way', async () => {
  const seed = Number(process.env.EDGE_SEED ?? 1);
  const random = seededRandom(seed);
  const store = postgresStore(QUERIES.pg);
  const breaks = (chance) => random() < chance;
  const fault = () => {
    if (breaks(0.2)) return endConnection;
    if (breaks(0.2)) return async () => { throw new Error('failed'); };
    if (breaks(0.2)) return () => realTime(1200); // longer than its lease
    return undefined;
  };
  const seen = {
    claim: (...values) => store.claim(...values),
    release: async (...values) => { if (!breaks(0.3)) await store.release(...values); },
    complete: async (...values) => {
      if (breaks(0.2)) throw new Error('cut off');
      return store.complete(...values);
    },
  };
  const receiver = createReceiver({
    secret: SECRET, seen, leaseSeconds: 1, onReject() {},
    onEvent: (_, { claim }) => inTransaction(store, claim, fault()),
  });
  const ids = Array.from({ length: 60 }, () => randomUUID());
  await Promise.all(ids.map(async (id) => {
    for (let tries = 0; ; tries += 1) {
      if (tries === 200) throw new Error(`seed ${seed}: ${id} was never acknowledged`);
      const headers = headersOf({ id, timestamp: Math.floor(Date.now() / 1000) });
      const copies = await Promise.all([1, 2].map(() => WAYS.fetch(receiver, headers)));
      if (copies.some(({ status }) => status === 200)) return;
      await realTime(50);
    }
  }));
  const counted = 'SELECT id, count(*)::int AS count FROM effects WHERE id = ANY($1) GROUP BY id';
  const { rows } = await pool.query(counted, [ids]);
  assert.equal(rows.length, ids.length);
  assert.deepEqual(rows.filter(({ count }) => count !== 1), [], `seed ${seed}`);
});
