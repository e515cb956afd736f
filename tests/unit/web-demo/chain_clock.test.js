// What time it is on the chain, as far as ledgers and the server's clock tell.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChainClock } from '../../../web-demo/compiled/live/chain_clock.js';

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
  clock.observeClose(1_005);
  assert.equal(clock.nowMs(), 1_005_000);
  for (const beyond of [2 ** 60, Infinity, NaN]) clock.observeClose(beyond);
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
