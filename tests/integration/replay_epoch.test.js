// Reading the chain again into a new epoch, beside a server that goes on: what comes out, and what clients see of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractAddress } from '../chain-sim/src/accounts.js';
import { startSimulator } from '../chain-sim/src/simulator.js';
import { TERMS, cancel, create, send, setStatus } from './harness/api_streams.js';
import { checkExact } from './harness/exactness.js';
import { withQuery } from './harness/http_client.js';
import { IndependentFold, streamJson } from './harness/independent_fold.js';
import { checkLogOrder, withoutStorageFields } from './harness/log_checks.js';
import { checkDatabase } from './harness/log_database.js';
import { ServerProcess, runCommand } from './harness/server_process.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const LOG_TABLES = [
  'events', 'indexer_checkpoint', 'ledgers', 'log_head', 'observation_list', 'reconciliation', 'reconciliation_differences', 'streams',
];
const SERVICE_TABLES = [
  'api_keys', 'audit_log', 'idempotency_keys', 'indexer_alarms', 'indexer_leader', 'rebuild_place', 'rebuild_states', 'replay_jobs',
  'schema_migrations', 'webhook_attempts', 'webhook_deliveries', 'webhook_dispatchers', 'webhook_endpoints', 'webhook_former_secrets', 'webhook_lanes',
  'webhook_messages', 'webhook_replays',
];

/** `fluxora-server keys create`: a key for /admin. */
async function adminKey(stack) {
  const made = await runCommand(['keys', 'create', '--name', 'operator', '--scope', 'admin'], { DATABASE_URL: stack.db.url });
  assert.equal(made.code, 0, made.stderr);
  return { 'x-api-key': JSON.parse(made.stdout).key };
}

const jobs = async (stack, key) => (await stack.request('/admin/replay', { headers: key })).json.jobs;

/** The server's environment, for a command beside it. */
async function runReplay(stack, args = []) {
  const { code, stdout, stderr } = await runCommand(['replay', ...args], stack.server.env);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 1, `one object on stdout: ${stdout} ${stderr}`);
  return { code, stderr, ...JSON.parse(lines[0]) };
}

/** What a stream is, without its places in the log. */
const content = ({ version, ...stream }) => stream;

/**
 * Streams as the table has them, but for their places in the log, and for what only the storage of a contract said of
 * a stream that has been closed since: nobody can read that again.
 */
const streamRows = (db) => db.rows(`
  SELECT id, source, CASE WHEN NOT archived THEN kind END AS kind, CASE WHEN NOT archived THEN token END AS token, status, archived,
         sender, recipient, deposit, rate_per_second, withdrawn, settled, start_time, cliff_time,
         end_time, cancelled_at, checkpoint_amount, checkpoint_at, created_at_ms, updated_at_ms, ledger, tx_hash
  FROM streams ORDER BY id`);
const digests = (db) => db.rows('SELECT sequence, hash, digest FROM ledgers WHERE digest IS NOT NULL ORDER BY sequence');
/** Standing entries of API streams, but for their places. */
const apiHistory = (db) => db.rows(`
  SELECT stream_id, event, kind, CASE WHEN ledger IS NULL THEN 'api' ELSE event_id END AS event_id, closed_at, topics, value, change
  FROM events e WHERE stream_id LIKE 'api-%' AND retracts IS NULL AND NOT EXISTS (SELECT FROM events r WHERE r.retracts = e.seq)
  ORDER BY stream_id, seq`);

/** @param {any} stack */
async function verify(stack) {
  const { code, stdout } = await runCommand(['verify'], { DATABASE_URL: stack.db.url });
  assert.equal(code, 0, stdout);
}

