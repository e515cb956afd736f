// A stream's curve: what its terms were over time, the points that it is drawn through, and the axis beside it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { CurveOfStream } from '../../../web-demo/compiled/stream/curve_drawing.js';
import {
  GRID, axisAmounts, curveLines, curveMoments, curveRange, gridX, gridY, shortAmount, timeAt,
} from '../../../web-demo/compiled/stream/curve_points.js';
import { momentsAt, pauses, spanAt, termSpans } from '../../../web-demo/compiled/stream/terms_over_time.js';

const core = await load();
const time = (second) => new Date(second * 1000).toISOString().replace('.000', '');

/** 0.5 a second from 1000 to 2000, 500 in all. */
const aStream = (changes = {}) => ({
  id: 's-1', kind: 'linear', status: 'active', depositAmount: '500.0000000', ratePerSecond: '0.5000000',
  withdrawnAmount: '0.0000000', settledAmount: '0.0000000', checkpointedAmount: '0.0000000', checkpointedAt: 1000,
  startTime: 1000, cliffTime: 1000, endTime: 2000, cancelledAt: null, version: 1, updatedAt: time(1000), ...changes,
});
const anEntry = (seq, second, stream, event = 'stream.updated') => ({ seq, event, closedAt: time(second), stream });

const streamedAt = (spans, second) => momentsAt(core, spans, [BigInt(second)])[0]?.balances.streamed;

describe('the terms over time', () => {
  const created = aStream();
  const slower = aStream({ version: 2, ratePerSecond: '0.1000000', checkpointedAmount: '100.0000000',
    checkpointedAt: 1200, updatedAt: time(1200) });
  const history = [anEntry(1, 1000, created, 'stream.created'), anEntry(2, 1200, slower)];

  test('each moment has the terms of its time', () => {
    const spans = termSpans(slower, history);
    assert.equal(streamedAt(spans, 1100), '50.0000000');
    assert.equal(streamedAt(spans, 1199), '99.5000000');
    assert.equal(streamedAt(spans, 1200), '100.0000000');
    assert.equal(streamedAt(spans, 1300), '110.0000000');
  });

  test('without the history nothing is known of what lies before the checkpoint', () => {
    const spans = termSpans(slower, []);
    assert.equal(streamedAt(spans, 1199), undefined);
    assert.equal(streamedAt(spans, 1200), '100.0000000');
    assert.equal(spanAt(spans, 1199n), null);
  });

  test('the present terms tell back to the start, but not what was paid out by then', () => {
    const withdrew = aStream({ version: 7, withdrawnAmount: '20.0000000', updatedAt: time(1500) });
    const spans = termSpans(withdrew, []);
    assert.equal(streamedAt(spans, 1400), '200.0000000');
    assert.equal(spanAt(spans, 1499n).payoutsKnown, false);
    assert.equal(spanAt(spans, 1500n).payoutsKnown, true);
    const whole = termSpans(withdrew, [...history.slice(0, 1), anEntry(7, 1500, withdrew)]);
    assert.equal(spanAt(whole, 1499n).payoutsKnown, true);
    assert.equal(spanAt(whole, 1499n).stream.withdrawnAmount, '0.0000000');
  });

  test('a completed stream accrued before it was completed', () => {
    const spans = termSpans(aStream({ status: 'completed', version: 3, updatedAt: time(2010) }), []);
    assert.equal(streamedAt(spans, 1500), '250.0000000');
    assert.equal(streamedAt(spans, 2010), '500.0000000');
  });

  test('what the feed has brought and the history not yet is the last span', () => {
    const spans = termSpans(slower, history.slice(0, 1));
    assert.equal(streamedAt(spans, 1300), '110.0000000');
    assert.equal(streamedAt(spans, 1100), '50.0000000');
  });

  test('what was read from storage holds from its own ledger on, also where it stands behind later entries', () => {
    const ended = anEntry(3, 1250, { ...slower, version: 3 });
    const observed = anEntry(4, 1200, { ...slower, version: 4, ratePerSecond: '0.2000000' }, 'stream.observed');
    const spans = termSpans(observed.stream, [...history, ended, observed]);
    assert.equal(streamedAt(spans, 1300), '120.0000000');
    assert.equal(streamedAt(spans, 1100), '50.0000000');
  });

  test('a second has the last of what happened in it', () => {
    const first = anEntry(2, 1200, { ...created, version: 2 });
    const spans = termSpans(slower, [...history.slice(0, 1), first, anEntry(3, 1200, slower)]);
    assert.deepEqual(spans.map(({ from }) => from), [0n, 1200n]);
    assert.equal(streamedAt(spans, 1300), '110.0000000');
    const many = Array.from({ length: 9 },
      (_, i) => anEntry(i + 1, 1000 + i, aStream({ version: i + 1 }), 'stream.created'));
    for (const { closedAt, stream } of many.slice(1)) {
      assert.equal(spanAt(termSpans(many.at(-1).stream, many), BigInt(Date.parse(closedAt) / 1000)).stream, stream);
    }
  });

  test('pauses are the spans of that status', () => {
    const paused = aStream({ status: 'paused' });
    const entries = [anEntry(1, 1000, created, 'stream.created'), anEntry(2, 1100, paused), anEntry(3, 1150, paused),
      anEntry(4, 1200, created), anEntry(5, 1300, { ...paused, version: 5 })];
    assert.deepEqual(pauses(termSpans(entries[4].stream, entries)),
      [{ from: 1100n, to: 1200n }, { from: 1300n, to: null }]);
    const unread = termSpans(aStream({ status: 'paused', updatedAt: time(1400) }), []);
    assert.deepEqual(pauses(unread), [{ from: 1400n, to: null }]);
  });
});

