// The page's own rules, without a page: its clock, its feed, what it does between seconds and how it draws a curve.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { fromModule } from '../../wasm/package/src/core.js';
import { ChainClock } from '../../web-demo/src/chain_clock.js';
import { GRID, curvePoints, curveRange, gridX, gridY } from '../../web-demo/src/curve_points.js';
import { changeText, entryTitle } from '../../web-demo/src/event_list.js';
import { Feed, backoffMs } from '../../web-demo/src/feed.js';
import { StreamBook } from '../../web-demo/src/stream_book.js';
import { Ticker, between } from '../../web-demo/src/ticker.js';
import {
  dateTime, duration, groupAmount, plainAmount, shortStreamId, splitAmount, statusAt,
} from '../../web-demo/src/text.js';

const demoRoot = process.env.FLUXORA_DEMO ?? `${PROJECT_ROOT}/build/wasm/demo`;
const core = fromModule(await WebAssembly.compile(await readFile(`${demoRoot}/core/dist/fluxora_core.wasm`)));

const aStream = (changes = {}) => ({
  id: 's-1', kind: 'linear', status: 'active', depositAmount: '1000.0000000', ratePerSecond: '0.5000000',
  withdrawnAmount: '0.0000000', settledAmount: '0.0000000', checkpointedAmount: '0.0000000', checkpointedAt: 100,
  startTime: 100, cliffTime: 100, endTime: 2100, cancelledAt: null, version: 1,
  createdAt: '2026-03-29T09:31:27.000Z', ...changes,
});

test('between two seconds an amount moves in integers and never reaches the next', () => {
  assert.equal(between(10n, 1010n, 0), 10n);
  assert.equal(between(10n, 1010n, 500), 510n);
  assert.equal(between(10n, 1010n, 999), 1009n);
  assert.equal(between(0n, 116n, 999), 115n);
  const huge = (1n << 127n) - 1n;
  assert.equal(between(huge - 1000n, huge, 1), huge - 999n);
});

test('the clock is set by ledgers, runs on between them and never backwards', () => {
  let elapsed = 0;
  const clock = new ChainClock(() => elapsed);
  assert.equal(clock.isSet, false);
  clock.observeClose(1_000);
  assert.equal(clock.nowMs(), 1_000_000);
  elapsed += 2_500.7;
  assert.equal(clock.nowMs(), 1_002_500);
  clock.observeClose(1_001);
  assert.equal(clock.nowMs(), 1_002_500);
  clock.observeClose('1005');
  assert.equal(clock.nowMs(), 1_005_000);
  clock.observeClose('18446744073709551615');
  assert.equal(clock.nowMs(), 1_005_000);
  clock.reset();
  assert.equal(clock.isSet, false);
});

test('a chain that keeps wall-clock time is shown by the server’s clock, another by its own', () => {
  let elapsed = 0;
  const clock = new ChainClock(() => elapsed);
  clock.observeServer(2_000_000_000);
  clock.observeClose(1_999_996);
  assert.equal(clock.nowMs(), 2_000_000_000);
  elapsed += 5_000;
  clock.observeClose(2_000_001);
  assert.equal(clock.nowMs(), 2_000_005_000);
  clock.reset();
  clock.observeClose(1_000);
  assert.equal(clock.nowMs(), 1_000_000);
});

test('the pause before a try doubles to its bound and varies by a fifth', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((tries) => backoffMs(tries, () => 0.5)),
    [500, 1000, 2000, 4000, 8000, 15000, 15000]);
  assert.equal(backoffMs(50, () => 0), 12_000);
  assert.equal(backoffMs(50, () => 0.999999), 18_000);
});

/** A socket that a test speaks through; the newest is `FakeSocket.last`. */
class FakeSocket extends EventTarget {
  static last = null;
  sent = [];
  closed = false;

  constructor() {
    super();
    FakeSocket.last = this;
  }

  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.closed = true; }
  open() { this.dispatchEvent(new Event('open')); }
  lose() { this.dispatchEvent(new Event('close')); }
  receive(message) { this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(message) })); }
}

function newFeed(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const before = globalThis.WebSocket;
  globalThis.WebSocket = FakeSocket;
  t.after(() => { globalThis.WebSocket = before; });
  const seen = { phases: [], entries: [], lost: [], services: [] };
  const environment = { address: () => new URL('ws://localhost/'), parseCursor: core.cursor.parse, random: () => 0.5 };
  const feed = new Feed(environment, {
    onState: ({ phase }) => seen.phases.push(phase),
    onEntry: ({ seq }) => seen.entries.push(seq),
    onService: ({ event }) => seen.services.push(event),
    onLost: ({ resume }) => seen.lost.push(resume),
  });
  return { feed, seen };
}

