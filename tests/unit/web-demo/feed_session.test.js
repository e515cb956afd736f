// The page's one feed over a service in memory: cut, resumed, from another cursor, and what it says of all that.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { keepBook } from '../../../web-demo/compiled/live/book_keeping.js';
import { ChainClock } from '../../../web-demo/compiled/live/chain_clock.js';
import { ITEMS_MAX } from '../../../web-demo/compiled/live/feed_log.js';
import { FeedSession } from '../../../web-demo/compiled/live/feed_session.js';
import { Service } from '../../../web-demo/compiled/live/service.js';
import { StreamBook } from '../../../web-demo/compiled/live/stream_book.js';
import { FakeService, VirtualTimers, seeded } from '../wasm/feed_service.js';

const core = await load();
const ADDRESSES = [1, 2, 3].map((byte) => core.strkey.encode('account', new Uint8Array(32).fill(byte)));
const STREAMS = 12;

/** The service's streams have no terms: nobody asks for their balances. */
const NO_TERMS = { clear() {}, setAll() {}, set() {}, delete() {} };

/** A session of a browser whose time, network and WebSocket are the service's. */
function newSession(t) {
  const timers = new VirtualTimers();
  const service = new FakeService({ random: seeded(1), timers, addresses: ADDRESSES, streams: STREAMS });
  const globals = {
    WebSocket: service.WebSocket,
    setTimeout: timers.setTimeout,
    clearTimeout: timers.clearTimeout,
    // The log's head, which the feed's client never asks for.
    fetch: (url, init) => (url.search === '?limit=1'
      ? Promise.resolve(Response.json({}, { headers: { 'x-fluxora-cursor': service.headCursor } }))
      : service.fetch(url, init)),
  };
  const before = Object.fromEntries(Object.keys(globals).map((name) => [name, globalThis[name]]));
  Object.assign(globalThis, globals);
  t.after(() => Object.assign(globalThis, before));

  const session = new FeedSession(core, new Service(new URL('http://service.test/')));
  const streams = new StreamBook({ streamColumns: () => NO_TERMS });
  keepBook(session, streams, new ChainClock(() => 0), () => {});
  const seen = { phases: [], entries: [], resets: [] };
  session.onState.add(({ phase }) => seen.phases.push(phase));
  session.onEntry.add(({ entry }) => seen.entries.push(entry.seq));
  session.onReset.add(({ reason, state }) => seen.resets.push([reason, state.length]));
  return { service, session, streams, seen, run: (done) => timers.run(done) };
}

