// Two accounts of one stream: which members differ, and in which digits.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compareMembers, runs } from '../../../web-demo/compiled/stream/comparison.js';

const differing = (ours, theirs) => compareMembers(ours, theirs).filter(({ isEqual }) => !isEqual);

test('every member that either has is compared', () => {
  assert.deepEqual(differing({ a: '1', b: null, c: 3 }, { a: '1', b: null, c: 3 }), []);
  assert.deepEqual(differing({ a: '1' }, { a: '2' }), [{ name: 'a', ours: '1', theirs: '2', isEqual: false }]);
  assert.deepEqual(differing({}, { a: '2' }), [{ name: 'a', ours: '(not there)', theirs: '2', isEqual: false }]);
  assert.deepEqual(differing({ a: null }, {}), [{ name: 'a', ours: 'null', theirs: '(not there)', isEqual: false }]);
});

test('a number and its text aren’t the same', () => {
  assert.equal(differing({ endTime: 5 }, { endTime: '5' }).length, 1);
});

const marked = (text, other) => runs(text, other).map((run) => (run.differs ? `[${run.text}]` : run.text)).join('');

test('the digits that differ are marked, and no others', () => {
  assert.equal(marked('12.5000000', '12.5000000'), '12.5000000');
  assert.equal(marked('12.5000000', '12.5000001'), '12.500000[0]');
  assert.equal(marked('12.5000000', '13.5000009'), '1[2].500000[0]');
});

test('amounts stand below each other by their points', () => {
  assert.equal(marked('112.5000000', '12.5000000'), '[1]12.5000000');
  assert.equal(marked('12.5000000', '112.5000000'), '12.5000000');
  assert.equal(marked('-2.5000000', '2.5000000'), '[-]2.5000000');
});

test('other texts by their first characters', () => {
  assert.equal(marked('active', 'archived'), 'a[ctive]');
  assert.equal(marked('GABC', 'GABD'), 'GAB[C]');
  assert.equal(marked('null', '1774776687'), '[null]');
});
