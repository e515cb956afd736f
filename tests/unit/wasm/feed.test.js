// The feed's client over a service in memory: whatever happens on the way, what it hands out is the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectFeed } from '../../../wasm/package/src/feed.js';
import { FakeService, VirtualTimers, matches, positionOf, seeded, streamIdOf } from './feed_service.js';
import { newCore, withCode } from './support.js';

const core = newCore();
const ADDRESSES = [1, 2, 3].map((byte) => core.strkey.encode('account', new Uint8Array(32).fill(byte)));
/** A failure names its seed: FLUXORA_SEED replays it alone. */
const FIRST_SEED = parseInt(process.env.FLUXORA_SEED ?? '1', 10);
const SEEDS = process.env.FLUXORA_SEED === undefined ? 15 : 1;

function newService(seed, options = {}) {
  const timers = new VirtualTimers();
  return new FakeService({ random: seeded(seed), timers, addresses: ADDRESSES, ...options });
}

/** A feed, and a reader of it that notes what it is handed. */
class Reader {
  messages = [];
  statuses = [];
  notices = [];
  ended = null;

  constructor(service, options, { slow = () => 0 } = {}) {
    const { WebSocket, fetch, timers, random } = service;
    this.service = service;
    this.topic = Object.fromEntries(['event', 'streamId', 'recipient', 'sender']
      .filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
    this.feed = connectFeed({
      core, url: 'http://service.test', WebSocket, fetch, timers, random,
      onStatus: (status) => this.statuses.push(status),
      onService: (notice) => this.notices.push(notice),
      ...options,
    });
    this.reading = this.#read(slow);
  }

  async #read(slow) {
    try {
      for await (const message of this.feed) {
        this.messages.push(message);
        const ms = slow();
        if (ms > 0) await this.service.timers.sleep(ms);
      }
      this.ended = 'closed';
    } catch (error) {
      this.ended = error;
    }
  }

  get last() {
    return this.messages.at(-1)?.cursor ?? null;
  }

  /** True once all of the topic's entries are there. */
  get isAtHead() {
    const newest = this.service.log.findLast((entry) => matches(this.topic, entry));
    // Nobody of this log may have an address, or has no stream of it any more.
    if (newest === undefined) return this.last === null || positionOf(this.last).epoch === this.service.epoch;
    if (this.last === null) return false;
    const { epoch, seq } = positionOf(this.last);
    return epoch === this.service.epoch && seq >= newest.seq;
  }

  statusNames() {
    return this.statuses.map(({ status }) => status);
  }
}

const byId = (streams) => streams.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The topic's streams of one that began with them, kept as docs/feeds.md says. */
function streamsOf({ topic, messages }) {
  const streams = new Map();
  const isOurs = (stream) => ['recipient', 'sender'].every((name) => (topic[name] ?? stream[name]) === stream[name]);
  for (const { type, state, entry } of messages) {
    if (type === 'reset') {
      streams.clear();
      for (const stream of state) streams.set(stream.id, stream);
    } else if (entry.stream && isOurs(entry.stream)) streams.set(entry.streamId, entry.stream);
    else if (entry.stream || entry.event === 'stream.retracted') streams.delete(entry.streamId);
  }
  return [...streams.values()];
}

/** What was handed out is the log: from each reset, or the beginning, every entry of the topic once and in order. */
function checkMessages({ service, topic, messages, statuses }) {
  const isOfParty = topic.event === undefined && (topic.recipient ?? topic.sender) !== undefined;
  let base = statuses.find(({ status, resume }) => status === 'open' && resume !== undefined)?.cursor ?? null;
  if (messages[0]?.type === 'reset' && messages[0].reason === 'start') base = null;
  let entries = [];
  const close = (isLast) => {
    if (base === null) return assert.equal(entries.length, 0);
    const { epoch, seq } = positionOf(base);
    const log = service.entries(epoch);
    const due = log.filter((entry) => entry.seq > seq && matches(topic, entry));
    if (isOfParty) checkChains(entries, log, seq);
    const shown = isOfParty ? entries.filter((entry) => matches(topic, entry)).sort((a, b) => a.seq - b.seq) : entries;
    // Up to a reset they are the first ones, but of a party each stream for itself.
    if (isLast) assert.deepEqual(shown, due);
    else if (!isOfParty) assert.deepEqual(shown, due.slice(0, shown.length));
    entries = [];
  };
  for (const message of messages) {
    if (message.type === 'entry') {
      const { epoch } = positionOf(message.entry.cursor);
      assert.equal(epoch, positionOf(base).epoch, 'of one log');
      entries.push(message.entry);
      continue;
    }
    close(false);
    base = message.cursor;
    if (message.state !== null) {
      assert.deepEqual(byId(message.state), byId(service.stateAt(base, topic)), `the state at ${base}`);
    }
  }
  close(true);
}