const update = (seq) => ({ type: 'stream_update', cursor: `k3f9-${seq}`, payload: { seq, cursor: `k3f9-${seq}` } });

test('the feed subscribes from the cursor, counts each entry once and comes back from where it was', (t) => {
  const { feed, seen } = newFeed(t);
  feed.start('k3f9-5');
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent, [{ type: 'subscribe', streamId: '*', after: 'k3f9-5' }]);
  FakeSocket.last.receive({ type: 'subscribed', resume: 'resumed', cursor: 'k3f9-7' });
  for (const seq of [5, 6, 6, 7, 6, 8]) FakeSocket.last.receive(update(seq));
  assert.deepEqual(seen.entries, [6, 7, 8]);
  assert.equal(feed.cursor, 'k3f9-8');

  const first = FakeSocket.last;
  first.lose();
  t.mock.timers.tick(499);
  assert.equal(FakeSocket.last, first);
  t.mock.timers.tick(1);
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent, [{ type: 'subscribe', streamId: '*', after: 'k3f9-8' }]);
  first.receive(update(9));
  assert.deepEqual(seen.entries, [6, 7, 8]);
  assert.deepEqual(seen.phases, ['connecting', 'live', 'reconnecting', 'connecting']);
});

test('a feed that was stopped stays stopped, and keeps its place', (t) => {
  const { feed, seen } = newFeed(t);
  feed.start('k3f9-5');
  FakeSocket.last.open();
  FakeSocket.last.receive({ type: 'subscribed', resume: 'resumed' });
  const stopped = FakeSocket.last;
  feed.stop();
  assert.equal(stopped.closed, true);
  stopped.lose();
  feed.retryNow();
  t.mock.timers.tick(60_000);
  assert.equal(FakeSocket.last, stopped);
  assert.deepEqual(seen.phases, ['connecting', 'live', 'stopped']);
  feed.resume();
  FakeSocket.last.open();
  assert.equal(FakeSocket.last.sent[0].after, 'k3f9-5');
});

test('a connection that gives no sign of life is given up', (t) => {
  const { feed, seen } = newFeed(t);
  feed.start(null);
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent, [{ type: 'subscribe', streamId: '*' }]);
  FakeSocket.last.receive({ type: 'subscribed', resume: 'live', cursor: 'k3f9-9' });
  assert.equal(feed.cursor, 'k3f9-9');
  t.mock.timers.tick(25_000);
  assert.deepEqual(FakeSocket.last.sent.at(-1), { type: 'ping' });
  FakeSocket.last.receive({ type: 'pong' });
  t.mock.timers.tick(25_000);
  assert.equal(seen.phases.at(-1), 'live');
  t.mock.timers.tick(10_000);
  assert.equal(seen.phases.at(-1), 'reconnecting');
});

test('what the feed can’t bridge it reports, and doesn’t go on by itself', (t) => {
  for (const resume of ['gap', 'epoch_changed']) {
    const { feed, seen } = newFeed(t);
    feed.start('k3f9-5');
    FakeSocket.last.open();
    FakeSocket.last.receive({ type: 'subscribed', resume });
    assert.deepEqual(seen.lost, [resume]);
    assert.equal(FakeSocket.last.closed, true);
    t.mock.timers.reset();
  }
});

test('an older state of a stream never replaces a newer one', () => {
  const book = new StreamBook(core, 3);
  book.replaceAll([aStream({ version: 10 })]);
  assert.equal(book.put(aStream({ version: 9, depositAmount: '1.0000000' })), 'kept');
  assert.equal(book.put(aStream({ version: 11, depositAmount: '2.0000000' })), 'changed');
  assert.equal(book.balancesAt(5_000n).get('s-1').streamed, 20_000_000n);
});

test('the newest streams are kept, up to the bound', () => {
  const book = new StreamBook(core, 3);
  for (let i = 1; i <= 5; i += 1) assert.equal(book.put(aStream({ id: `s-${i}` })), 'added');
  assert.deepEqual(book.all().map(({ id }) => id), ['s-5', 's-4', 's-3']);
  assert.deepEqual([...book.balancesAt(101n).keys()].sort(), ['s-3', 's-4', 's-5']);
  const old = aStream({ id: 's-0', version: 9, createdAt: '2026-03-28T09:31:27.000Z' });
  assert.equal(book.put(old), 'kept');
  assert.equal(book.size, 3);
  assert.equal(book.remove('s-4'), true);
  assert.equal(book.put(old), 'added');
  assert.deepEqual(book.all().map(({ id }) => id), ['s-5', 's-3', 's-0']);
  assert.equal(book.remove('s-0'), true);
  assert.deepEqual([...book.balancesAt(101n).keys()].sort(), ['s-3', 's-5']);
});