/** A server with a past: chain streams over forks, API streams in every state, keys, times that have passed. */
async function stackWithPast(seed, env = {}) {
  const stack = await startStack({ simulator: { seed, streams: 12, tokenEvents: false }, server: { env: { INDEXER_BATCH_LEDGERS: '7', ...env } } });
  stack.runScenario(10, { actionsPerLedger: 4 });
  await stack.settle();
  const now = Number((await stack.get('/api/streams', { limit: 1 })).streams[0].asOf);
  const answers = new Map();
  for (let i = 0; i < 8; i += 1) {
    const key = `creation-${i}`;
    // The first ends with the next ledgers.
    const times = i === 0 ? { startTime: now - 100, cliffTime: now + 3, endTime: now + 6 } : {};
    const answer = await create(stack.baseUrl, { ...TERMS, ...times }, { 'idempotency-key': key });
    assert.equal(answer.status, 201, answer.text);
    answers.set(key, { times, answer: answer.json });
  }
  const ids = [...answers.values()].map(({ answer }) => answer.id);
  assert.equal((await setStatus(stack.baseUrl, ids[1], 'paused')).status, 200);
  assert.equal((await setStatus(stack.baseUrl, ids[2], 'paused')).status, 200);
  assert.equal((await setStatus(stack.baseUrl, ids[2], 'active')).status, 200);
  assert.equal((await cancel(stack.baseUrl, ids[3])).status, 200);
  stack.runScenario(6, { actionsPerLedger: 4 });
  await stack.settle();
  return { stack, answers, ids };
}

/** A reader's snapshot, as an export holds it: the served log can't be taken away meanwhile. @param {any} stack */
async function holdLog(stack) {
  const client = stack.db.cluster.client(stack.db.name);
  await client.connect();
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SELECT (SELECT epoch FROM log_head), (SELECT count(*) FROM streams)');
  return { client, release: async () => { await client.query('COMMIT'); await client.end(); } };
}

/** Whether a second log is there. @param {any} stack */
const isBegun = async (stack) => (await stack.db.row("SELECT to_regclass('fluxora_next.replay_target') IS NOT NULL AS there")).there;

/** The same key gives the same stream, whose place may have changed. */
async function checkKeys(stack, answers) {
  for (const [key, { times, answer }] of answers) {
    const again = await create(stack.baseUrl, { ...TERMS, ...times }, { 'idempotency-key': key });
    assert.equal(again.status, 201, again.text);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.deepEqual(content(again.json), content(answer), key);
  }
}

test('every table is known to be the log’s or the service’s', async () => {
  const stack = await startStack({ simulator: false });
  const tables = await stack.db.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  assert.deepEqual(tables.map(({ tablename }) => tablename).sort(), [...LOG_TABLES, ...SERVICE_TABLES].sort());
  await stack.stop();
});

test('the chain is read again beside a server that goes on, and takes the log’s place', async () => {
  const { stack, answers } = await stackWithPast('replayed');
  const key = await adminKey(stack);
  const before = await stack.head();
  const rows = await streamRows(stack.db);
  const chain = await digests(stack.db);
  const history = await apiHistory(stack.db);
  const socket = await stack.openWebSocket();
  await socket.subscribe({ streamId: '*' });
  const list = await stack.get('/api/streams', { limit: 2 });

  const done = await runReplay(stack);
  assert.equal(done.code, 0, `${done.message} ${done.stderr}`);
  assert.equal(done.success, true);

  // The same streams and ledgers under another epoch; what came through the API is behind what the chain says.
  const after = await stack.head();
  assert.notEqual(after.epoch, before.epoch);
  assert.deepEqual(await streamRows(stack.db), rows);
  assert.deepEqual(await digests(stack.db), chain);
  assert.deepEqual(await apiHistory(stack.db), history);
  await checkDatabase(stack.db);
  await checkKeys(stack, answers);
  await verify(stack);
  const numbers = await stack.db.rows("SELECT seq, event_id FROM events WHERE ledger IS NULL AND stream_id LIKE 'api-%'");
  for (const { seq, event_id: id } of numbers) assert.equal(id, `api-${seq}`);
  assert.equal((await stack.db.row("SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = 'fluxora_next'")).count, 0);
  assert.ok((await stack.db.row('SELECT count(*)::int AS count FROM audit_trail')).count > 0);

  // Everyone is told.
  assert.equal((await socket.waitForClose()).code, 1012);
  const again = await stack.openWebSocket();
  assert.equal((await again.subscribe({ streamId: '*', after: before.cursor })).resume, 'epoch_changed');
  assert.equal((await stack.get('/api/events', { after: before.cursor })).resume.outcome, 'epoch_changed');
  const next = await stack.request(withQuery('/api/streams', { limit: 2, cursor: list.next_cursor }));
  assert.equal(next.status, 400, next.text);
  assert.match(next.json.errors[0].message, /another epoch/);
  const [job] = await jobs(stack, key);
  assert.deepEqual([job.kind, job.state, job.done, job.remainingMs], ['replay', 'done', job.total, 0]);
  assert.ok(job.rows > 0);

  // And the server goes on in it: chain, API, rollback, live feed.
  stack.runScenario(3, { actionsPerLedger: 4 });
  stack.sim.fork(2);
  stack.runScenario(4, { actionsPerLedger: 4 });
  assert.equal((await create(stack.baseUrl)).status, 201);
  await again.waitFor(({ type, event }) => type === 'stream_update' && event === 'stream.created');
  await stack.settle();
  await checkDatabase(stack.db);
  await verify(stack);
  assert.equal((await stack.health()).indexer.status, 'healthy');
  await again.close();
  await stack.stop();
});