/** Of a party: each stream's entries name each other without a hole. */
function checkChains(entries, log, after) {
  const held = new Map();
  for (const entry of entries) {
    assert.ok(entry.seq > after);
    assert.deepEqual(entry, log[entry.seq - 1]);
    if (held.has(entry.streamId)) assert.equal(entry.prevSeq, held.get(entry.streamId));
    held.set(entry.streamId, entry.seq);
  }
}

const CODES = [1001, 1006, 1006, 1012, 1013, 4008];

/** Everything that can go wrong, at times drawn from the seed. */
async function makeTrouble(service, steps) {
  for (let i = 0; i < steps; i += 1) {
    await service.timers.sleep(service.int(40));
    service.append();
    const all = [...service.connections];
    const one = all[service.int(all.length)];
    if (one && !one.silent && service.chance(0.05)) one.drop(CODES[service.int(CODES.length)]);
    if (one && service.chance(0.005)) one.silent = true;
    if (service.chance(0.01)) service.prune(service.random());
    if (service.chance(0.004)) service.replaceLog();
  }
  service.faults = {};
  // But for those that nobody hears of any more: that has to be noticed.
  for (const connection of [...service.connections]) if (!connection.silent) connection.drop(1006);
}

const TOPICS = [{ all: true }, { streamId: streamIdOf(3) }, { recipient: ADDRESSES[0] }, { sender: ADDRESSES[1] },
  { all: true, event: 'stream.observed' }, { recipient: ADDRESSES[2], event: 'stream.updated' }];

/** What must have happened somewhere, or the seeds show nothing. */
function happened(readers, service) {
  const paths = service.requests.map(({ pathname }) => pathname);
  return {
    gap: readers.some(({ messages }) => messages.some(({ reason }) => reason === 'gap')),
    epoch: readers.some(({ messages }) => messages.some(({ reason }) => reason === 'epoch_changed')),
    hole: paths.includes('/api/events'),
    export: paths.includes('/api/streams/export'),
    lookup: paths.includes('/api/streams/lookup'),
    silence: readers.some(({ statuses }) => statuses.some(({ cause }) => /silent/.test(cause?.message))),
    resumed: readers.some(({ statuses }) => statuses.some(({ resume }) => resume === 'resumed')),
  };
}

for (const transport of ['websocket', 'sse']) {
  test(`${transport}: what is handed out is the log, whatever happens (${SEEDS} seeds)`, async () => {
    const seen = new Set();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const service = newService(seed);
      service.faults = { duplicate: 0.03, reorder: 0.02, omit: 0.02, request: 0.1, connect: 0.1 };
      const slow = [() => 0, () => service.int(3), () => (service.chance(0.01) ? 5_000 : 0)];
      const readers = TOPICS.map((topic, i) => new Reader(service, { transport, snapshot: i % 2 === 0, ...topic },
        { slow: slow[(seed + i) % slow.length] }));
      let isDone = false;
      makeTrouble(service, 400).then(() => { isDone = true; });
      await service.timers.run(() => isDone);
      // A hole is seen by what comes behind it.
      for (let number = 0; number <= service.streamCount; number += 1) service.append(number, 'stream.updated');
      service.append(3, 'stream.observed');
      await service.timers.run(() => readers.every((reader) => reader.isAtHead || reader.ended !== null));
      for (const reader of readers) reader.feed.close();
      await service.timers.run(() => readers.every(({ ended }) => ended !== null));
      for (const reader of readers) {
        const what = `seed ${seed}, ${JSON.stringify(reader.topic)}`;
        assert.equal(reader.ended, 'closed', what);
        assert.equal(reader.statusNames().at(-1), 'closed', what);
        try {
          checkMessages(reader);
          if (reader.topic.event === undefined && reader.messages[0]?.type === 'reset') {
            assert.deepEqual(byId(streamsOf(reader)), byId(service.stateAt(service.headCursor, reader.topic)));
          }
        } catch (error) {
          throw new Error(`${what}: ${error.message}`, { cause: error });
        }
      }
      assert.equal(service.connections.size, 0, `seed ${seed}: nothing is left open`);
      for (const [name, is] of Object.entries(happened(readers, service))) if (is) seen.add(name);
    }
    // One seed alone, to look at it, needn't have everything.
    const all = ['epoch', 'export', 'gap', 'hole', 'lookup', 'resumed', 'silence'];
    if (SEEDS > 1) assert.deepEqual([...seen].sort(), all);
  });
}

/** A service, a reader of all of it that has begun, and how to let time pass. */
async function begun(options = {}, { slow } = {}) {
  const service = newService(1);
  const reader = new Reader(service, { all: true, ...options }, { slow });
  const until = (done) => service.timers.run(done);
  const ended = async () => {
    await until(() => reader.ended !== null);
    return reader.ended;
  };
  await until(() => reader.ended !== null || reader.statusNames().includes('open'));
  return { service, reader, until, ended };
}