describe('places on the paper', () => {
  const range = { from: 1000n, to: 2000n };

  test('times from left to right and back, never off the paper', () => {
    assert.equal(gridX(range, 1000n), 0);
    assert.equal(gridX(range, 1500n), GRID / 2);
    assert.equal(gridX(range, 3000n), GRID);
    assert.equal(gridX(range, 0n), 0);
    assert.equal(timeAt(range, GRID / 2), 1500n);
    assert.equal(timeAt(range, -5), 1000n);
    assert.equal(timeAt(range, 2 * GRID), 2000n);
    const far = { from: (1n << 63n) - 1_000n, to: 1n << 63n };
    assert.equal(timeAt(far, gridX(far, far.from + 250n)), far.from + 250n);
  });

  test('amounts from bottom to top, however large', () => {
    const deposit = (1n << 127n) - 1n;
    assert.equal(gridY(deposit, deposit), GRID);
    assert.equal(gridY(deposit / 4n, deposit), GRID / 4 - 1);
    assert.equal(gridY(-1n, deposit), 0);
    assert.equal(gridY(5n, 0n), 0);
    assert.equal(gridY(5n, 4n), GRID);
  });

  test('a stream without a real end is shown until its deposit is used up', () => {
    assert.deepEqual(curveRange(core, aStream()), range);
    assert.deepEqual(curveRange(core, aStream({ endTime: '18446744073709551615' })), range);
    assert.deepEqual(curveRange(core, aStream({ endTime: 1000 })), range);
    assert.deepEqual(curveRange(core, aStream({ endTime: 1000, ratePerSecond: '0.0000000' })),
      { from: 1000n, to: 1001n });
  });
});

describe('the lines', () => {
  const lineOf = (stream, entries, now) => {
    const spans = termSpans(stream, entries);
    const range = curveRange(core, stream);
    const [moment = null] = momentsAt(core, spans, [now]);
    const top = core.amounts.parse(stream.depositAmount);
    return curveLines(core, curveMoments(core, spans, range), { range, top }, moment);
  };

  test('past and future meet now, and what was withdrawn ends there', () => {
    const stream = aStream({ withdrawnAmount: '25.0000000', updatedAt: time(1100), version: 2 });
    const entries = [anEntry(1, 1000, aStream(), 'stream.created'), anEntry(2, 1100, stream)];
    const { x, past, future, paid, earlier } = lineOf(stream, entries, 1250n);
    const now = x.indexOf(GRID / 4);
    assert.equal(past[now], GRID / 4);
    assert.equal(future[now], GRID / 4);
    assert.ok(x.every((place, index) => place >= (x[index - 1] ?? 0)));
    assert.ok(past.every((y, index) => (y === null) === index > now));
    assert.ok(future.every((y, index) => (y === null) === index < now));
    assert.equal(paid[now], GRID / 20);
    assert.equal(paid[0], 0);
    assert.equal(paid[now + 1], null);
    assert.ok(earlier.every((y) => y === null));
  });

  test('what isn’t known is a line of its own, from nothing to where knowledge begins', () => {
    const stream = aStream({ checkpointedAmount: '100.0000000', checkpointedAt: 1500, updatedAt: time(1500) });
    const { x, past, earlier } = lineOf(stream, [], 1600n);
    assert.deepEqual([x[0], earlier[0], past[0]], [0, 0, null]);
    assert.equal(past[1], GRID / 5);
    assert.equal(earlier[1], GRID / 5);
    assert.ok(earlier.slice(2).every((y) => y === null));
  });

  test('a cliff is a step at its very second', () => {
    const stream = aStream({ cliffTime: 1333 });
    const { x, future } = lineOf(stream, [anEntry(1, 1000, stream, 'stream.created')], 1000n);
    const cliff = x.indexOf(gridX({ from: 1000n, to: 2000n }, 1333n));
    assert.deepEqual([future[cliff - 1], future[cliff]], [0, 333_000]);
  });

  test('before a stream has begun, all of it is to come', () => {
    const { past, future } = lineOf(aStream(), [anEntry(1, 900, aStream(), 'stream.created')], 900n);
    assert.ok(past.every((y) => y === null));
    assert.ok(future.every((y) => y !== null));
  });
});