test('killed in the middle it goes on, stopped it says how, paused over /admin it waits', async () => {
  const { stack, answers } = await stackWithPast('interrupted', { INDEXER_BATCH_LEDGERS: '2' });
  const key = await adminKey(stack);
  const rows = await streamRows(stack.db);
  const other = { ...stack.server.env, CONTRACT_IDS: `${stack.sim.contractId}` };

  // Nobody else takes the job up: no server runs.
  await stack.server.stop();
  const command = new ServerProcess({ args: ['replay'], env: other });
  command.spawn();
  await waitFor(async () => {
    const found = await stack.db.row("SELECT to_regclass('fluxora_next.indexer_checkpoint') IS NOT NULL AS there");
    return found.there && (await stack.db.row('SELECT ledger FROM fluxora_next.indexer_checkpoint')).ledger !== null;
  }, { what: 'the second log to have ledgers' });
  await command.kill9();
  const left = await stack.db.row('SELECT state, message FROM replay_jobs');
  assert.equal(left.state, 'running');

  // Other terms than it was begun with are refused, and nothing is lost by that.
  const refused = await runReplay(stack, ['--from-ledger', String(stack.sim.oldest.sequence + 3)]);
  assert.equal(refused.code, 1);
  assert.match(refused.message, /was begun.*--restart/);
  assert.equal((await stack.db.row('SELECT state FROM replay_jobs')).state, 'failed');

  // An operator resumes the job over /admin, and the server takes it up.
  await stack.server.restart();
  const [failed] = await jobs(stack, key);
  const resumed = await stack.request(`/admin/replay/${failed.id}/resume`, { method: 'POST', headers: key });
  assert.equal(resumed.status, 200, resumed.text);
  await waitFor(async () => (await jobs(stack, key))[0].state === 'done', {
    what: 'the job to be done', describe: async () => ({ jobs: await jobs(stack, key), logs: stack.server.logs.slice(-10) }),
  });
  assert.deepEqual(await streamRows(stack.db), rows);
  await checkKeys(stack, answers);

  // One at a time; each step shows in its state. A reader keeps the swap from happening before that is seen.
  const { epoch } = await stack.head();
  const reader = await holdLog(stack);
  const start = (kind) => send(`${stack.baseUrl}/admin/replay`, 'POST', { kind }, key);
  const reaches = (state) => waitFor(async () => (await jobs(stack, key))[0].state === state, {
    what: `the job to be ${state}`, describe: async () => ({ jobs: await jobs(stack, key), logs: stack.server.logs.slice(-10) }),
  });
  const started = await start('replay');
  assert.equal(started.status, 202, started.text);
  await reaches('running');
  assert.equal((await start('rebuild')).status, 409);
  // It loses its connection to what it reads into, and takes itself up again.
  await stack.db.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fluxora-replay'");
  await stack.server.waitForLog(({ event }) => event === 'jobs_unavailable', 'the job to be lost');
  await waitFor(() => stack.server.logs.filter(({ event, job }) => event === 'job_running' && String(job) === started.json.id).length > 1, {
    what: 'the job to be taken up again',
  });
  await reaches('running');
  const step = (action, method = 'POST') => stack.request(`/admin/replay/${started.json.id}${action}`, { method, headers: key });
  assert.equal((await step('/resume')).status, 409, 'it runs');
  assert.equal((await step('/pause')).json.state, 'paused');
  await stack.server.waitForLog(({ event }) => event === 'job_stopped', 'the job to be left');
  assert.equal((await step('/resume')).json.state, 'queued');
  await reaches('running');
  assert.equal((await step('', 'DELETE')).json.state, 'cancelled');
  await waitFor(async () => !(await isBegun(stack)), { what: 'what was read to be dropped' });
  assert.equal((await step('/pause')).status, 409);
  assert.equal((await step('', 'DELETE')).status, 409);
  assert.equal((await stack.head()).epoch, epoch);

  // The next goes from the start to the end, and a rebuild is a job as well.
  assert.equal((await start('replay')).status, 202);
  await reaches('running');
  await reader.release();
  await reaches('done');
  assert.notEqual((await stack.head()).epoch, epoch);
  await stack.db.rows('DELETE FROM streams WHERE id = (SELECT min(id) FROM streams)');
  assert.equal((await start('rebuild')).status, 202);
  await reaches('done');
  assert.match((await jobs(stack, key))[0].message, /^1 of \d+ streams were mended\.$/);
  assert.deepEqual(await streamRows(stack.db), rows);
  const mended = await stack.db.row("SELECT actor FROM audit_log WHERE action = 'rebuild.mend'");
  assert.equal(mended.actor, 'service', 'whoever started the job has a record of that');
  // However often a job was taken up: at its end anybody may take the next.
  await waitFor(async () => (await stack.db.row(`SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = x'666c7578'::int::oid AND objid = x'6a6f6273'::int::oid`)).held === 0, { what: 'the lock of jobs to be given up' });

  const records = await stack.db.rows("SELECT action FROM audit_log WHERE action LIKE 'job.%' OR action = 'log.replace' ORDER BY position");
  assert.deepEqual(records.map(({ action }) => action), [
    'job.start', 'job.start', 'job.resume', 'log.replace',
    'job.start', 'job.pause', 'job.resume', 'job.cancel', 'job.start', 'log.replace', 'job.start',
  ]);
  await stack.stop();
});