test('a reader that is slow loses nothing: the socket is let go and resumed', async () => {
  let isStuck = true;
  const { service, reader, until } = await begun({}, { slow: () => (isStuck ? 10 : 0) });
  for (let i = 0; i < 10_000; i += 1) service.append();
  await until(() => reader.messages.length > 1_000);
  isStuck = false;
  await until(() => reader.isAtHead);
  checkMessages(reader);
  const again = reader.statuses.filter(({ status, resume }) => status === 'open' && resume === 'resumed');
  assert.ok(again.length >= 1 && again.length <= 3, `resumed ${again.length} times`);
  assert.ok(!reader.statusNames().includes('waiting'), 'there is no reason to wait');
  await reader.feed.close();
});

test('nothing is connected before it is asked for, and a feed that never was is closed', async () => {
  const service = newService(1);
  const { WebSocket, fetch, timers } = service;
  const feed = connectFeed({ core, url: 'http://service.test', all: true, WebSocket, fetch, timers });
  assert.equal(feed.cursor, null);
  await feed.close();
  assert.deepEqual(await feed.next(), { value: undefined, done: true });
  assert.equal(service.connections.size, 0);
});

for (const transport of ['websocket', 'sse']) {
  test(`${transport}: it is left by break, by close and by a signal`, async () => {
    const left = async (options, leave) => {
      const { service, reader, until, ended } = await begun({ transport, ...options });
      assert.equal(service.connections.size, 1);
      leave(reader, service);
      assert.equal(await ended(), 'closed');
      await until(() => service.connections.size === 0);
      assert.equal(reader.statusNames().at(-1), 'closed');
    };
    await left({}, ({ feed }) => feed.close());
    const controller = new AbortController();
    await left({ signal: controller.signal }, () => controller.abort());
    // Also while it waits for its next try.
    await left({}, ({ feed }, service) => {
      service.faults.connect = 1;
      service.faults.request = 1;
      for (const connection of [...service.connections]) connection.drop(1006);
      service.timers.setTimeout(() => feed.close(), 3_000);
    });

    const service = newService(2);
    const { WebSocket, fetch, timers, random } = service;
    const options = { core, url: 'http://service.test', all: true, after: 'ep0-2', transport };
    const feed = connectFeed({ ...options, WebSocket, fetch, timers, random });
    let left3;
    (async () => {
      for await (const { entry } of feed) if (entry.seq === 4) break;
      left3 = feed.cursor;
    })();
    await timers.run(() => left3 !== undefined);
    assert.equal(left3, 'ep0-4');
    await timers.run(() => service.connections.size === 0);
  });
}

// A socket that is refused shows the status, as npm's ws does, or doesn't, as in browsers.
for (const [transport, tellsStatus] of [['websocket', true], ['websocket', false], ['sse', true]]) {
  const name = tellsStatus ? transport : `${transport} without a status`;

  test(`${name}: a token for each connection, and another one when it has expired`, async () => {
    const tokens = ['t1', 't2', 't3'];
    const service = newService(3);
    service.tellsStatus = tellsStatus;
    service.tokens = new Set(tokens);
    const given = [];
    const token = async () => given[given.push(tokens[given.length]) - 1];
    const reader = new Reader(service, { transport, all: true, token });
    const opens = () => reader.statuses.filter(({ status }) => status === 'open').length;
    const opened = (count) => () => opens() === count || reader.ended !== null;
    await service.timers.run(opened(1));
    for (const connection of [...service.connections]) connection.drop(4001);
    await service.timers.run(opened(2));
    assert.deepEqual(given, ['t1', 't2']);
    service.append();
    await service.timers.run(() => reader.isAtHead);
    // From now on none is good: three are tried.
    service.tokens.clear();
    for (const connection of [...service.connections]) connection.drop(1006);
    await service.timers.run(() => reader.ended !== null);
    assert.equal(given.length, 5);
    withCode('FEED_UNAUTHORIZED')(reader.ended);
  });

  test(`${name}: a token that is a text is tried once`, async () => {
    const service = newService(3);
    service.tellsStatus = tellsStatus;
    service.tokens = new Set(['good']);
    for (const token of ['bad', undefined]) {
      const reader = new Reader(service, { transport, all: true, token });
      await service.timers.run(() => reader.ended !== null);
      withCode('FEED_UNAUTHORIZED')(reader.ended);
      assert.equal(reader.ended.cause.status, 401);
    }
    const asked = transport === 'sse' ? ['GET', 'GET'] : Array(tellsStatus ? 0 : 2).fill('HEAD');
    assert.deepEqual(service.requests.map(({ method }) => method), asked);
    const reader = new Reader(service, { transport, all: true, token: 'good' });
    await service.timers.run(() => reader.statusNames().includes('open'));
    for (const connection of [...service.connections]) connection.drop(4001);
    await service.timers.run(() => reader.ended !== null);
    withCode('FEED_UNAUTHORIZED')(reader.ended);
  });
}

