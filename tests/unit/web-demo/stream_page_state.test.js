// What a stream's page shows: the stream, or what stands in its place.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pageState } from '../../../web-demo/compiled/stream/page_state.js';

const state = (phase, known = {}) =>
  pageState({ phase }, { isHeld: false, wasHeld: false, isDenied: false, ...known });

test('a stream that is held is shown, however the connection is', () => {
  for (const phase of ['live', 'waiting', 'cut', 'refused']) {
    assert.equal(state(phase, { isHeld: true, wasHeld: true }), 'stream');
  }
});

test('one that was held and isn’t any more is gone', () => {
  assert.equal(state('live', { wasHeld: true }), 'gone');
});

test('one that wasn’t held yet is being read, or can’t be reached', () => {
  assert.equal(state('connecting'), 'loading');
  assert.equal(state('waiting'), 'unreachable');
  assert.equal(state('refused'), 'unreachable');
  assert.equal(state('cut'), 'unreachable');
});

test('it is missing where the service says so, however the connection is', () => {
  assert.equal(state('live'), 'loading');
  for (const phase of ['live', 'waiting', 'cut']) assert.equal(state(phase, { isDenied: true }), 'missing');
});