describe('what is written beside it', () => {
  test('the axis has a few round amounts up to the deposit', () => {
    const units = (...amounts) => amounts.map((amount) => BigInt(amount) * 10_000_000n);
    assert.deepEqual(axisAmounts(500n * 10_000_000n), units(0, 100, 200, 300, 400, 500));
    assert.deepEqual(axisAmounts(301n * 10_000_000n), units(0, 100, 200, 300));
    assert.deepEqual(axisAmounts(3n), [0n, 1n, 2n, 3n]);
    assert.deepEqual(axisAmounts(0n), [0n]);
    for (let deposit = 1n; deposit < 1n << 127n; deposit = deposit * 3n + 1n) {
      const amounts = axisAmounts(deposit);
      assert.ok(amounts.length >= 2 && amounts.length <= 6 && amounts.at(-1) <= deposit, `${deposit}: ${amounts}`);
    }
  });

  test('round amounts are short, and exact', () => {
    const texts = { '0.0000000': '0', '2.5000000': '2.5', '100.0000000': '100', '40000.0000000': '40,000',
      '999999.0000000': '999,999', '1000000.0000000': '1 M', '1500000.0000000': '1.5 M', '20000000.0000000': '20 M',
      '5000000000.0000000': '5 bn', '2000000000000.0000000': '2 tn', '50000000000000000.0000000': '5×10^16',
      '0.0000200': '0.00002' };
    for (const [decimal, text] of Object.entries(texts)) assert.equal(shortAmount(decimal), text);
  });

  test('the marks are those that lie on the curve', () => {
    const stream = aStream({ cliffTime: 1100, cancelledAt: 1500, status: 'cancelled', version: 3,
      updatedAt: time(1500) });
    const curve = new CurveOfStream(core, stream, termSpans(stream, []));
    const names = (second) => curve.drawing(second).marks.map(({ text }) => text);
    assert.deepEqual(names(1600n), ['Cliff', 'Cancelled', 'Now']);
    assert.deepEqual(names(2600n), ['Cliff', 'Cancelled']);
    assert.equal(curve.drawing(2600n).now, null);
  });

  test('until now, the paper ends there, with what was streamed at its top', () => {
    const stream = aStream();
    const spans = termSpans(stream, [anEntry(1, 1000, stream, 'stream.created')]);
    const curve = new CurveOfStream(core, stream, spans, 1250n);
    const { lines, now, topText, marks, amounts } = curve.drawing(1250n);
    assert.deepEqual(now, { x: GRID, y: GRID });
    assert.equal(lines.past.at(-1), GRID);
    assert.equal(lines.past[lines.x.indexOf(GRID / 2)], GRID / 2);
    assert.equal(topText, '');
    assert.deepEqual(marks.map(({ text }) => text), ['Now']);
    assert.deepEqual(amounts.at(-1), { at: (GRID * 100) / 125, text: '100' });
  });

  test('the points as a table are exact, and say nothing that isn’t known', () => {
    const stream = aStream({ withdrawnAmount: '20.0000000', updatedAt: time(1500), version: 2 });
    const [names, ...rows] = new CurveOfStream(core, stream, termSpans(stream, [])).csvRows();
    assert.deepEqual(names, ['time', 'status', 'streamed', 'withdrawable', 'paid_out']);
    const row = (second) => rows.find(([at]) => at === second).slice(1);
    assert.deepEqual(row('1500'), ['active', '250.0000000', '230.0000000', '20.0000000']);
    assert.deepEqual(row('1000'), ['active', '0.0000000', '', '']);
  });
});