for (const transport of ['websocket', 'sse']) {
  test(`${transport}: trouble of the service's own is told`, async () => {
    const { service, reader, until } = await begun({ transport });
    const notice = { event: 'service.degraded', reason: 'rpc', timestamp: '2026-03-29T09:31:27Z' };
    for (const connection of service.connections) connection.notice(notice);
    await until(() => reader.notices.length === 1);
    assert.deepEqual(reader.notices, [notice]);
    assert.deepEqual(reader.messages, []);
    await reader.feed.close();
  });

  test(`${transport}: without a refetch it goes on behind what is missing, and says so`, async () => {
    const service = newService(4);
    for (let i = 0; i < 50; i += 1) service.append();
    service.prune(0.5);
    const reader = new Reader(service, { transport, all: true, after: 'ep0-3', refetch: false });
    await service.timers.run(() => reader.isAtHead);
    const [reset] = reader.messages;
    assert.equal(reset.type, 'reset');
    assert.equal(reset.reason, 'gap');
    assert.equal(reset.state, null);
    assert.equal(reset.gap.from, 4);
    assert.equal(reset.cursor, `ep0-${reset.gap.to}`);
    assert.ok(!reader.statusNames().includes('refetching'));
    service.replaceLog();
    service.append();
    await service.timers.run(() => reader.messages.some(({ reason }) => reason === 'epoch_changed'));
    service.append();
    await service.timers.run(() => reader.isAtHead);
    checkMessages(reader);
    await reader.feed.close();
  });

  test(`${transport}: a refetch of the caller's own, which may fail`, async () => {
    const service = newService(5);
    let tries = 0;
    const refetch = async ({ reason, gap, signal }) => {
      assert.deepEqual([reason, gap, signal.aborted], ['start', null, false]);
      tries += 1;
      if (tries < 3) throw new Error('not now');
      return { cursor: 'ep0-5', state: { streams: tries } };
    };
    const reader = new Reader(service, { transport, all: true, snapshot: true, refetch });
    await service.timers.run(() => reader.isAtHead);
    const reset = { type: 'reset', reason: 'start', gap: null, cursor: 'ep0-5', state: { streams: 3 } };
    assert.deepEqual(reader.messages[0], reset);
    assert.equal(reader.messages[1].entry.seq, 6);
    const waited = reader.statuses.filter(({ status }) => status === 'waiting');
    assert.deepEqual(waited.map(({ cause }) => cause.message), ['not now', 'not now']);
    await reader.feed.close();
    const invalid = 'ARGUMENT_INVALID';
    for (const [wrong, code] of [[undefined, invalid], [{}, invalid], [{ cursor: 'x', state: 1 }, 'CURSOR_INVALID']]) {
      const refused = new Reader(service, { transport, all: true, snapshot: true, refetch: async () => wrong });
      await service.timers.run(() => refused.ended !== null);
      withCode(code)(refused.ended);
    }
  });
}

/** A reader that wants the state first, over a service some of whose answers are others. @param {(path: string, answer: Response) => Response} change */
async function readerOver(change) {
  const service = newService(6);
  for (let i = 0; i < 5; i += 1) service.append();
  const fetch = async (url, init) => change(new URL(url).pathname, await service.fetch(url, init));
  const reader = new Reader(service, { transport: 'websocket', all: true, snapshot: true, fetch });
  await service.timers.run(() => reader.ended !== null);
  return reader;
}

test('a state that says nothing of its position is none, and no other is asked for', async () => {
  const reader = await readerOver((path, answer) => (path === '/api/streams' ? new Response(answer.body) : answer));
  withCode('FEED_REFUSED')(reader.ended);
  assert.match(reader.ended.message, /X-Fluxora-Cursor/);
  assert.deepEqual(reader.messages, []);
});

test('an export that has no end, in lines or within one, is not read to it', async () => {
  const headers = { 'x-fluxora-cursor': 'ep0-5' };
  const more = () => new Response(JSON.stringify({ streams: [], has_more: true }), { headers });
  for (const piece of ['{}\n'.repeat(10_000), 'x'.repeat(100_000)]) {
    let pieces = 0;
    const endless = () => new ReadableStream({
      pull(controller) {
        pieces += 1;
        controller.enqueue(new TextEncoder().encode(piece));
      },
    });
    const reader = await readerOver((path, answer) => {
      if (path === '/api/streams') return more();
      return path === '/api/streams/export' ? new Response(endless(), { headers }) : answer;
    });
    withCode('INPUT_TOO_LONG')(reader.ended);
    assert.ok(pieces < 20, `${pieces} pieces of ${piece.length} bytes were read`);
  }
});