test('a replay that is stopped by a signal exits with 3, and goes on when it is run again', async () => {
  const { stack } = await stackWithPast('stopped', { INDEXER_BATCH_LEDGERS: '1' });
  const rows = await streamRows(stack.db);
  const reader = await holdLog(stack);
  const command = new ServerProcess({ args: ['replay'], env: stack.server.env });
  command.spawn();
  await waitFor(() => isBegun(stack), { what: 'the replay to have begun' });
  command.process.kill('SIGTERM');
  assert.equal((await command.exited).code, 3, command.outcome());
  await command.kill9();
  const result = JSON.parse(String(command.stdout));
  assert.equal(result.success, false);
  assert.match(result.message, /^Paused\. Run it again/);
  assert.equal((await stack.db.row('SELECT state FROM replay_jobs')).state, 'paused');
  await reader.release();
  const again = await runReplay(stack);
  assert.equal(again.code, 0, again.message);
  assert.deepEqual(await stack.db.rows('SELECT id, state FROM replay_jobs'), [{ id: '1', state: 'done' }]);
  assert.deepEqual(await streamRows(stack.db), rows);
  await stack.stop();
});

test('an export that runs keeps the log it began with, and the swap waits for it without holding anyone up', async () => {
  const stack = await startStack({ simulator: { seed: 'exported', streams: 12, tokenEvents: false } });
  stack.runScenario(10, { actionsPerLedger: 4 });
  await stack.settle();
  const before = await stack.head();
  const count = (await stack.allStreams()).length;

  const reader = await holdLog(stack);
  const running = runReplay(stack);
  await waitFor(async () => (await stack.db.row('SELECT state, done, total FROM replay_jobs ORDER BY id DESC LIMIT 1'))?.total > 0, {
    what: 'the replay to have read the chain',
  });
  // Reads and writes go on while it waits.
  for (let i = 0; i < 20; i += 1) {
    assert.equal((await create(stack.baseUrl)).status, 201);
    assert.equal((await stack.head()).epoch, before.epoch);
  }
  const seen = await reader.client.query('SELECT (SELECT epoch FROM log_head) AS epoch, (SELECT count(*)::int FROM streams) AS streams');
  assert.deepEqual(seen.rows[0], { epoch: before.epoch, streams: count });
  await reader.release();
  const done = await running;
  assert.equal(done.code, 0, done.message);
  assert.notEqual((await stack.head()).epoch, before.epoch);
  assert.equal((await stack.allStreams()).length, count + 20);
  await checkDatabase(stack.db);
  await stack.stop();
});