test('the ticker computes a second once, and anew when a stream changes', () => {
  const book = new StreamBook(core, 3);
  book.replaceAll([aStream()]);
  const ticker = new Ticker(book);
  assert.equal(ticker.turnTo(101), true);
  assert.equal(ticker.turnTo(101), false);
  assert.equal(ticker.exact('s-1').streamed, 5_000_000n);
  assert.equal(ticker.moving('s-1', 'streamed', 200), 6_000_000n);
  assert.equal(ticker.turnTo(102), true);
  assert.equal(ticker.exact('s-1').streamed, 10_000_000n);
  book.put(aStream({ version: 2, withdrawnAmount: '0.2500000' }));
  assert.equal(ticker.turnTo(102), true);
  assert.equal(ticker.exact('s-1').withdrawable, 7_500_000n);
  assert.equal(ticker.rests('s-1', 'streamed'), false);
  ticker.turnTo(9_000);
  assert.equal(ticker.rests('s-1', 'streamed'), true);
});

test('a curve rises from its start to its deposit and jumps at its cliff', () => {
  const stream = aStream({ cliffTime: 1100 });
  const range = curveRange(core, stream);
  assert.deepEqual(range, { from: 100n, to: 2100n });
  const { points, checkpointed } = curvePoints(core, stream, range);
  assert.equal(checkpointed, false);
  assert.deepEqual(points[0], { x: 0, y: GRID });
  assert.deepEqual(points.at(-1), { x: GRID, y: 0 });
  const jump = points.findIndex(({ y }) => y < GRID);
  assert.deepEqual([points[jump - 1], points[jump]], [{ x: 4995, y: GRID }, { x: 5000, y: 5000 }]);
  for (let i = 1; i < points.length; i += 1) {
    assert.ok(points[i].x >= points[i - 1].x && points[i].y <= points[i - 1].y);
  }
});

test('a curve begins at its checkpoint, and without a real end is cut where its deposit ends', () => {
  const stream = aStream({ checkpointedAt: 600, checkpointedAmount: '100.0000000' });
  const { points, checkpointed } = curvePoints(core, stream, curveRange(core, stream));
  assert.equal(checkpointed, true);
  assert.deepEqual(points[0], { x: 2500, y: 9000 });
  const endless = aStream({ endTime: '18446744073709551615' });
  assert.deepEqual(curveRange(core, endless), { from: 100n, to: 2100n });
  assert.equal(gridX({ from: 0n, to: 10n }, 99n), GRID);
  assert.equal(gridY(5n, 0n), GRID);
});

test('amounts, times and ids are cut to be read, digit for digit', () => {
  assert.deepEqual(splitAmount('1234567.8901234'), ['1,234,567.89', '01234']);
  assert.equal(groupAmount('-1234.0000000'), '-1,234.0000000');
  assert.equal(plainAmount('1000.0000000'), '1,000');
  assert.equal(plainAmount('0.0000116'), '0.0000116');
  assert.equal(plainAmount('0.0000000'), '0');
  assert.equal(shortStreamId(`C${'A'.repeat(55)}-7`), 'CAAA…-7');
  assert.equal(dateTime(1774776687), '29 Mar 2026, 09:31:27 UTC');
  assert.equal(dateTime('18446744073709551615'), 'beyond any calendar');
  assert.equal(duration(86_399), '23 hours');
  assert.equal(duration('18446744073709551615'), 'over a century');
  assert.equal(statusAt(aStream(), 99), 'scheduled');
  assert.equal(statusAt(aStream({ status: 'scheduled' }), 100), 'active');
});

test('an entry says what it changed', () => {
  const change = { ratePerSecond: ['0.0000116', '0.0000232'], version: [1, 2] };
  const entry = { event: 'stream.updated', kind: 'rate_upd', change };
  assert.equal(entryTitle(entry), 'Rate changed');
  assert.equal(changeText(entry), 'per second 0.0000116 → 0.0000232');
  assert.equal(entryTitle({ event: 'stream.updated', kind: 'decomm' }), 'Stream changed');
  assert.equal(changeText({ event: 'stream.ended' }), '');
});
