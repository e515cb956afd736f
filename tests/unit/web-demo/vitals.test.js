// What the page measures of itself and of the service, and how it says quantities.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FRAMES_KEPT, FrameTimes } from '../../../web-demo/compiled/live/frame_times.js';
import { Listeners } from '../../../web-demo/compiled/live/listeners.js';
import { STEPS, STEP_SECONDS, Vitals } from '../../../web-demo/compiled/live/vitals.js';
import { lagText } from '../../../web-demo/compiled/system/minutes_card.js';
import { bytes, count, elapsed, microseconds, rate, scaleEnd } from '../../../web-demo/compiled/system/quantities.js';

test('frames are summed up: how many a second, and what they took', () => {
  const times = new FrameTimes();
  assert.deepEqual(times.summary(), { frames: 0, perSecond: null, medianUs: 0, p99Us: 0 });
  for (let frame = 0; frame < 101; frame += 1) times.add(frame * 20, frame * 20 + (frame === 50 ? 9 : 2));
  assert.deepEqual(times.summary(), { frames: 101, perSecond: 50, medianUs: 2_000, p99Us: 2_000 });
  for (let frame = 101; frame < 101 + FRAMES_KEPT; frame += 1) times.add(frame * 20, frame * 20 + 3);
  assert.deepEqual(times.summary(), { frames: FRAMES_KEPT, perSecond: 50, medianUs: 3_000, p99Us: 3_000 });
});

test('where one frame in fifty is slow, the hundredth says so', () => {
  const times = new FrameTimes();
  for (let frame = 0; frame < 100; frame += 1) times.add(frame * 16, frame * 16 + (frame % 50 === 0 ? 12 : 1));
  assert.deepEqual([times.summary().medianUs, times.summary().p99Us], [1_000, 12_000]);
});

test('a pause begins the measure of frames anew', () => {
  const times = new FrameTimes();
  times.add(0, 5);
  times.add(16, 21);
  times.add(5_000, 5_001);
  assert.deepEqual(times.summary(), { frames: 1, perSecond: null, medianUs: 1_000, p99Us: 1_000 });
});

/** Vitals whose clock a test moves. */
function newVitals() {
  const [feed, health] = [{ onEntry: new Listeners() }, { onHealth: new Listeners() }];
  const place = { seconds: 1_000 };
  const vitals = new Vitals(feed, health, () => place.seconds * 1_000);
  return {
    vitals,
    pass: (seconds) => { place.seconds += seconds; },
    entry: () => feed.onEntry.tell({}),
    lag: (lagMs, status = 'healthy') => health.onHealth.tell({ indexer: { lagMs, status } }),
    lose: () => health.onHealth.tell(null),
  };
}

test('entries are counted in steps of five seconds, and what was before the page is unknown', () => {
  const { vitals, pass, entry } = newVitals();
  assert.deepEqual(vitals.entries(), [...Array(STEPS - 1).fill(null), 0]);
  entry();
  entry();
  pass(STEP_SECONDS);
  entry();
  assert.deepEqual(vitals.entries().slice(-3), [null, 2, 1]);
  pass(2 * STEP_SECONDS);
  assert.deepEqual(vitals.entries().slice(-5), [null, 2, 1, 0, 0]);
  pass(3_600);
  assert.deepEqual(vitals.entries(), Array(STEPS).fill(0));
  assert.equal(vitals.entries().length, STEPS);
});

test('of the lag each step keeps the greatest, and where nobody answered nothing is known', () => {
  const { vitals, pass, lag, lose } = newVitals();
  lag(300);
  lag(100);
  pass(STEP_SECONDS);
  lose();
  pass(STEP_SECONDS);
  lag(0);
  assert.deepEqual(vitals.lag().slice(-4), [null, 300, null, 0]);
  lag(9, 'not_configured');
  assert.deepEqual(vitals.lag().slice(-1), [0]);
});

test('the lag now is what was told of just now, not the last that was ever known', () => {
  assert.equal(lagText([null, 900, 300, null]), '300 ms now, at most 900 ms in the last five minutes.');
  assert.equal(lagText([null, 900, null, 200]), '200 ms now, at most 900 ms in the last five minutes.');
  assert.equal(lagText([900, 300, null, null]), 'unknown now, at most 900 ms in the last five minutes.');
  assert.equal(lagText([null, null]), 'nothing is known of it yet.');
});

test('quantities come with their units', () => {
  assert.deepEqual([count(12_345), rate(0.64), rate(12.6), rate(0)], ['12,345', '0.6', '13', '0']);
  assert.deepEqual([0, 430.4, 1_234, 60_000, 125_000, 3_600_000, 300_000, 11_400_000].map(elapsed),
    ['0 ms', '430 ms', '1.2 s', '1 min', '2 min 5 s', '1 h', '5 min', '3 h 10 min']);
  assert.deepEqual([microseconds(350), microseconds(12_000)], ['0.35 ms', '12 ms']);
  assert.deepEqual([bytes(98_400), bytes(1_440_000)], ['98 KB', '1.4 MB']);
});

test('a scale ends at 1, 2 or 5 of something', () => {
  assert.deepEqual([0, 0.4, 1, 1.2, 2.1, 5, 5.1, 130].map((value) => scaleEnd(value)), [1, 1, 1, 2, 5, 5, 10, 200]);
  assert.deepEqual([scaleEnd(77, 100), scaleEnd(240, 100), scaleEnd(9_000, 100)], [100, 500, 10_000]);
});
