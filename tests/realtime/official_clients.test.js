// Clients that others wrote, as people use them: npm ws, a browser's WebSocket and EventSource, npm eventsource, wscat,
// fetch. Each sees the log, and those that reconnect by themselves lose nothing when the server dies.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { startChromium } from '../browser/chromium.js';
import { adminHeaders } from '../integration/harness/admin.js';
import { spawnBound } from '../integration/harness/child.js';
import { disown, own } from '../integration/harness/ownership.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { SSE_PATH, SseReader } from './harness/sse_client.js';

const JWT_SECRET = 'official clients have to show one of these';
const EVENTS = ['stream.created', 'stream.updated', 'stream.cancelled', 'stream.completed', 'stream.cliff_reached', 'stream.ended',
  'stream.observed', 'stream.retracted', 'protocol.event', 'chain.event'];
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no ${CHROMIUM}: set CHROMIUM to the path of one` };

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

async function grow() {
  stack.runScenario(2, { actionsPerLedger: 5 });
  await stack.settle();
  return (await stack.head()).seq;
}

/** The log after a position, as the clients should have it. @param {number} seq */
const entriesAfter = async (seq) => (await stack.allEvents()).filter((entry) => entry.seq > seq);

/** The server dies and is back at its old place; the log has grown when it is. */
async function dieAndComeBack() {
  await stack.server.kill9();
  stack.runScenario(2, { actionsPerLedger: 5 });
  await stack.server.restart({ PORT: String(stack.server.port) });
  return grow();
}

before(async () => {
  stack = await startStack({ simulator: { seed: 'official clients', streams: 15 }, server: { env: { WRITE_RATE_LIMIT: '0' } } });
  await grow();
});

describe('npm ws', () => {
  for (const perMessageDeflate of [false, true, { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }]) {
    test(`perMessageDeflate ${JSON.stringify(perMessageDeflate)}`, async () => {
      const socket = new WebSocket(stack.wsUrl, { perMessageDeflate });
      own({ end: () => socket.terminate(), endNow: () => socket.terminate() });
      /** @type {any[]} */
      const messages = [];
      socket.on('message', (data, isBinary) => messages.push({ isBinary, ...JSON.parse(data.toString()) }));
      await new Promise((resolve, reject) => { socket.on('open', resolve).on('error', reject); });
      assert.equal(socket.extensions, perMessageDeflate ? 'permessage-deflate' : '');
      const { epoch } = await stack.head();
      socket.send(JSON.stringify({ type: 'subscribe', streamId: '*', after: `${epoch}-0` }));
      const seq = await grow();
      await waitFor(() => messages.some(({ payload }) => payload?.seq === seq), { what: 'the last entry' });
      const [subscribed, ...updates] = messages;
      assert.deepEqual([subscribed.type, subscribed.resume], ['subscribed', 'resumed']);
      assert.ok(messages.every(({ isBinary }) => !isBinary));
      assert.deepEqual(updates.map(({ payload }) => payload), await entriesAfter(0));
      const ponged = new Promise((resolve) => { socket.on('pong', (data) => resolve(data.toString())); });
      socket.ping('here');
      assert.equal(await ponged, 'here');
      const closed = new Promise((resolve) => { socket.on('close', (code) => resolve(code)); });
      socket.close(1000, 'done');
      assert.equal(await closed, 1000);
    });
  }
});

describe('npm eventsource', () => {
  test('reconnects by itself and misses nothing', async () => {
    const { epoch, seq: begin } = await stack.head();
    const source = new EventSource(`${stack.baseUrl}${SSE_PATH}?after=${epoch}-${begin - 3}`);
    own({ end: () => source.close(), endNow: () => source.close() });
    /** @type {any[]} */
    const entries = [];
    /** @type {any[]} */
    const resumes = [];
    for (const name of EVENTS) {
      source.addEventListener(name, ({ data, lastEventId, type }) => {
        const entry = JSON.parse(data);
        assert.deepEqual([lastEventId, type], [entry.cursor, entry.event]);
        entries.push(entry);
      });
    }
    source.addEventListener('resume', ({ data }) => resumes.push(JSON.parse(data)));
    const first = await grow();
    await waitFor(() => entries.at(-1)?.seq === first, { what: 'the first entries' });
    const last = await dieAndComeBack();
    await waitFor(() => entries.at(-1)?.seq === last, { what: 'the entries after the server’s death', describe: () => ({ resumes, last: entries.at(-1)?.seq }) });
    source.close();
    assert.deepEqual(entries, await entriesAfter(begin - 3));
    assert.deepEqual(resumes.map(({ resume }) => resume), ['resumed', 'resumed']);
    assert.equal(resumes[1].cursor, `${epoch}-${first}`);
  });
});

describe('fetch', () => {
  test('reads the feed as it comes, and a filter of it', async () => {
    const { epoch } = await stack.head();
    const gone = new AbortController();
    const answer = await fetch(`${stack.baseUrl}${SSE_PATH}?after=${epoch}-0&event=stream.created`, { signal: gone.signal });
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers.get('content-type')), /^text\/event-stream\b/);
    /** @type {any[]} */
    const events = [];
    const reader = new SseReader({ onEvent: ({ data, ...event }) => events.push({ ...event, data: JSON.parse(data) }) });
    const reading = (async () => {
      for await (const text of /** @type {any} */ (answer.body).pipeThrough(new TextDecoderStream())) reader.take(text);
    })();
    const stream = stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, duration: 1_000n });
    await grow();
    await waitFor(() => events.some(({ data }) => data.streamId === stack.streamId(stream)), { what: 'the new stream' });
    gone.abort();
    await assert.rejects(reading, { name: 'AbortError' });
    assert.deepEqual(events[0].data.resume, 'resumed');
    assert.deepEqual(events.slice(1).map(({ data }) => data), (await entriesAfter(0)).filter(({ event }) => event === 'stream.created'));
  });
});

/** wscat as a program: lines in, lines out. */
class Wscat {
  /** @param {string[]} args */
  constructor(args) {
    const require = createRequire(import.meta.url);
    const program = join(dirname(require.resolve('wscat/package.json')), 'bin/wscat');
    this.process = spawnBound(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    own(this);
    this.output = '';
    this.errors = '';
    this.process.stdout?.setEncoding('utf8').on('data', (text) => { this.output += text; });
    this.process.stderr?.setEncoding('utf8').on('data', (text) => { this.errors += text; });
    this.exited = new Promise((resolve) => { this.process.once('close', (code) => { disown(this); resolve(code); }); });
  }

  /** The JSON lines that it printed. */
  messages() {
    return this.output.split('\n').slice(0, -1).flatMap((line) => {
      const text = line.replace(/^(> )+/, '');
      return text.startsWith('{') ? [JSON.parse(text)] : [];
    });
  }

  /** @param {string} type @param {number} [count] */
  async waitFor(type, count = 1) {
    const found = () => this.messages().filter((message) => message.type === type);
    await waitFor(() => found().length >= count, { what: `${count} ${type}`, describe: () => ({ output: this.output.slice(-2000), errors: this.errors }) });
    return found();
  }

  end() {
    this.process.stdin?.end();
    return this.exited;
  }

  endNow() {
    this.process.kill('SIGKILL');
  }
}

describe('wscat', () => {
  test('what is typed is sent, what comes is printed', async () => {
    const { seq } = await stack.head();
    const wscat = new Wscat(['-c', stack.wsUrl]);
    // It reads what is typed only once it is connected, which it says to a terminal alone.
    await waitFor(async () => {
      if (wscat.messages().length === 0) wscat.process.stdin?.write('{"type":"ping"}\n');
      return wscat.messages().some(({ type }) => type === 'pong');
    }, { what: 'a pong', describe: () => wscat.errors });
    wscat.process.stdin?.write('{"type":"subscribe","streamId":"*"}\n');
    await wscat.waitFor('subscribed');
    const last = await grow();
    const updates = await wscat.waitFor('stream_update', last - seq);
    assert.deepEqual(updates.map(({ payload }) => payload), await entriesAfter(seq));
    await wscat.end();
    assert.equal(wscat.errors, '');
  });

  test('-x, as a line of a script', async () => {
    const { epoch } = await stack.head();
    const wscat = new Wscat(['-c', stack.wsUrl, '-w', '-1', '-x', JSON.stringify({ type: 'subscribe', streamId: '*', after: `${epoch}-0` })]);
    const entries = await entriesAfter(0);
    const updates = await wscat.waitFor('stream_update', entries.length);
    assert.deepEqual(updates.map(({ payload }) => payload), entries);
    assert.equal(await wscat.end(), 0);
  });

  test('a token in the header or in the URL, where WS_AUTH_REQUIRED asks for one', async () => {
    const guarded = await startStack({ simulator: false, server: { env: { WS_AUTH_REQUIRED: 'true', JWT_SECRET } } });
    const { authorization } = adminHeaders(JWT_SECRET);
    const ping = ['-w', '-1', '-x', '{"type":"ping"}'];
    const ways = [
      ['-c', guarded.wsUrl, '--header', `Authorization: ${authorization}`],
      ['-c', `${guarded.wsUrl}?token=${authorization.slice('Bearer '.length)}`],
    ];
    for (const way of ways) {
      const wscat = new Wscat([...way, ...ping]);
      await wscat.waitFor('pong');
      await wscat.end();
      assert.equal(wscat.errors, '');
    }
    const refused = new Wscat(['-c', guarded.wsUrl, ...ping]);
    await refused.exited;
    assert.match(refused.errors, /Unexpected server response: 401/);
    await guarded.stop();
  });
});

describe('Chromium', needsChromium, () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {import('playwright-core').Page} */
  let page;

  before(async () => {
    browser = await startChromium();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(`${stack.baseUrl}/docs`);
  });

  const collected = () => page.evaluate(() => /** @type {any} */ (window).collected);
  const waitForSeq = (seq) => waitFor(async () => (await collected()).some((entry) => entry.seq === seq), { what: `entry ${seq} in the page` });

  test('WebSocket, with the extension that a browser always offers', async () => {
    const { epoch } = await stack.head();
    const extensions = await page.evaluate(({ url, subscribe }) => new Promise((resolve, reject) => {
      const kept = /** @type {any} */ (window);
      kept.collected = [];
      kept.socket = new WebSocket(url);
      kept.socket.onopen = () => { kept.socket.send(subscribe); resolve(kept.socket.extensions); };
      kept.socket.onerror = () => reject(new Error('no connection'));
      kept.socket.onmessage = ({ data }) => { const { payload } = JSON.parse(data); if (payload) kept.collected.push(payload); };
    }), { url: stack.wsUrl, subscribe: JSON.stringify({ type: 'subscribe', streamId: '*', after: `${epoch}-0` }) });
    assert.match(extensions, /^permessage-deflate/);
    await waitForSeq(await grow());
    assert.deepEqual(await collected(), await entriesAfter(0));
    const code = await page.evaluate(() => new Promise((resolve) => {
      const { socket } = /** @type {any} */ (window);
      socket.onclose = (event) => resolve(event.code);
      socket.close(1000);
    }));
    assert.equal(code, 1000);
    await page.close();
  });

  test('EventSource reconnects by itself and misses nothing', async () => {
    const { epoch, seq: begin } = await stack.head();
    await page.evaluate(({ url, events }) => new Promise((resolve, reject) => {
      const kept = /** @type {any} */ (window);
      kept.collected = [];
      kept.resumes = [];
      kept.source = new EventSource(url);
      kept.source.onerror = () => { if (kept.source.readyState === EventSource.CLOSED) reject(new Error('refused')); };
      kept.source.addEventListener('resume', ({ data }) => { kept.resumes.push(JSON.parse(data)); resolve(undefined); });
      for (const name of events) kept.source.addEventListener(name, ({ data }) => kept.collected.push(JSON.parse(data)));
    }), { url: `${SSE_PATH}?after=${epoch}-${begin}`, events: EVENTS });
    const first = await grow();
    await waitForSeq(first);
    await waitForSeq(await dieAndComeBack());
    assert.deepEqual(await collected(), await entriesAfter(begin));
    const resumes = await page.evaluate(() => /** @type {any} */ (window).resumes);
    assert.deepEqual(resumes.map(({ resume, cursor }) => [resume, cursor]), [['resumed', `${epoch}-${begin}`], ['resumed', `${epoch}-${first}`]]);
    await page.evaluate(() => /** @type {any} */ (window).source.close());
    await page.close();
  });

  test('EventSource with filters: those events alone', async () => {
    const stream = stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, duration: 1_000n });
    await page.evaluate((url) => new Promise((resolve, reject) => {
      const kept = /** @type {any} */ (window);
      kept.collected = [];
      kept.source = new EventSource(url);
      kept.source.onerror = () => reject(new Error('refused'));
      kept.source.addEventListener('resume', resolve);
      kept.source.onmessage = () => kept.collected.push('an event without a name');
      for (const name of ['stream.created', 'stream.updated']) kept.source.addEventListener(name, ({ data }) => kept.collected.push(JSON.parse(data)));
    }).then(() => {}), `${SSE_PATH}?streamId=${stack.streamId(stream)}&event=stream.created`);
    await grow();
    await waitFor(async () => (await collected()).length > 0, { what: 'the new stream in the page' });
    assert.deepEqual((await collected()).map(({ event, streamId }) => [event, streamId]), [['stream.created', stack.streamId(stream)]]);
    await page.close();
  });
});
