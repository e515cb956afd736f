// A stream's log entries as the page holds them: once each, in order, and which of them still stand.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History } from '../../../web-demo/compiled/stream/history.js';

const anEntry = (seq, changes = {}) => ({ seq, prevSeq: seq === 1 ? null : 1, event: 'stream.updated', kind: 'withdrew',
  closedAt: '2026-03-29T09:31:27Z', ledger: 5, txHash: 'ab', eventId: `e-${seq}`, change: {}, ...changes });
const retraction = (seq, retracts) =>
  anEntry(seq, { event: 'stream.retracted', kind: 'retracted', retracts, txHash: null });
const seqs = (entries) => entries.map(({ seq }) => seq);

function historyOf(...entries) {
  const history = new History();
  history.add(entries);
  return history;
}

test('entries are held once, in the log’s order, however they come', () => {
  const history = historyOf(anEntry(9), anEntry(12));
  history.add([anEntry(1), anEntry(9), anEntry(10)]);
  history.add([anEntry(12)]);
  assert.deepEqual(seqs(history.entries), [1, 9, 10, 12]);
});

test('it is whole when nothing lies before its first entry', () => {
  assert.equal(new History().isWhole, false);
  const history = historyOf(anEntry(9));
  assert.equal(history.isWhole, false);
  history.add([anEntry(1)]);
  assert.equal(history.isWhole, true);
});

test('a retraction and what it takes back don’t stand', () => {
  // A reorg takes back 12 and 9, newest first; 15 is the new branch.
  const history = historyOf(anEntry(1), anEntry(9), anEntry(12), retraction(13, 12), retraction(14, 9), anEntry(15));
  assert.deepEqual(seqs(history.standing()), [1, 15]);
  assert.equal(history.retractedBy(anEntry(12)), 13);
  assert.equal(history.retractedBy(anEntry(9)), 14);
  assert.equal(history.retractedBy(anEntry(15)), null);
});

test('a retraction may be known before what it takes back', () => {
  const history = historyOf(retraction(13, 12));
  assert.deepEqual(history.standing(), []);
  history.add([anEntry(1), anEntry(12)]);
  assert.deepEqual(seqs(history.standing()), [1]);
});

test('as a table it has all entries, and says which were taken back', () => {
  const change = { withdrawnAmount: ['0.0000000', '5.0000000'] };
  const [names, ...rows] = historyOf(anEntry(1, { change }), retraction(2, 1)).csvRows();
  assert.equal(rows.length, 2);
  const column = (name) => rows.map((row) => row[names.indexOf(name)]);
  assert.deepEqual(column('position'), ['1', '2']);
  assert.deepEqual(column('retracted_by'), ['2', '']);
  assert.deepEqual(column('what'), ['Withdrawal', 'Retracted by a reorg']);
  assert.deepEqual(column('transaction'), ['ab', '']);
  assert.deepEqual(JSON.parse(column('change')[0]), change);
});
