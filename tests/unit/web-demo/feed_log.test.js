// The log as the page holds it: each entry once and in order, what undoes what, what was replayed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FeedLog, ITEMS_MAX, entryKey } from '../../../web-demo/compiled/live/feed_log.js';

const live = { connection: 1, at: 0, isReplayed: false };
const entry = (seq, more = {}) => ({ seq, event: 'stream.updated', streamId: 's', ...more });
const reset = (reason, cursor) => ({ type: 'reset', reason, gap: null, cursor, state: [{}, {}] });

function add(log, seqs, { epoch = 'a', ...coming } = {}) {
  for (const seq of seqs) log.addEntry(entry(seq), { epoch, seq: BigInt(seq) }, { ...live, ...coming });
}

const shown = (log) => log.items.map((item) => (item.type === 'reset' ? item.reason : item.entry.seq));
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('however entries come, they are held in the log’s order and once', () => {
  const log = new FeedLog();
  add(log, [10, 11, 12]);
  add(log, [8, 9, 10, 11, 12, 13]);
  assert.deepEqual(shown(log), [8, 9, 10, 11, 12, 13]);
  assert.deepEqual(log.items.map(({ times }) => times), [1, 1, 2, 2, 2, 1]);
});

test('the highest positions are kept, up to the bound', () => {
  const log = new FeedLog();
  add(log, range(1_000, 1_099));
  add(log, range(1, 1_200));
  assert.equal(log.size, ITEMS_MAX);
  assert.deepEqual(shown(log), range(1_201 - ITEMS_MAX, 1_200));
  assert.equal(log.entry(entryKey(0, 1)), undefined);
});

test('a reset stands behind what its state holds, and before what follows', () => {
  const log = new FeedLog();
  log.addReset(reset('start', 'a-5'), { epoch: 'a', seq: 5n }, 0);
  add(log, [6, 7]);
  add(log, [4, 5, 6, 7]);
  assert.deepEqual(shown(log), [4, 5, 'start', 6, 7]);
  log.addReset(reset('gap', 'a-9'), { epoch: 'a', seq: 9n }, 0);
  add(log, [10]);
  assert.deepEqual(shown(log), [4, 5, 'start', 6, 7, 'gap', 10]);
  assert.equal(log.items[0].type, 'entry');
  assert.equal(log.items[2].streams, 2);
});

test('another log’s positions are others, the same log’s are not, whatever was asked for', () => {
  const log = new FeedLog();
  add(log, [6, 7]);
  log.addReset(reset('epoch_changed', 'a-7'), { epoch: 'a', seq: 7n }, 0);
  add(log, [8]);
  assert.deepEqual(shown(log), [6, 7, 'epoch_changed', 8]);
  log.addReset(reset('epoch_changed', 'b-2'), { epoch: 'b', seq: 2n }, 0);
  add(log, [3], { epoch: 'b' });
  add(log, [6], { epoch: 'b' });
  assert.deepEqual(shown(log), [6, 7, 'epoch_changed', 8, 'epoch_changed', 3, 6]);
  assert.equal(log.entry(entryKey(0, 6)).times, 1);
});

test('an entry and the one that retracts it know each other, whichever came first', () => {
  for (const seqs of [[1, 2, 3], [3, 2, 1]]) {
    const log = new FeedLog();
    for (const seq of seqs) {
      const more = seq === 3 ? { event: 'stream.retracted', retracts: 2 } : {};
      log.addEntry(entry(seq, more), { epoch: 'a', seq: BigInt(seq) }, live);
    }
    assert.deepEqual(log.items.map(({ undoneBy }) => undoneBy), [null, 3, null]);
  }
});

test('of a connection, what it brought up to the head is replayed, and nothing else', () => {
  const log = new FeedLog();
  add(log, [1, 2, 3], { connection: 1 });
  add(log, [4, 5, 6], { connection: 2 });
  log.markReplayed(2, 5n);
  const replayed = () => log.items.filter(({ isReplayed }) => isReplayed).map(({ entry: { seq } }) => seq);
  assert.deepEqual(replayed(), [4, 5]);
  add(log, [2, 3], { connection: 3, isReplayed: true });
  assert.deepEqual(replayed(), [2, 3, 4, 5]);
});
