// A log whose old partitions are pruned while it is read and written: what is left says the same as before, and whatever
// can't be told any more is said to be so. Beside it runs a server over a copy from before the pruning: the reference.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from '../integration/harness/http_client.js';
import { ServerProcess, runCommand } from '../integration/harness/server_process.js';
import { Database, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

// Simulated ledgers close in 2025: old enough from the start.
const RETENTION = { LOG_RETENTION_DAYS: '8', LOG_RETENTION_CHECK_SECONDS: '1' };
const PARTITION_ENTRIES = 1_000;
const ACTIONS = { actionsPerLedger: 12 };
// A fork goes 256 ledgers deep at most: of so many a partition and a half fit.
const LEDGERS_AT_FIRST = 260;
const LEDGERS_BEHIND = 80;

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {ServerProcess} over the copy */
let reference;
/** What `verify` said before anything was pruned. */
let whole;
/** log_head, behind the first pruning. */
let cut;

async function verify() {
  const { code, stdout, stderr } = await runCommand(['verify'], { DATABASE_URL: stack.db.url });
  assert.equal(code, 0, stdout + stderr);
  const result = JSON.parse(stdout);
  assert.deepEqual(result.differences, []);
  return result;
}

const logHead = () => stack.db.row(`SELECT epoch, seq::int, oldest_seq::int AS oldest, pruned_ledger::int AS ledger,
  pruned_closed_at::int AS closed_at FROM log_head`);
/** Streams but for their places in the log. */
const contents = () => stack.db.rows(`SELECT id, source, kind, status, archived, sender, recipient, token, deposit, rate_per_second, withdrawn,
  settled, start_time, cliff_time, end_time, cancelled_at, checkpoint_amount, checkpoint_at, ledger FROM streams ORDER BY id`);
const streamRows = () => stack.db.rows('SELECT * FROM streams ORDER BY id');

/** Waits until entries above `oldest` are pruned, too, and nothing is left that could be. */
async function pruned(oldest = 1) {
  const { maximum } = await stack.db.row(`SELECT max(seq)::int AS maximum FROM events`);
  return waitFor(async () => {
    const head = await logHead();
    return head.oldest > oldest && head.oldest > maximum - 2 * PARTITION_ENTRIES && head;
  }, { what: 'old partitions to be pruned', describe: async () => ({ head: await logHead(), logs: stack.server.logs.slice(-10) }) });
}

/** Both servers' answers. @param {string} path */
const askBoth = (path) => Promise.all([stack.request(path), request(reference.baseUrl + path)]);

/** @param {string} path */
async function checkSame(path) {
  const [now, then] = await askBoth(path);
  assert.deepEqual([now.status, now.text], [then.status, then.text], path);
}

before(async () => {
  stack = await startStack({
    simulator: { seed: 'retention', tokenEvents: false },
    server: { env: { LOG_PARTITION_ENTRIES: String(PARTITION_ENTRIES), INDEXER_BATCH_LEDGERS: '20', WRITE_RATE_LIMIT: '0' } },
  });
  stack.runScenario(LEDGERS_AT_FIRST, ACTIONS);
  await stack.settle();
  // Behind the observations of all these, so that events are kept, too.
  stack.runScenario(LEDGERS_BEHIND, ACTIONS);
  await stack.settle();
  whole = await verify();
  assert.ok(whole.entries > 2.5 * PARTITION_ENTRIES, `only ${whole.entries} entries`);
  await stack.server.end();

  const copy = `${stack.db.name}_whole`;
  await stack.db.cluster.query('postgres', `CREATE DATABASE ${copy} TEMPLATE ${stack.db.name}`);
  const db = new Database(stack.db.cluster, { name: copy, url: stack.db.cluster.url(copy) });
  reference = await ServerProcess.start({ HOST: '127.0.0.1', PORT: '0', DATABASE_URL: db.url, LOG_LEVEL: 'info' });
});

after(async () => {
  await reference?.end();
  await stack?.stop();
});

test('pruning leaves every stream as it was, and verify and rebuild find nothing', async () => {
  const streams = await streamRows();
  stack.server.env = { ...stack.server.env, ...RETENTION };
  await stack.server.start();
  cut = await pruned();
  const line = await stack.server.waitForLog((entry) => entry.event === 'log_pruned', 'the pruning to be logged');
  assert.equal(line.level, 'info');

  assert.deepEqual(await streamRows(), streams);
  const result = await verify();
  assert.equal(result.fromEntry, cut.oldest);
  assert.equal(result.prunedLedger, cut.ledger);
  assert.equal(result.entries, whole.entries - (cut.oldest - 1));
  assert.deepEqual([result.streams, result.digest], [whole.streams, whole.digest]);
  const { code, stdout } = await runCommand(['rebuild'], { DATABASE_URL: stack.db.url });
  assert.deepEqual([code, JSON.parse(stdout).mendedCount], [0, 0], stdout);
  assert.deepEqual(await streamRows(), streams);
  const { left } = await stack.db.row('SELECT count(*)::int AS left FROM events WHERE seq < $1', [cut.oldest]);
  assert.ok(left < cut.oldest / 2, `${left} of ${cut.oldest - 1} entries are left below the oldest`);
});

test('feeds begin at the oldest entry and say what is missing', async () => {
  const gap = { from: 6, to: cut.oldest - 1 };
  const after5 = `${cut.epoch}-5`;
  const page = await stack.get('/api/events', { after: after5, limit: 10 });
  assert.deepEqual(page.resume, { outcome: 'gap', gap });
  assert.deepEqual(page.events.map(({ seq }) => seq), Array.from({ length: 10 }, (_, i) => cut.oldest + i));
  await checkSame(`/api/events?after=${cut.epoch}-${cut.oldest - 1}&limit=1000`);
  await checkSame('/api/events?limit=50');

  const socket = await stack.openWebSocket();
  const subscribed = await socket.subscribe({ streamId: '*', after: after5 });
  assert.deepEqual([subscribed.resume, subscribed.gap], ['gap', gap]);
  await socket.waitForSeq(cut.seq);
  assert.deepEqual(socket.updates().map(({ seq }) => seq), Array.from({ length: cut.seq - cut.oldest + 1 }, (_, i) => cut.oldest + i));
  await socket.close();

  const sse = await fetch(`${stack.baseUrl}/api/events/stream?after=${after5}`);
  const { value } = await sse.body.getReader().read();
  const [, data] = /^event: resume\n(?:.*\n)*?data: (.*)$/m.exec(Buffer.from(value).toString()) ?? [];
  assert.deepEqual([JSON.parse(data).resume, JSON.parse(data).gap], ['gap', gap]);
});

test('no entry that is kept below the oldest shows, wherever entries are listed', async () => {
  const { id } = await stack.db.row(`SELECT stream_id AS id FROM events WHERE stream_id IS NOT NULL
    GROUP BY stream_id HAVING max(seq) < $1 ORDER BY 1 LIMIT 1`, [cut.oldest]);
  const gap = { outcome: 'gap', gap: { from: 1, to: cut.oldest - 1 } };
  const history = await stack.get(`/api/streams/${id}/events`);
  assert.deepEqual([history.events, history.resume], [[], gap], 'a stream all of whose entries were pruned is still there');
  assert.deepEqual((await stack.get('/api/events', { streamId: id })).events, []);
  for (const event of ['stream.created', 'stream.ended', 'stream.observed']) {
    for (const query of [{ event }, { event, after: `${cut.epoch}-0`, limit: 1000 }]) {
      const { events } = await stack.get('/api/events', query);
      assert.ok(events.every(({ seq }) => seq >= cut.oldest), JSON.stringify(query));
    }
  }
});

test('the past is told as it was, or said to be pruned', async () => {
  const rows = await stack.db.rows(`SELECT id, created_at_ms / 1000 AS created, updated_at_ms / 1000 AS updated FROM streams
    ORDER BY md5(id) LIMIT 60`);
  let told = 0;
  let gone = 0;
  for (const { id, created, updated } of rows) {
    const [from, to] = [Number(created), Number(updated)];
    for (const at of [from - 1, from, Math.floor((from + to) / 2), to - 1, to, cut.closed_at, cut.closed_at + 1]) {
      const [now, then] = await askBoth(`/api/streams/${id}?at=${at}`);
      if (now.status === 404 && now.json.detail.endsWith(' was pruned.')) {
        assert.equal(then.status, 200, `${id} at ${at}`);
        assert.ok(at < cut.closed_at, `everything from ${cut.closed_at} on is known`);
        gone += 1;
      } else {
        const same = ({ status, json }) => [status, status === 200 ? json : json.detail];
        assert.deepEqual(same(now), same(then), `${id} at ${at}`);
        told += 1;
      }
    }
    await checkSame(`/api/streams/${id}/schedule?from=${cut.closed_at}&to=${cut.closed_at + 1000}`);
    const [schedule, before] = await askBoth(`/api/streams/${id}/schedule`);
    assert.equal(schedule.status, 200, schedule.text);
    assert.ok(schedule.json.from >= before.json.from);
    await checkSame(`/api/streams/${id}/schedule?from=${schedule.json.from}`);
  }
  assert.ok(told > 0 && gone > 0, `${told} answers as before, ${gone} pruned`);
  const { id, created } = await stack.db.row(`SELECT s.id, (s.created_at_ms / 1000)::int AS created FROM streams s WHERE NOT EXISTS
    (SELECT FROM events e WHERE e.seq = s.created_seq) LIMIT 1`);
  const refused = await stack.request(`/api/streams/${id}/schedule?from=${created}`);
  assert.deepEqual([refused.status, refused.json.errors[0].field], [400, 'from'], refused.text);
});

test('statements begin where the past is known', async () => {
  const parties = await stack.db.rows('SELECT DISTINCT sender AS account FROM streams UNION SELECT DISTINCT recipient FROM streams LIMIT 20');
  for (const { account } of parties) {
    const path = `/api/accounts/${account}/statement`;
    await checkSame(`${path}?from=${cut.closed_at}`);
    await checkSame(`/api/accounts/${account}`);
    assert.equal((await stack.get(path)).from, cut.closed_at);
    const refused = await stack.request(`${path}?from=${cut.closed_at - 1}`);
    assert.deepEqual([refused.status, refused.json.errors[0].field], [400, 'from'], refused.text);
  }
  await checkSame('/api/streams/export');
  await checkSame(`/api/ledgers/${cut.ledger}`);
});

test('a live feed loses nothing while the chain goes on and more is pruned', async () => {
  const socket = await stack.openWebSocket();
  const { cursor } = await socket.subscribe({ streamId: '*' });
  const first = Number(cursor.split('-')[1]) + 1;
  stack.runScenario(100, ACTIONS);
  await stack.settle();
  const head = await pruned(cut.oldest);
  await socket.waitForSeq(head.seq);
  assert.deepEqual(socket.updates().map(({ seq }) => seq), Array.from({ length: head.seq - first + 1 }, (_, i) => first + i));
  await socket.close();
  const result = await verify();
  assert.equal(result.fromEntry, head.oldest);
  const { digest } = await stack.db.row(`SELECT encode(digest, 'hex') AS digest FROM ledgers WHERE digest IS NOT NULL ORDER BY sequence DESC LIMIT 1`);
  assert.equal(result.digest, digest);
  cut = head;
});

test('a fork right behind what was pruned is followed', async () => {
  // Nothing more is to be pruned from here on: the fork has to be one of what is kept.
  await stack.server.end();
  stack.server.env = { ...stack.server.env, LOG_RETENTION_DAYS: '0' };
  cut = await logHead();
  stack.sim.fork(stack.sim.latest.sequence - cut.ledger, { content: 'same' });
  stack.sim.closeLedger();
  await stack.server.start();
  await waitFor(async () => (await stack.db.row('SELECT count(*)::int AS retracted FROM events WHERE retracts IS NOT NULL')).retracted > 0,
    { what: 'the fork to be left', describe: () => stack.server.logs.slice(-10) });
  stack.sim.closeLedger();
  await stack.waitForLedger();
  const { left } = await stack.db.row(`SELECT min(e.ledger)::int AS left FROM events e WHERE seq <= $1 AND tx_hash IS NOT NULL AND seq >= $2
    AND retracts IS NULL AND NOT EXISTS (SELECT FROM events r WHERE r.retracts = e.seq)`, [cut.seq, cut.oldest]);
  assert.equal(left, null, 'every event that is kept was undone');
  const result = await verify();
  assert.equal(result.fromEntry, cut.oldest);
});

test('a fork of what was pruned halts, and a replay goes on in a new epoch', async () => {
  await stack.server.end();
  const lastOfFork = stack.sim.latest.sequence;
  const rows = await streamRows();
  const streams = await contents();
  stack.sim.fork(lastOfFork - cut.ledger + 1, { content: 'same' });
  stack.sim.closeLedger();
  await stack.server.start();
  const { summary } = (await waitFor(async () => {
    const { indexer } = await stack.health();
    return indexer.status === 'halted' && indexer;
  }, { what: 'the indexer to halt', describe: () => stack.server.logs.slice(-10) }));
  assert.match(summary, new RegExp(`at or below ledger ${cut.ledger}, up to which entries were pruned`));
  assert.deepEqual(await streamRows(), rows, 'nothing is written');

  const { code, stdout, stderr } = await runCommand(['replay'], stack.server.env);
  assert.equal(code, 0, stdout + stderr);
  stack.sim.closeLedger();
  await stack.waitForLedger();
  const head = await logHead();
  assert.notEqual(head.epoch, cut.epoch);
  assert.deepEqual([head.oldest, head.ledger, head.closed_at], [1, null, null]);
  const result = await verify();
  assert.deepEqual([result.fromEntry, result.prunedLedger], [1, null]);
  assert.deepEqual(await contents(), streams);
});