test('contracts that are new halt the indexer, and a replay brings their past', async () => {
  const stack = await startStack({ simulator: { seed: 'two contracts', streams: 8, tokenEvents: false } });
  stack.runScenario(5, { actionsPerLedger: 4 });
  // Another contract that says the same things in one ledger, about streams of its own.
  const other = contractAddress('two contracts', 'other');
  const said = stack.sim.events().map(({ topic, value }) => ({ contractId: other, topics: topic, value }));
  stack.sim.appendEvents(said);
  stack.runScenario(2, { actionsPerLedger: 4 });
  await stack.settle();
  await checkExact(stack);
  const both = [other, stack.sim.contractId].sort().join(',');
  const kept = await stack.db.rows('SELECT * FROM events ORDER BY seq');

  await stack.server.restart({ CONTRACT_IDS: both });
  const halt = await stack.server.waitForLog(({ event }) => event === 'indexer_halted', 'the halt');
  assert.ok(halt.message.includes(other) && halt.message.includes('fluxora-server replay'), halt.message);
  assert.ok(!halt.message.includes(stack.sim.contractId), halt.message);
  assert.equal((await stack.health()).indexer.status, 'halted');
  assert.deepEqual(await stack.db.rows('SELECT * FROM events ORDER BY seq'), kept, 'nothing is written');

  const done = await runReplay(stack);
  assert.equal(done.code, 0, done.message);
  assert.equal((await stack.db.row('SELECT contracts FROM indexer_checkpoint')).contracts, both);
  const { epoch } = await stack.head();
  const entries = await stack.allEvents();
  checkLogOrder(entries, epoch);
  const events = stack.sim.events({ contractId: other });
  const chainEntries = entries.filter(({ eventId, contractId }) => contractId === other && /^\d{19}-\d{10}$/.test(eventId));
  assert.deepEqual([...new Set(chainEntries.map(({ eventId }) => eventId))], events.map(({ id }) => id));
  const fold = new IndependentFold({ token: null });
  for (const event of events) fold.apply(event);
  assert.ok(fold.streams.size > 0);
  for (const [id, stream] of fold.streams) {
    const served = await stack.get(`/api/streams/${id}`);
    const expected = { ...streamJson(stream, BigInt(served.asOf)), version: served.version };
    assert.deepEqual(withoutStorageFields(served), withoutStorageFields(expected));
  }

  // The server takes it up by itself.
  stack.runScenario(2, { actionsPerLedger: 4 });
  const latest = stack.sim.latest.sequence;
  stack.sim.closeLedger();
  await stack.waitForLedger(latest);
  assert.equal((await stack.health()).indexer.status, 'healthy');
  assert.equal((await stack.head()).epoch, epoch);
  await checkDatabase(stack.db);
  await stack.stop();
});