/** Answers of an event stream, one a connection; after the last one there is none. */
function scripted(...answers) {
  const timers = new VirtualTimers();
  const asked = [];
  const fetch = async (url, { headers }) => {
    asked.push({ url: new URL(url), headers });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError('fetch failed');
    if (typeof answer !== 'string') return answer;
    return new Response(answer, { headers: { 'content-type': 'text/event-stream' } });
  };
  return { timers, fetch, random: () => 0.5, asked, append: () => {} };
}

const eventText = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const resumeEvent = (cursor, resume = 'resumed') => eventText('resume', { resume, cursor });
const entryEvent = (seq) => eventText('stream.updated', { cursor: `ep0-${seq}`, seq, streamId: 's', prevSeq: null });
const waits = ({ statuses }) => statuses.filter(({ status }) => status === 'waiting').map(({ delayMs }) => delayMs);

test('pauses double up to a bound, begin at what the server said, and anew once something came', async () => {
  const resumed = resumeEvent('ep0-1');
  const service = scripted(`retry: 0\n${resumed}`, '', '', `retry: 3000\n${resumed}${entryEvent(2)}`);
  const reader = new Reader(service, { transport: 'sse', all: true, after: 'ep0-1' });
  await service.timers.run(() => waits(reader).length === 12);
  assert.deepEqual(waits(reader), [250, 500, 1_000, 1_500, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  assert.equal(reader.feed.cursor, 'ep0-2');
  const after = service.asked.map(({ url }) => url.searchParams.get('after'));
  assert.deepEqual(after.slice(0, 5), ['ep0-1', 'ep0-1', 'ep0-1', 'ep0-1', 'ep0-2']);
  await reader.feed.close();
});

test('who is sent away stays away for as long as was said', async () => {
  const busy = (status, retryAfter) => {
    return new Response('{"detail":"too many"}', { status, headers: { 'retry-after': retryAfter } });
  };
  const service = scripted(busy(503, '7'), busy(429, '10'), busy(429, '100'),
    busy(503, 'Wed, 21 Oct 2026 07:28:00 GMT'), eventText('end', { code: 'SHUTTING_DOWN', message: 'bye' }));
  const reader = new Reader(service, { transport: 'sse', all: true });
  await service.timers.run(() => waits(reader).length === 5);
  assert.deepEqual(waits(reader), [7_250, 60_500, 101_000, 2_000, 15_000]);
  assert.equal(reader.statuses.find(({ status }) => status === 'waiting').cause.message, 'Answered with 503: too many');
  await reader.feed.close();
});

test('what no other try can change is thrown', async () => {
  const html = new Response('<p>', { headers: { 'content-type': 'text/html' } });
  const answers = [400, 403, 404, 422].map((status) => new Response('{"detail":"no"}', { status }));
  for (const answer of [html, ...answers]) {
    const service = scripted(answer);
    const reader = new Reader(service, { transport: 'sse', all: true });
    await service.timers.run(() => reader.ended !== null);
    withCode('FEED_REFUSED')(reader.ended);
  }
});

test('what is no part of a feed ends the connection, and is tried again', async () => {
  const bad = ['data: {\n\n', 'data: 5\n\n', resumeEvent('x'), resumeEvent('ep0-1', 'perhaps'),
    `${resumeEvent('ep0-1')}data: {"cursor":"x"}\n\n`, `${resumeEvent('ep0-1')}data: {"cursor":"ep0-2","prevSeq":-1}\n\n`];
  for (const text of bad) {
    const service = scripted(text, `${resumeEvent('ep0-1')}event: new\ndata: {"a":1}\n\n${entryEvent(2)}`);
    const reader = new Reader(service, { transport: 'sse', all: true, after: 'ep0-1' });
    await service.timers.run(() => reader.messages.length === 1 || reader.ended !== null);
    assert.equal(reader.ended, null, text);
    assert.equal(reader.last, 'ep0-2');
    await reader.feed.close();
  }
});

test('a state without a position that can be read is asked for again', async () => {
  const state = (cursor) => {
    return new Response('{"streams":[],"has_more":false}', { headers: { 'x-fluxora-cursor': cursor } });
  };
  const service = scripted(state('x'), state('ep0-1'), `${resumeEvent('ep0-1')}${entryEvent(2)}`);
  const reader = new Reader(service, { transport: 'sse', all: true, snapshot: true });
  await service.timers.run(() => reader.messages.length === 2 || reader.ended !== null);
  assert.deepEqual(reader.messages.map(({ type, cursor }) => [type, cursor]), [['reset', 'ep0-1'], ['entry', 'ep0-2']]);
  assert.match(reader.statuses.find(({ status }) => status === 'waiting').cause.message, /no part of a feed/);
  await reader.feed.close();
});

test('what a fetch that heeds no signal still brings is let go', async () => {
  const cases = [
    { ms: 1_000, type: 'text/event-stream', ended: 'closed' },
    { ms: 0, type: 'text/event-stream', ended: 'closed' },
    { ms: 0, type: 'text/html', ended: 'FEED_REFUSED' },
  ];
  for (const { ms, type, ended } of cases) {
    const timers = new VirtualTimers();
    let isAsked = false;
    let isLeft = false;
    const fetch = async () => {
      isAsked = true;
      if (ms > 0) await timers.sleep(ms);
      const body = new ReadableStream({ cancel() { isLeft = true; } });
      return new Response(body, { headers: { 'content-type': type } });
    };
    const reader = new Reader({ timers, fetch, random: () => 0 }, { transport: 'sse', all: true });
    await timers.run(() => isAsked);
    await reader.feed.close();
    await timers.run(() => isLeft);
    assert.equal(reader.ended.code ?? reader.ended, ended);
    assert.equal(timers.pending, 0);
  }
});

/** A socket that opens, unless it shall not, and does what a test says. */
function socketOf(script, { opens = true, fetch = async () => { throw new TypeError('fetch failed'); } } = {}) {
  const service = { timers: new VirtualTimers(), random: () => 0.5, fetch, sent: [], urls: [] };
  service.WebSocket = class {
    readyState = 0;
    constructor(url) {
      service.urls.push(url);
      service.timers.setTimeout(() => {
        if (opens) {
          this.readyState = 1;
          this.onopen();
        }
        script(this, service.urls.length);
      }, 1);
    }
    send(text) {
      service.sent.push(text);
    }
    close() {
      this.readyState = 3;
    }
    says(message) {
      this.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    }
  };
  return service;
}

test('what a socket says that is no part of a feed', async () => {
  const cases = [
    [(socket) => socket.onmessage({ data: new ArrayBuffer(1) }), /bytes/],
    [(socket) => socket.says('{'), /no JSON/],
    [(socket) => socket.says({ type: 'error', code: 'RATE_LIMIT_EXCEEDED', message: 'too fast' }), /too fast/],
    [(socket) => {
      socket.says({ type: 'subscribed', resume: 'live', cursor: 'ep0-1' });
      socket.says({ type: 'stream_update' });
    }, /no part/],
    [(socket) => socket.onerror({ message: 'broken' }), /broken/],
    [(socket) => socket.onclose({ code: 1008, reason: 'rate' }), /1008/],
  ];
  for (const [script, expected] of cases) {
    const service = socketOf(script);
    const reader = new Reader(service, { all: true });
    await service.timers.run(() => waits(reader).length === 1 || reader.ended !== null);
    assert.equal(reader.ended, null);
    const { cause, delayMs } = reader.statuses.at(-1);
    assert.match(cause.message, expected);
    assert.equal(delayMs > 60_000, /too fast|1008/.test(cause.message));
    await reader.feed.close();
  }
  const refused = socketOf((socket) => socket.says({ type: 'error', code: 'INVALID_MESSAGE', message: 'no such thing' }));
  const reader = new Reader(refused, { all: true });
  await refused.timers.run(() => reader.ended !== null);
  withCode('FEED_REFUSED')(reader.ended);
  assert.match(reader.ended.message, /no such thing/);
});

test('a socket that says nothing is asked, and then given up', async () => {
  const service = socketOf((socket, count) => {
    if (count === 1) socket.says({ type: 'subscribed', resume: 'live', cursor: 'ep0-1' });
  });
  const reader = new Reader(service, { all: true });
  await service.timers.run(() => waits(reader).length === 1);
  assert.match(reader.statuses.at(-1).cause.message, /silent/);
  const told = service.sent.map((text) => JSON.parse(text));
  assert.deepEqual(told, [{ type: 'subscribe', streamId: '*' }, { type: 'ping' }]);
  assert.equal(service.timers.now(), 45_000);
  await reader.feed.close();
});

const entryMessage = (seq) => {
  return { type: 'stream_update', payload: { cursor: `ep0-${seq}`, seq, streamId: 's', prevSeq: null } };
};

test('a connection that ended leaves no socket and no timer, also where nobody reads', async () => {
  const endings = {
    abort: (_, controller) => controller.abort(),
    closed: (socket) => socket.onclose({ code: 1012, reason: '' }),
    failed: (socket) => socket.onerror({}),
    bytes: (socket) => socket.onmessage({ data: new ArrayBuffer(1) }),
    flooded: (socket) => {
      for (let seq = 3; seq < 5_000; seq += 1) socket.says(entryMessage(seq));
    },
    silent: () => {},
  };
  for (const [name, end] of Object.entries(endings)) {
    let socket;
    const { timers, random, fetch, WebSocket } = socketOf((opened) => {
      socket = opened;
      socket.says({ type: 'subscribed', resume: 'live', cursor: 'ep0-1' });
      socket.says(entryMessage(2));
    });
    const controller = new AbortController();
    const statuses = [];
    const feed = connectFeed({
      core, url: 'http://service.test', all: true, timers, random, fetch, WebSocket, signal: controller.signal,
      onStatus: ({ status }) => statuses.push(status),
    });
    let message;
    feed.next().then(({ value }) => { message = value; });
    await timers.run(() => message !== undefined);
    assert.equal(message.cursor, 'ep0-2');
    assert.deepEqual([socket.readyState, timers.pending], [1, 1], name);
    end(socket, controller);
    if (name === 'silent') await timers.run(() => socket.readyState === 3);
    assert.deepEqual([socket.readyState, timers.pending], [3, 0], name);
    if (name === 'abort') {
      await timers.run(() => statuses.at(-1) === 'closed');
      assert.deepEqual(await feed.next(), { value: undefined, done: true });
    }
    await feed.close();
  }
});

test('what an answer has behind the hole does not hide what the feed has yet to bring', async () => {
  const entry = (seq, prevSeq) => ({ cursor: `ep0-${seq}`, seq, streamId: 's', prevSeq });
  const page = { events: [entry(4, 2), entry(5, 4), entry(9, 5)], has_more: false, next_cursor: 'ep0-9' };
  const answer = JSON.stringify({ ...page, resume: { outcome: 'resumed' } });
  const fetch = async () => new Response(answer, { headers: { 'x-fluxora-cursor': 'ep0-9' } });
  const service = socketOf((socket, count) => {
    if (count > 1) return;
    socket.says({ type: 'subscribed', resume: 'resumed', cursor: 'ep0-1' });
    for (const payload of [entry(2, null), entry(5, 4)]) socket.says({ type: 'stream_update', payload });
    // Before it could bring another stream's entries from 6 to 8.
    socket.onclose({ code: 1006, reason: '' });
  }, { fetch });
  const reader = new Reader(service, { recipient: ADDRESSES[0], after: 'ep0-1' });
  await service.timers.run(() => service.sent.length === 2);
  assert.deepEqual(reader.messages.map(({ entry: { seq } }) => seq), [2, 4, 5]);
  assert.equal(JSON.parse(service.sent[1]).after, 'ep0-5');
  await reader.feed.close();
});

test('it counts what it handed out, what came again and what it had to read from the log', async () => {
  const entry = (seq) => ({ cursor: `ep0-${seq}`, seq, streamId: null, prevSeq: null });
  const page = { events: [3, 4, 5].map(entry), has_more: false, next_cursor: 'ep0-5', resume: { outcome: 'resumed' } };
  const fetch = async () => new Response(JSON.stringify(page), { headers: { 'x-fluxora-cursor': 'ep0-5' } });
  const service = socketOf((socket) => {
    socket.says({ type: 'subscribed', resume: 'resumed', cursor: 'ep0-1' });
    for (const seq of [2, 2, 5, 3, 6]) socket.says({ type: 'stream_update', payload: entry(seq) });
  }, { fetch });
  const reader = new Reader(service, { all: true, after: 'ep0-1' });
  assert.deepEqual(reader.feed.counts, { applied: 0, dropped: 0, filled: 0 });
  await service.timers.run(() => reader.messages.length === 5);
  assert.deepEqual(reader.messages.map(({ entry: { seq } }) => seq), [2, 3, 4, 5, 6]);
  assert.deepEqual(reader.feed.counts, { applied: 5, dropped: 2, filled: 2 });
  await reader.feed.close();
});

test('a runtime that opens no such socket says so', async () => {
  const service = socketOf(() => {});
  service.WebSocket = class {
    constructor() {
      throw new DOMException('An insecure WebSocket may not be opened.', 'SecurityError');
    }
  };
  const reader = new Reader(service, { all: true });
  await service.timers.run(() => reader.ended !== null);
  withCode('FEED_REFUSED')(reader.ended);
  assert.equal(reader.ended.cause.name, 'SecurityError');
});

test('why a socket did not open is asked once; what another try can change counts', async () => {
  const failing = (socket) => {
    socket.onerror({});
    socket.onclose({ code: 1006, reason: '' });
  };
  /** Follows until it waits: what was asked, and why it waits for how long. */
  const follow = async (script, options, answer) => {
    const asked = [];
    const fetch = async (url, { method, headers }) => {
      asked.push({ url, method, headers });
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer;
    };
    const service = socketOf(script, { fetch, ...options });
    const reader = new Reader(service, { all: true, token: 't', url: 'https://service.test/below' });
    await service.timers.run(() => waits(reader).length === 1 || reader.ended !== null);
    assert.equal(reader.ended, null);
    const { cause: { status, code }, delayMs } = reader.statuses.at(-1);
    await reader.feed.close();
    assert.equal(service.timers.pending, 0);
    return { asked, status, code, delayMs };
  };
  const head = {
    url: 'https://service.test/below/api/events/stream', method: 'HEAD', headers: { authorization: 'Bearer t' },
  };
  const answered = (status, retryAfter) => new Response(null, { status, headers: { 'retry-after': retryAfter } });
  const cases = [
    [answered(429, '10'), { status: 429, delayMs: 60_250 }],
    [answered(503, '7'), { status: 503, delayMs: 7_250 }],
    ...[undefined, ...[200, 403, 404, 405].map((status) => answered(status, '9'))].map((answer) => {
      return [answer, { status: undefined, delayMs: 250 }];
    }),
  ];
  for (const [answer, expected] of cases) {
    const { code: _, ...outcome } = await follow(failing, { opens: false }, answer);
    assert.deepEqual(outcome, { asked: [head], ...expected });
  }
  // Where it was open, or says nothing, or tells the status, there is nothing to ask.
  const others = [
    [failing, { opens: true }], [() => {}, { opens: false }],
    [(socket) => socket.onerror({ message: 'Unexpected server response: 503' }), { opens: false }],
  ];
  for (const [script, options] of others) assert.deepEqual((await follow(script, options)).asked, []);
});

test('where the service is, and what is asked of it', async () => {
  const service = socketOf((socket) => socket.onclose({ code: 1006, reason: '' }));
  const ask = async (options) => {
    const reader = new Reader(service, options);
    await service.timers.run(() => waits(reader).length === 1);
    await reader.feed.close();
    return [service.urls.at(-1), JSON.parse(service.sent.at(-1))];
  };
  const [recipient] = ADDRESSES;
  const about = { recipient, event: 'stream.updated', after: 'ep0-7' };
  assert.deepEqual(await ask({ url: 'https://service.test/below?x#y', token: 'a+b', ...about }),
    ['wss://service.test/below/ws/streams?token=a%2Bb', { type: 'subscribe', ...about }]);
  assert.deepEqual(await ask({ url: new URL('http://service.test:81/'), streamId: streamIdOf(1) }),
    ['ws://service.test:81/ws/streams', { type: 'subscribe', streamId: streamIdOf(1) }]);

  const stream = scripted();
  const reader = new Reader(stream, {
    url: 'http://service.test/a/', transport: 'sse', sender: recipient, event: 'stream.created', token: 't',
  });
  await stream.timers.run(() => waits(reader).length === 1);
  assert.equal(stream.asked[0].url.href,
    `http://service.test/a/api/events/stream?sender=${recipient}&event=stream.created`);
  assert.deepEqual(stream.asked[0].headers, { accept: 'text/event-stream', authorization: 'Bearer t' });
  await reader.feed.close();
});

test('wrong options are refused by name', () => {
  const good = { core, url: 'http://service.test', all: true, fetch: async () => {} };
  const cases = [
    [undefined], [null], [{ ...good, core: undefined }], [{ ...good, url: undefined }], [{ ...good, url: 'service.test' }],
    [{ ...good, url: 'ftp://service.test' }], [{ ...good, url: 'http://a:b@service.test' }], [{ ...good, all: false }],
    [{ ...good, all: undefined }], [{ ...good, streamId: streamIdOf(1) }], [{ ...good, all: undefined, streamId: '*' }],
    [{ ...good, all: undefined, recipient: 'G' }], [{ ...good, event: 5 }], [{ ...good, transport: 'tcp' }],
    [{ ...good, transport: 'websocket', WebSocket: 5 }], [{ ...good, fetch: 5 }], [{ ...good, refetch: true }],
    [{ ...good, snapshot: 1 }], [{ ...good, snapshot: true, after: 'ep0-1' }], [{ ...good, snapshot: true, refetch: false }],
    [{ ...good, after: null }], [{ ...good, token: 5 }], [{ ...good, signal: {} }], [{ ...good, onStatus: 5 }],
    [{ ...good, after: 'x' }, 'CURSOR_INVALID'],
  ];
  for (const [options, code = 'ARGUMENT_INVALID'] of cases) {
    assert.throws(() => connectFeed(options), withCode(code));
  }
});

test('many feeds share a core, and give back what they held of it', async () => {
  for (let i = 0; i < 10_010; i += 1) {
    const { timers, random, fetch } = scripted();
    const feed = connectFeed({ core, url: 'http://service.test', all: true, transport: 'sse', timers, random, fetch });
    const waiting = feed.next();
    feed.close();
    assert.equal((await waiting).done, true);
  }
});
