// Which rows of a long list are in sight, and where a key leads.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rowByKey, rowsInSight, rowsMax, topShowing, withSpare } from '../../../web-demo/compiled/streams/row_window.js';

test('rows in sight are those that have a part in the view', () => {
  assert.deepEqual(rowsInSight(0, 100, 50, 10), { first: 0, end: 2 });
  assert.deepEqual(rowsInSight(1, 100, 50, 10), { first: 0, end: 3 });
  assert.deepEqual(rowsInSight(49.5, 100, 50, 10), { first: 0, end: 3 });
  assert.deepEqual(rowsInSight(50, 100, 50, 10), { first: 1, end: 3 });
  assert.deepEqual(rowsInSight(4_999_950, 100, 50, 100_000), { first: 99_999, end: 100_000 });
});

test('a view past either end, of no height or of no rows has what there is', () => {
  assert.deepEqual(rowsInSight(-80, 100, 50, 10), { first: 0, end: 1 });
  assert.deepEqual(rowsInSight(10_000, 100, 50, 10), { first: 10, end: 10 });
  assert.deepEqual(rowsInSight(0, 0, 50, 10), { first: 0, end: 0 });
  assert.deepEqual(rowsInSight(0, 100, 50, 0), { first: 0, end: 0 });
});

test('spare rows end with the list', () => {
  assert.deepEqual(withSpare({ first: 10, end: 20 }, 6, 100), { first: 4, end: 26 });
  assert.deepEqual(withSpare({ first: 2, end: 9 }, 6, 10), { first: 0, end: 10 });
});

test('a list is no higher than browsers draw, and holds 100,000 streams as cards', () => {
  assert.ok(rowsMax(52) * 52 < 17_000_000);
  assert.ok(rowsMax(150) >= 100_000);
});

test('a row is shown whole with the least scrolling', () => {
  assert.equal(topShowing(3, 100, 200, 50), 100);
  assert.equal(topShowing(1, 100, 200, 50), 50);
  assert.equal(topShowing(6, 100, 200, 50), 150);
});

test('keys lead from row to row and stop at the ends', () => {
  const to = (key, index) => rowByKey(key, index, 100, 8);
  assert.deepEqual(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'].map((key) => to(key, 50)), [51, 49, 58, 42, 0, 99]);
  assert.deepEqual([to('ArrowUp', 0), to('ArrowDown', 99), to('PageUp', 3), to('PageDown', 97)], [0, 99, 0, 99]);
  assert.equal(to('Enter', 50), undefined);
});
