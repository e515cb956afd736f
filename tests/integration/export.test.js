// GET /api/streams/export: all streams of one snapshot, streamed. SPEC section 5.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { withQuery } from './harness/http_client.js';
import { checkGrowth, residentBytes } from './harness/memory.js';
import { RawStream } from './harness/raw_stream.js';
import { parseResponse } from './harness/raw_http.js';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const EXPORT = '/api/streams/export';
const GET_EXPORT = `GET ${EXPORT} HTTP/1.1\r\nHost: a\r\n\r\n`;
const MIB = 1024 * 1024;
/** Far more than the sockets between server and client hold. */
const MANY = 40_000;

const linesOf = (text) => {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line has no end');
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
};

/** The bytes of a chunked body, and whether its last chunk is there. @param {string} text of a whole answer */
function dechunk(text) {
  const parts = [];
  for (let at = text.indexOf('\r\n\r\n') + 4; ;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end < 0 || text.length < end + 2 + size + 2) return { body: parts.join(''), whole: false };
    if (size === 0) return { body: parts.join(''), whole: true };
    parts.push(text.slice(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** Exports that the database knows of. @param {import('./harness/stack.js').Stack} stack */
const running = (stack) => stack.db.rows("SELECT state FROM pg_stat_activity WHERE application_name = 'fluxora-export' AND datname = current_database()");

/** @param {import('./harness/stack.js').Stack} stack */
const allGone = (stack) => waitFor(async () => (await running(stack)).length === 0, { what: 'the exports to let go of the database' });

/** Copies of one stream, as many as make a table large; only what reads streams notices. @param {import('./harness/stack.js').Stack} stack */
async function fillUp(stack) {
  const columns = (await stack.db.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'streams' ORDER BY ordinal_position"))
    .map(({ column_name: name }) => name);
  const values = columns.map((name) => (name === 'id' ? "split_part(id, '-', 1) || '-' || (1000000 + n)" : name));
  await stack.db.rows(`INSERT INTO streams (${columns.join(', ')}) SELECT ${values.join(', ')}
    FROM (SELECT * FROM streams ORDER BY created_seq LIMIT 1) s, generate_series(1, ${MANY}) n`);
}

describe('an export', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;

  before(async () => {
    stack = await startStack({ simulator: { seed: 'export', streams: 150 } });
    stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, startDelay: 86_400n, duration: 1_000n });
    stack.runScenario(10, { actionsPerLedger: 8 });
    await stack.settle();
  });

  test('is the list, all of it, a stream a line', async () => {
    const answer = await stack.request(EXPORT);
    assert.equal(answer.status, 200);
    checkSecurityHeaders(answer.headers, EXPORT);
    assert.equal(answer.headers['content-type'], 'application/x-ndjson');
    assert.equal(answer.headers['transfer-encoding'], 'chunked');
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="fluxora-streams.ndjson"');
    assert.equal(answer.headers['x-fluxora-cursor'], (await stack.head()).cursor);
    const streams = linesOf(answer.text);
    assert.ok(streams.length > 100);
    assert.deepEqual(streams, await stack.allStreams());
    await allGone(stack);
  });

  test('takes the filters of the list', async () => {
    const [{ sender, recipient }] = await stack.allStreams();
    const filters = [{ sender }, { recipient }, { sender, recipient }, ...['scheduled', 'active', 'paused', 'completed', 'cancelled'].map((status) => ({ status }))];
    for (const filter of filters) {
      assert.deepEqual(linesOf((await stack.request(withQuery(EXPORT, filter))).text), await stack.allStreams(filter), JSON.stringify(filter));
    }
    for (const name of ['limit', 'cursor', 'include_total', 'status', 'sender']) {
      const answer = await stack.request(`${EXPORT}?${name}=x`);
      assert.equal(answer.status, 400, name);
      assert.deepEqual(answer.json.errors.map(({ field }) => field), [name]);
    }
  });

  test('by HEAD is its headers, by HTTP/1.0 ends with the connection', async () => {
    const head = await stack.request(EXPORT, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-type'], head.text], [200, 'application/x-ndjson', '']);
    assert.match(String(head.headers['x-fluxora-cursor']), /^[a-z0-9]+-\d+$/);
    const old = await RawStream.open(stack.server.port, `GET ${EXPORT} HTTP/1.0\r\n\r\n`);
    const { headers, body } = parseResponse(await old.toEnd());
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(headers.connection, 'close');
    assert.equal(old.ended, 'closed');
    assert.deepEqual(linesOf(body), await stack.allStreams());
    await allGone(stack);
  });

  test('of nothing is empty', async () => {
    const bare = await startStack({ simulator: false });
    const answer = await bare.request(EXPORT);
    assert.deepEqual([answer.status, answer.text], [200, '']);
    await bare.stop();
  });
});

describe('an export of many streams', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;

  before(async () => {
    stack = await startStack({ simulator: { seed: 'large export', streams: 40 }, server: { env: { SHUTDOWN_GRACE_MS: '300' } } });
    stack.runScenario(3, { actionsPerLedger: 8 });
    await stack.settle();
    await fillUp(stack);
  });

  const begin = async () => {
    const stream = await RawStream.open(stack.server.port);
    stream.pause();
    stream.send(GET_EXPORT);
    return stream;
  };
  /** Until both sockets and the server's one piece are full, the cursor is open in its transaction. */
  const isWaiting = (count) => waitFor(async () => {
    const states = await running(stack);
    return states.length === count && states.every(({ state }) => state === 'idle in transaction');
  }, { what: `${count} exports to wait for their readers` });

  test('shows one moment, however long it takes to read; the log goes on from its cursor', async () => {
    const before = await stack.all('/api/streams', 'streams', { limit: 100 });
    const reader = await begin();
    await isWaiting(1);
    stack.runScenario(5, { actionsPerLedger: 8 });
    await stack.settle();
    const { cursor: now } = await stack.head();
    reader.resume();
    await reader.waitFor((stream) => stream.endsWith('0\r\n\r\n'), 'the last chunk');
    const { headers } = parseResponse(reader.text);
    const { body, whole } = dechunk(reader.text);
    assert.ok(whole);
    const streams = linesOf(body);
    assert.equal(streams.length, before.length);
    assert.deepEqual(streams, before);
    assert.notEqual(headers['x-fluxora-cursor'], now);
    const news = await stack.all('/api/events', 'events', { after: headers['x-fluxora-cursor'] }, 'after');
    assert.ok(news.length > 0);
    assert.equal(news.at(-1).cursor, now);
    assert.ok(news.every(({ seq }) => streams.every(({ version }) => version < seq)));
    // The connection serves on.
    const seen = reader.length;
    reader.send('GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match((await reader.toEnd()).slice(seen), /^HTTP\/1\.1 200 /);
    await allGone(stack);
  });

  test('costs the server a bounded amount of memory, and the other reads nothing', async () => {
    const start = residentBytes(stack.server);
    const reader = await begin();
    await isWaiting(1);
    assert.equal((await stack.request('/api/streams')).status, 200);
    reader.resume();
    await reader.waitFor((stream) => stream.endsWith('0\r\n\r\n'), 'the last chunk');
    assert.ok(reader.length > 32 * MIB, `${reader.length} bytes are no test of it`);
    checkGrowth(stack.server, start, 16);
    reader.destroy();
    await allGone(stack);
  });

  test('is one of a few at once; its place and its cursor are free when its client goes', async () => {
    const readers = [await begin(), await begin()];
    await isWaiting(2);
    const refused = await stack.request(EXPORT);
    assert.equal(refused.status, 503);
    assert.equal(refused.json.error, 'SERVICE_UNAVAILABLE');
    assert.equal(refused.headers['retry-after'], '10');
    checkSecurityHeaders(refused.headers, 'a refused export');
    assert.equal((await stack.request('/api/streams')).status, 200, 'other reads have threads of their own');

    readers[0].destroy();
    await isWaiting(1);
    assert.equal((await stack.request(EXPORT, { method: 'HEAD' })).status, 200);
    readers[1].destroy();
    await allGone(stack);
  });

  test('whose database goes away ends without its last chunk', async () => {
    const reader = await begin();
    await isWaiting(1);
    await stack.db.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxora-export'");
    const text = await reader.toEnd();
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.equal(dechunk(text).whole, false);
    assert.equal((await stack.request('/api/streams')).status, 200);
  });

  test('that takes longer than it may is ended, and its snapshot with it', async () => {
    await stack.server.restart({ EXPORT_TIMEOUT_MS: '500' });
    const reader = await begin();
    await stack.server.waitForLog(({ event }) => event === 'export_too_slow', 'the export to be ended');
    await allGone(stack);
    assert.equal(dechunk(await reader.toEnd()).whole, false);
    await stack.server.restart({ EXPORT_TIMEOUT_MS: undefined });
  });

  test('that is still being read when the server stops is cut after the grace, which ends with 0', async () => {
    const reader = await begin();
    await isWaiting(1);
    await stack.server.stop();
    assert.equal(dechunk(await reader.toEnd()).whole, false);
    await allGone(stack);
  });

  test('doesn’t hold a second signal up', async () => {
    await stack.server.restart({ SHUTDOWN_GRACE_MS: '300000' });
    const reader = await begin();
    await isWaiting(1);
    stack.server.process?.kill('SIGTERM');
    await stack.server.waitForLog(({ event }) => event === 'shutting_down', 'the first signal to be taken');
    stack.server.process?.kill('SIGTERM');
    assert.deepEqual(await stack.server.exited, { code: null, signal: 'SIGTERM' });
    assert.equal(dechunk(await reader.toEnd()).whole, false);
    await allGone(stack);
    await stack.stop();
  });
});
