// The order of the table: what is sorted by, what is found, and what happens to it when streams come, change and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { StreamBook } from '../../../web-demo/compiled/live/stream_book.js';
import { StreamOrder, compareDecimals } from '../../../web-demo/compiled/streams/stream_order.js';

const core = await load();

/** 0.5 a second from 100 to 2100. */
const aStream = (id, changes = {}) => ({
  id, kind: 'linear', status: 'active', sender: 'GSENDER', recipient: 'GRECIPIENT', token: 'CTOKEN',
  depositAmount: '1000.0000000', ratePerSecond: '0.5000000', withdrawnAmount: '0.0000000', settledAmount: '0.0000000',
  checkpointedAmount: '0.0000000', checkpointedAt: 100, startTime: 100, cliffTime: 100, endTime: 2100, cancelledAt: null,
  createdAt: '2026-03-29T09:31:27.000Z', version: 1, ...changes,
});

function orderOf(...streams) {
  const book = new StreamBook(core);
  book.replaceAll(streams);
  book.turnTo(200);
  const order = new StreamOrder(book, core.amounts.parse);
  order.take(200);
  return { book, order };
}

const ids = (order) => order.wanted.map(({ id }) => id);

function sorted(order, by, descending, second = 200) {
  order.sorting = { by, descending };
  order.take(second);
  return ids(order);
}

test('decimals compare as numbers, of any length and sign', () => {
  const rising = ['-10.0000000', '-9.5000000', '-9.0000000', '0.0000000', '0.0000001', '9.0000000', '10.0000000'];
  for (const [i, a] of rising.entries()) {
    for (const [j, b] of rising.entries()) assert.equal(Math.sign(compareDecimals(a, b)), Math.sign(i - j), `${a}, ${b}`);
  }
});

test('the newest stands first, of one moment the higher number', () => {
  const { order } = orderOf(aStream('c-9'), aStream('c-10'), aStream('c-2', { createdAt: '2026-03-29T09:31:28.000Z' }));
  assert.deepEqual(ids(order), ['c-2', 'c-10', 'c-9']);
  assert.deepEqual(sorted(order, 'created', false), ['c-9', 'c-10', 'c-2']);
});

test('each column sorts both ways, and what is equal by it newest first', () => {
  const { order } = orderOf(
    aStream('c-1', { depositAmount: '90.0000000', ratePerSecond: '1.0000000', endTime: 300 }),
    aStream('c-2', { depositAmount: '1000.0000000', ratePerSecond: '0.2500000', endTime: '18446744073709551615', status: 'paused' }),
    aStream('c-3', { depositAmount: '90.0000000', ratePerSecond: '0.5000000', endTime: 200, status: 'cancelled', cancelledAt: 150 }),
  );
  const both = (by) => [sorted(order, by, false), sorted(order, by, true)].map((list) => list.join(' '));
  assert.deepEqual(both('deposit'), ['c-3 c-1 c-2', 'c-2 c-3 c-1']);
  assert.deepEqual(both('rate'), ['c-2 c-3 c-1', 'c-1 c-3 c-2']);
  assert.deepEqual(both('end'), ['c-3 c-1 c-2', 'c-2 c-1 c-3']);
  assert.deepEqual(both('status'), ['c-1 c-2 c-3', 'c-3 c-2 c-1']);
  // At 200: 90 of 100, 25, 25.
  assert.deepEqual(both('streamed'), ['c-3 c-2 c-1', 'c-1 c-3 c-2']);
  assert.deepEqual(both('withdrawable'), ['c-2 c-3 c-1', 'c-1 c-3 c-2']);
});

test('without balances yet, moving columns leave the newest first', () => {
  const { order } = orderOf(aStream('c-1', { ratePerSecond: '9.0000000' }), aStream('c-2'));
  assert.deepEqual(sorted(order, 'streamed', true, null), ['c-2', 'c-1']);
});