test('a log of more contracts that takes the place is not written by servers of fewer, leading or not', async () => {
  const stack = await startStack({ simulator: { seed: 'replaced', streams: 8, tokenEvents: false } });
  stack.runScenario(5, { actionsPerLedger: 4 });
  const other = contractAddress('replaced', 'other');
  stack.sim.appendEvents(stack.sim.events().map(({ topic, value }) => ({ contractId: other, topics: topic, value })));
  stack.runScenario(2, { actionsPerLedger: 4 });
  await stack.settle();
  const follower = await ServerProcess.start(stack.server.env);
  const both = [other, stack.sim.contractId].sort().join(',');
  const checkpoint = () => stack.db.row('SELECT ledger, contracts, network_passphrase FROM indexer_checkpoint');

  const { code, stdout } = await runCommand(['replay'], { ...stack.server.env, CONTRACT_IDS: both });
  assert.equal(code, 0, stdout);
  const before = await checkpoint();
  assert.equal(before.contracts, both);
  stack.runScenario(3, { actionsPerLedger: 4 });
  stack.sim.closeLedger();
  // Whoever led lets go, so that either may lead next.
  const halts = ({ event, message }) => event === 'indexer_halted' && message.includes(both);
  const servers = [stack.server, follower];
  const first = await waitFor(() => servers.find(({ logs }) => logs.some(halts)), {
    what: 'one to halt', describe: () => servers.map(({ logs }) => logs.slice(-10)),
  });
  await first.stop();
  const [second] = servers.filter((server) => server !== first);
  await second.waitForLog(halts, 'the other to lead and halt');
  assert.deepEqual(await checkpoint(), before);
  await second.stop();

  const latest = stack.sim.latest.sequence;
  await stack.server.restart({ CONTRACT_IDS: both });
  stack.sim.closeLedger();
  await stack.waitForLedger(latest);
  assert.equal((await checkpoint()).contracts, both);
  await checkDatabase(stack.db);
  await stack.stop();
});

test('a network that was reset is read from its new beginning, and takes the place', async () => {
  const { stack, answers } = await stackWithPast('old');
  const old = await stack.db.row('SELECT ledger, closed_at FROM indexer_checkpoint');
  // The same passphrase, lower numbers, later times.
  const reset = await startSimulator({
    seed: 'old', streams: 6, tokenEvents: false, startLedger: 2, startTime: Number(old.closed_at) + 100,
  });
  try {
    reset.runScenario(12, { actionsPerLedger: 4 });
    reset.closeLedger();
    await stack.server.restart({ STELLAR_RPC_URL: reset.url });
    const done = await runReplay(stack);
    assert.equal(done.code, 0, `${done.message} ${done.stderr}`);
    const checkpoint = await stack.db.row('SELECT ledger, first_ledger FROM indexer_checkpoint');
    assert.deepEqual(checkpoint, { ledger: String(reset.latest.sequence - 1), first_ledger: '2' });
    assert.ok(Number(checkpoint.ledger) < Number(old.ledger));
    await checkDatabase(stack.db);
    await checkKeys(stack, answers);
    const latest = reset.latest.sequence;
    reset.closeLedger();
    await stack.waitForLedger(latest);
  } finally {
    await stack.server.end();
    await reset.stop();
  }
  await stack.stop();
});

test('between contracts and * a replay is the way over, and back', async () => {
  const { stack, answers } = await stackWithPast('everything');
  const rows = await streamRows(stack.db);
  const chain = await digests(stack.db);
  await stack.server.restart({ CONTRACT_IDS: '*' });
  await stack.server.waitForLog(({ event, message }) => event === 'indexer_halted' && message.includes('replay'), 'the halt');

  assert.equal((await runReplay(stack)).code, 0);
  const sources = await stack.db.rows('SELECT source, count(*)::int AS count FROM streams GROUP BY source');
  assert.deepEqual(sources, [{ source: 1, count: answers.size }], 'nothing of the chain is folded');
  await checkDatabase(stack.db);
  await checkKeys(stack, answers);

  await stack.server.restart({ CONTRACT_IDS: stack.sim.contractId });
  assert.equal((await runReplay(stack)).code, 0);
  assert.deepEqual(await streamRows(stack.db), rows);
  assert.deepEqual(await digests(stack.db), chain);
  await checkDatabase(stack.db);
  await verify(stack);
  await stack.stop();
});
