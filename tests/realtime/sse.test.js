// GET /api/events/stream, SPEC section 7: the log as server-sent events, from any position on, in every way it can end.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { withQuery } from '../integration/harness/http_client.js';
import { RawStream } from '../integration/harness/raw_stream.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { SSE_PATH, SseClient } from './harness/sse_client.js';

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  stack = await startStack({
    simulator: { seed: 'sse', streams: 20 },
    server: { env: { CORS_ORIGINS: 'https://app.example' } },
  });
  stack.runScenario(5, { actionsPerLedger: 5 });
  await stack.settle();
});

const open = (query, options) => SseClient.open(stack.baseUrl, query, options);

async function rounds(count) {
  for (let round = 0; round < count; round += 1) {
    stack.runScenario(2, { actionsPerLedger: 6 });
    await stack.settle();
  }
  return stack.head();
}

/** @param {string} name */
async function metric(name) {
  const { text } = await stack.request('/metrics');
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** Log lines of a name. @param {string} name */
const lines = (name) => stack.server.logs.filter(({ event }) => event === name);

const get = (target, version = '1.1', method = 'GET') => `${method} ${target} HTTP/${version}\r\nHost: a\r\n\r\n`;

describe('what it is', () => {
  test('an event stream that nobody keeps or holds back', async () => {
    const client = await open();
    await client.resumed();
    assert.equal(client.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(client.headers['cache-control'], 'no-store');
    assert.equal(client.headers['x-accel-buffering'], 'no');
    assert.equal(client.retry, 3000);
    checkSecurityHeaders(client.headers);
    client.endNow();
  });

  test('pages of configured origins may read it, and others not', async () => {
    const cases = [['https://app.example', 'https://app.example'], ['https://other.example', undefined]];
    for (const [origin, allowed] of cases) {
      const client = await open({}, { headers: { origin } });
      assert.equal(client.headers['access-control-allow-origin'], allowed);
      client.endNow();
    }
  });

  test('HEAD says the same and follows nothing', async () => {
    const feeds = () => metric('fluxora_sse_connections');
    await waitFor(async () => (await feeds()) === 0, { what: 'every feed to be let go', describe: feeds });
    const head = await stack.request(SSE_PATH, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(head.text, '');
    assert.equal(await feeds(), 0);
  });

  test('HTTP/1.0 gets it up to the connection’s end', async () => {
    const stream = await RawStream.open(stack.server.port, get(`${SSE_PATH}?event=stream.created`, '1.0'));
    await stream.waitFor(({ text }) => text.includes('event: resume\n'), 'the first event');
    assert.doesNotMatch(stream.text, /transfer-encoding/i);
    assert.match(stream.text, /\r\n\r\nretry: 3000\nid: /);
    stream.destroy();
  });
});

describe('following', () => {
  test('each entry comes once and in order, as /api/events tells it', async () => {
    const client = await open();
    const { resume, cursor } = await client.resumed();
    assert.equal(resume, 'live');
    const from = Number(cursor.split('-')[1]);
    const { seq } = await rounds(6);
    await client.waitForSeq(seq);
    const entries = (await stack.allEvents()).filter((entry) => entry.seq > from);
    assert.ok(entries.length > 20, 'too little happened');
    assert.deepEqual(client.entries(), entries);
    for (const { id, event, data } of client.events.slice(1)) assert.deepEqual([id, event], [data.cursor, data.event]);
    client.endNow();
  });

  test('a client that saw no entry yet has an id to come back with', async () => {
    const client = await open({ event: 'chain.event' });
    const { cursor } = await client.resumed();
    assert.equal(client.events[0].id, cursor);
    client.endNow();
  });

  test('filters: a stream, a recipient, a sender, an event, and two of them together', async () => {
    const { cursor, seq: from } = await stack.head();
    const { seq } = await rounds(6);
    const entries = (await stack.allEvents()).filter((entry) => entry.seq > from);
    const touched = entries.find(({ stream, event }) => stream && event === 'stream.updated');
    const { streamId, stream: { sender, recipient } } = touched;
    const isParty = (role, address) => ({ stream, change }) => stream?.[role] === address
      || change?.[role]?.[0] === address;
    const isOfStream = (entry) => entry.streamId === streamId;
    const isOf = (name) => ({ event }) => event === name;
    const both = (one, other) => (entry) => one(entry) && other(entry);
    const cases = [
      [{ streamId }, isOfStream],
      [{ recipient }, isParty('recipient', recipient)],
      [{ sender }, isParty('sender', sender)],
      [{ event: 'stream.created' }, isOf('stream.created')],
      [{ streamId, event: 'stream.updated' }, both(isOfStream, isOf('stream.updated'))],
      [{ sender, event: 'stream.updated' }, both(isParty('sender', sender), isOf('stream.updated'))],
    ];
    for (const [query, matches] of cases) {
      const wanted = entries.filter(matches);
      assert.ok(wanted.length > 0, JSON.stringify(query));
      const client = await open({ ...query, after: cursor });
      await client.waitForSeq(wanted.at(-1).seq);
      assert.deepEqual(client.entries().filter((entry) => entry.seq <= seq), wanted, JSON.stringify(query));
      client.endNow();
    }
  });

  test('service notices come between entries, without an id', async () => {
    const client = await open();
    await client.resumed();
    await stack.db.cluster.stop();
    const told = await client.waitFor(({ event }) => event === 'service.degraded', 'service.degraded');
    assert.deepEqual(Object.keys(told.data), ['reason', 'timestamp']);
    assert.equal(told.id, client.events[0].id, 'an id that is still the one before');
    await stack.db.cluster.start();
    await client.waitFor(({ event }) => event === 'service.recovered', 'service.recovered');
    assert.equal(client.ended, null, 'a database that is away ends no feed');
    const { seq } = await rounds(1);
    await client.waitForSeq(seq);
    client.endNow();
  });

  test('a comment every 15 seconds keeps proxies from losing patience', async () => {
    const client = await open({ event: 'chain.event' });
    await client.resumed();
    await waitFor(() => client.comments >= 1, { what: 'a comment' });
    assert.equal(client.events.length, 1);
    client.endNow();
  });
});

describe('resuming', () => {
  test('by either name, from any position: what was missed, once, and then what happens', async () => {
    const { epoch, seq: head } = await stack.head();
    const entries = await stack.allEvents();
    for (const from of [0, 1, Math.floor(head / 2), head]) {
      const cursor = `${epoch}-${from}`;
      for (const client of [await open({ after: cursor }), await open({}, { headers: { 'last-event-id': cursor } })]) {
        assert.deepEqual(await client.resumed(), { resume: 'resumed', cursor });
        if (from < head) await client.waitForSeq(head);
        assert.deepEqual(client.entries(), entries.filter(({ seq }) => seq > from), cursor);
        client.endNow();
      }
    }
  });

  test('Last-Event-ID decides where the URL still has the cursor of the beginning', async () => {
    const { epoch, seq: head } = await stack.head();
    const client = await open({ after: `${epoch}-0` }, { headers: { 'last-event-id': `${epoch}-${head - 1}` } });
    await client.waitForSeq(head);
    assert.deepEqual(client.entries().map(({ seq }) => seq), [head]);
    client.endNow();
  });

  test('a position that this log never reached, or another log’s: epoch_changed, and on from here', async () => {
    const { epoch, seq, cursor } = await stack.head();
    for (const after of ['zzzz-7', `${epoch}-${seq + 1}`]) {
      const client = await open({ after });
      assert.deepEqual(await client.resumed(), { resume: 'epoch_changed', cursor });
      client.endNow();
    }
  });

  test('what is no cursor, no filter, or one filter too many is refused by name', async () => {
    const { streamId, stream } = (await stack.allEvents()).find((entry) => entry.stream);
    const cases = [
      [{ after: '7' }, {}, ['after']],
      [{}, { 'last-event-id': '7' }, ['Last-Event-ID']],
      [{ event: 'created', recipient: 'me' }, {}, ['recipient', 'event']],
      [{ streamId, sender: stream.sender, recipient: stream.recipient }, {}, ['streamId', 'recipient', 'sender']],
      [{ limit: '7' }, {}, ['limit']],
    ];
    for (const [query, headers, fields] of cases) {
      const answer = await stack.request(withQuery(SSE_PATH, query), { headers });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(answer.json.errors.map(({ field }) => field), fields);
    }
  });
});

describe('ends', () => {
  test('a client that leaves is noticed at once, and its line tells of it', async () => {
    const client = await open({ event: 'chain.event' });
    await client.resumed();
    const requestId = client.headers['x-request-id'];
    const line = (name, isIt) => waitFor(() => lines(name).find(isIt), { what: name });
    const begun = await line('sse_connect', (one) => one.requestId === requestId);
    assert.equal(begun.ip, '127.0.0.1');
    client.endNow();
    const ended = await line('sse_disconnect', (one) => one.connectionId === begun.connectionId);
    assert.equal(ended.reason, 'CLIENT_LEFT');
    assert.equal(typeof ended.durationMs, 'number');
    assert.equal(ended.metrics.messagesSent, 1);
    assert.ok(ended.metrics.bytesSent > 0);
    const told = await line('request', (one) => one.requestId === requestId);
    assert.deepEqual([told.route, told.status, told.aborted], [SSE_PATH, 200, undefined]);
    await waitFor(async () => (await metric('fluxora_sse_connections')) === 0, { what: 'every feed to be let go' });
  });

  test('feeds are counted with their status, and don’t enter the histogram of durations', async () => {
    const client = await open();
    await client.resumed();
    client.endNow();
    await waitFor(async () => (await metric('fluxora_sse_connections')) === 0, { what: 'the feed to be let go' });
    const { text } = await stack.request('/metrics');
    const samples = (name) => text.split('\n').filter((line) => line.startsWith(`${name}{`)
      && line.includes(`route="${SSE_PATH}"`));
    const requests = samples('fluxora_http_requests_total');
    const isFeed = (line) => line.includes('method="GET"') && line.includes('status="200"');
    const count = (some) => some.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
    assert.ok(count(requests.filter(isFeed)) > 0);
    assert.ok(!requests.some((line) => line.includes('"aborted"')), 'a client that leaves a feed aborts nothing');
    const others = requests.filter((line) => !isFeed(line));
    assert.equal(count(samples('fluxora_http_request_duration_seconds_count')), count(others));
  });

  test('shutdown: what is on its way arrives, then a word, then the end', async () => {
    const db = await newDatabase();
    const server = await ServerProcess.start(serverEnvironment(db, null));
    const client = await SseClient.open(server.baseUrl);
    await client.resumed();
    await server.stop();
    await client.waitForEnd();
    assert.equal(client.ended, 'end', 'with its last chunk');
    const { event, data } = client.events.at(-1);
    assert.deepEqual([event, data.code], ['end', 'SHUTTING_DOWN']);
  });
});