const isAtHead = (service, session) => () => session.state.phase === 'live' && session.cursor === service.headCursor;
/** The positions of what is marked as replayed. */
const replayed = ({ log }) => log.items.filter(({ isReplayed }) => isReplayed).map(({ entry }) => entry.seq);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('it begins with all streams, then brings each entry once', async (t) => {
  const { service, session, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  assert.deepEqual(seen.resets, [['start', STREAMS]]);
  assert.deepEqual(seen.entries, []);
  for (let i = 0; i < 5; i += 1) service.append(i);
  await run(isAtHead(service, session));
  assert.deepEqual(seen.entries, range(STREAMS + 1, STREAMS + 5));
  assert.deepEqual(replayed(session), []);
});

test('cut it keeps its place, and resumed it brings what came meanwhile, marked as replayed', async (t) => {
  const { service, session, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  const { cursor } = session;
  session.cut();
  assert.equal(session.state.phase, 'cut');
  await run(() => service.connections.size === 0);
  for (let i = 0; i < 3; i += 1) service.append(i);
  assert.equal(session.cursor, cursor);
  assert.deepEqual(seen.entries, []);
  session.resume();
  await run(isAtHead(service, session));
  service.append(4);
  await run(isAtHead(service, session));
  assert.deepEqual(seen.entries, range(STREAMS + 1, STREAMS + 4));
  assert.deepEqual(replayed(session), range(STREAMS + 1, STREAMS + 3));
  assert.equal(seen.resets.length, 1);
});

test('a lost connection comes back by itself from where it was', async (t) => {
  const { service, session, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  for (const connection of [...service.connections]) connection.drop(1006);
  for (let i = 0; i < 3; i += 1) service.append(i);
  await run(isAtHead(service, session));
  assert.deepEqual(seen.entries, range(STREAMS + 1, STREAMS + 3));
  assert.ok(seen.phases.includes('waiting'));
  assert.deepEqual(replayed(session), range(STREAMS + 1, STREAMS + 3));
});

test('from an older cursor it brings again what it brought, and from one of another log all streams', async (t) => {
  const { service, session, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  for (let i = 0; i < 4; i += 1) service.append(i);
  await run(isAtHead(service, session));
  session.resume(`${service.epoch}-${STREAMS}`);
  await run(() => seen.entries.length >= 8);
  assert.deepEqual(seen.entries, [...range(STREAMS + 1, STREAMS + 4), ...range(STREAMS + 1, STREAMS + 4)]);
  session.resume('else-7');
  await run(() => seen.resets.length === 2 && isAtHead(service, session)());
  assert.equal(seen.resets[1][0], 'epoch_changed');
});

test('a cursor that is none is refused with its code, and the session goes on as it was', async (t) => {
  const { service, session, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  assert.throws(() => session.resume('nonsense'), { code: 'CURSOR_INVALID' });
  service.append(1);
  await run(isAtHead(service, session));
  assert.deepEqual(seen.entries, [STREAMS + 1]);
});

test('the newest entries are kept, up to the bound', async (t) => {
  const { service, session, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  for (let i = 0; i < ITEMS_MAX + 10; i += 1) service.append(i % STREAMS);
  await run(isAtHead(service, session));
  assert.equal(session.log.size, ITEMS_MAX);
  assert.equal(session.log.items.at(-1).entry.cursor, service.headCursor);
});

/** What the page holds is what the service has. */
function assertHeld(service, streams) {
  const held = [...streams.all()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const due = service.stateAt(service.headCursor, {}).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(held, due);
}

test('what comes again takes no stream back, at no moment', async (t) => {
  const { service, session, streams, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  for (let i = 0; i < 30; i += 1) service.append(i % STREAMS);
  await run(isAtHead(service, session));
  assertHeld(service, streams);

  const told = [];
  const due = new Map([...streams.all()].map((stream) => [stream.id, stream]));
  session.onEntry.add(({ isAgain }) => {
    told.push(isAgain);
    assert.deepEqual(new Map([...streams.all()].map((stream) => [stream.id, stream])), due);
  });
  session.resume(`${service.epoch}-2`);
  await run(() => told.length === STREAMS + 30 - 2);
  assert.ok(told.every((isAgain) => isAgain));
  assertHeld(service, streams);
  assert.equal(session.counts.again, told.length);
  assert.equal(session.resumption.again, BigInt(told.length));
  assert.equal(session.resumption.replayed, BigInt(told.length));
  assert.deepEqual(replayed(session), range(3, STREAMS + 30));
});

test('an older cursor, cut half way: what is missed still comes', async (t) => {
  const { service, session, streams, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  session.cut();
  for (let i = 0; i < 20; i += 1) service.append(i % STREAMS);
  session.onEntry.add(({ entry: { seq } }) => { if (seq === STREAMS - 1) session.cut(); });
  session.resume(`${service.epoch}-1`);
  await run(() => seen.entries.at(-1) === STREAMS - 1);
  assert.equal(session.cursor, `${service.epoch}-${STREAMS - 1}`);
  session.resume();
  await run(isAtHead(service, session));
  assertHeld(service, streams);
  assert.deepEqual(seen.entries, range(2, STREAMS + 20));
});

test('from a cursor ahead of the page nothing is missing: all streams are read instead', async (t) => {
  const { service, session, streams, seen, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  session.cut();
  for (let i = 0; i < 9; i += 1) service.append(i);
  session.resume(`${service.epoch}-${STREAMS + 6}`);
  await run(isAtHead(service, session));
  assertHeld(service, streams);
  assert.deepEqual(seen.entries, []);
  assert.deepEqual(seen.resets, [['start', STREAMS], ['start', STREAMS]]);
  assert.equal(session.resumption.answer, 'resumed');
  assert.equal(session.resumption.skipped, 6n);
  assert.deepEqual(session.resumption.reset, { cursor: service.headCursor, streams: STREAMS, gap: null });
});

test('what the service answered is known, with the reset that it led to', async (t) => {
  const { service, session, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  assert.deepEqual([session.resumption.answer, session.resumption.from], ['start', null]);
  for (const after of ['else-7', `${service.epoch}-${STREAMS + 1_000_000}`]) {
    session.resume(after);
    await run(isAtHead(service, session));
    const { answer, from, reset } = session.resumption;
    assert.deepEqual([answer, from, reset.streams], ['epoch_changed', after, STREAMS]);
  }
  service.prune(0.5);
  session.resume(`${service.epoch}-2`);
  await run(isAtHead(service, session));
  assert.equal(session.resumption.answer, 'gap');
  assert.deepEqual(session.resumption.reset.gap, { from: 3, to: STREAMS / 2 - 1 });
  // Those that said no aren't counted.
  assert.equal(session.counts.connections, 4);
});

test('a page that has no streams yet goes on from no cursor: they are read first', async (t) => {
  const { service, session, streams, seen, run } = newSession(t);
  session.start();
  session.cut();
  session.resume(`${service.epoch}-5`);
  await run(isAtHead(service, session));
  assertHeld(service, streams);
  assert.deepEqual(seen.resets, [['start', STREAMS]]);
});

test('a cursor of the log that has taken the place of the page’s own: all streams are read instead', async (t) => {
  const { service, session, streams, run } = newSession(t);
  session.start();
  await run(isAtHead(service, session));
  session.cut();
  service.replaceLog();
  session.resume(`${service.epoch}-${STREAMS - 1}`);
  await run(isAtHead(service, session));
  assertHeld(service, streams);
});

test('whoever fails over an entry doesn’t leave a page that says it is live', async (t) => {
  const { service, session, run } = newSession(t);
  const reported = [];
  globalThis.reportError = ({ message }) => reported.push(message);
  t.after(() => { delete globalThis.reportError; });
  session.start();
  await run(isAtHead(service, session));
  const stop = session.onEntry.add(() => { throw new TypeError('not drawn'); });
  service.append(1);
  await run(() => session.state.phase !== 'live');
  assert.deepEqual(reported, ['not drawn']);
  assert.deepEqual(session.state, { phase: 'refused', code: 'TypeError', message: 'not drawn' });
  stop();
  service.append(2);
  session.resume();
  await run(isAtHead(service, session));
});