test('a part of an id or an address is found in any case, and a status at its second', () => {
  const { order } = orderOf(
    aStream('api-0192f0c1', { recipient: 'GALICE', startTime: 300 }), aStream('CCHAIN-7', { recipient: 'GBOB', token: null }),
    aStream('CCHAIN-8', { status: 'paused' }),
  );
  const found = (text, status = '', second = 200) => {
    order.filter = { text, status };
    order.take(second);
    return ids(order).sort();
  };
  assert.deepEqual(found('API-0192F'), ['api-0192f0c1']);
  assert.deepEqual(found(' cchain-7 '), ['CCHAIN-7']);
  assert.deepEqual(found('alice'), ['api-0192f0c1']);
  assert.deepEqual(found('ctoken'), ['CCHAIN-8', 'api-0192f0c1']);
  assert.deepEqual(found('nobody'), []);
  assert.deepEqual(found('', 'scheduled'), ['api-0192f0c1']);
  assert.deepEqual(found('', 'active', 300), ['CCHAIN-7', 'api-0192f0c1']);
  assert.deepEqual(found('cchain', 'paused'), ['CCHAIN-8']);
  assert.equal(order.all.length, 3);
  assert.equal(order.isFiltered, true);
});

test('new streams get their place and leave the others theirs, changed ones keep it', () => {
  const { book, order } = orderOf(...[10, 30, 50].map((n) => aStream(`c-${n}`, { depositAmount: `${n}.0000000` })));
  sorted(order, 'deposit', true);
  book.put(aStream('c-40', { depositAmount: '40.0000000' }));
  book.put(aStream('c-10', { depositAmount: '99.0000000' }));
  book.turnTo(200);
  const [added, changed] = order.takeIn(['c-40', 'c-10'], 200);
  assert.deepEqual([added.item.id, added.before], ['c-40', null]);
  assert.deepEqual([changed.item.id, changed.before.deposit, changed.item.deposit], ['c-10', 100_000_000n, 990_000_000n]);
  assert.deepEqual(ids(order), ['c-50', 'c-40', 'c-30', 'c-10']);
  assert.equal(order.indexOf('c-10'), 3);
  assert.equal(order.all[3].deposit, 990_000_000n);
  order.take(200);
  assert.deepEqual(ids(order), ['c-10', 'c-50', 'c-40', 'c-30']);
});

test('a new stream that isn’t looked for isn’t shown', () => {
  const { book, order } = orderOf(aStream('c-1'));
  order.filter = { text: '', status: 'active' };
  order.take(200);
  book.put(aStream('c-2', { status: 'paused' }));
  book.turnTo(200);
  assert.equal(order.takeIn(['c-2'], 200).length, 1);
  assert.deepEqual(ids(order), ['c-1']);
  assert.equal(order.all.length, 2);
});

test('when a stream goes, all are looked at again: the others have other rows', () => {
  const { book, order } = orderOf(aStream('c-1'), aStream('c-2'), aStream('c-3', { ratePerSecond: '9.0000000' }));
  book.remove('c-1');
  book.turnTo(200);
  assert.equal(order.takeIn(['c-1'], 200), null);
  assert.equal(order.all.length, 3);
  order.take(200);
  assert.deepEqual(ids(order), ['c-3', 'c-2']);
  for (const { id, row } of order.wanted) assert.equal(row, book.rowOf(id));
  assert.equal(order.indexOf('c-1'), -1);
});

test('one that goes and comes back in a moment has another row, and others too', () => {
  const { book, order } = orderOf(aStream('c-1'), aStream('c-2'), aStream('c-3', { ratePerSecond: '9.0000000' }));
  book.remove('c-1');
  book.put(aStream('c-1'));
  book.turnTo(200);
  assert.equal(order.takeIn(['c-1'], 200), null);
  order.take(200);
  assert.deepEqual(ids(order), ['c-3', 'c-2', 'c-1']);
  for (const { id, row } of order.wanted) assert.equal(row, book.rowOf(id));
  assert.deepEqual(order.takeIn([], 200), []);
});
