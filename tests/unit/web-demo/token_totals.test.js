// Totals by token, from the core's columns.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UnitColumn } from '../../../web-demo/compiled/live/unit_column.js';
import { StatusCounts } from '../../../web-demo/compiled/streams/status_counts.js';
import { TokenGroups } from '../../../web-demo/compiled/streams/token_totals.js';

/** Amounts as the core lays them out. */
function column(...amounts) {
  return new UnitColumn(BigUint64Array.from(amounts.flatMap((units) => [BigInt.asUintN(64, units), BigInt.asUintN(64, units >> 64n)])));
}

const LEAST = -(1n << 127n);
const MOST = (1n << 127n) - 1n;
const AMOUNTS = [0n, 1n, -1n, 4_294_967_295n, 4_294_967_296n, (1n << 64n) - 1n, 1n << 64n, -(1n << 64n), 1n << 96n, MOST, LEAST];

test('a column gives back what is in it, and compares it', () => {
  const amounts = column(...AMOUNTS);
  for (const [i, a] of AMOUNTS.entries()) {
    assert.equal(amounts.at(i), a);
    for (const [j, b] of AMOUNTS.entries()) {
      assert.equal(Math.sign(amounts.compare(i, j)), a < b ? -1 : a > b ? 1 : 0, `${a}, ${b}`);
    }
  }
});

test('a sum is exact, also where it is more than an amount can hold', () => {
  const amounts = column(...AMOUNTS);
  assert.equal(amounts.sum([...AMOUNTS.keys()]), AMOUNTS.reduce((sum, units) => sum + units));
  assert.equal(amounts.sum([1, 3, 4]), 1n + 4_294_967_295n + 4_294_967_296n);
  assert.equal(amounts.sum([9, 9, 9]), 3n * MOST);
  assert.equal(amounts.sum([10, 10]), 2n * LEAST);
  assert.equal(amounts.sum([]), 0n);
});

test('a sum of a hundred thousand of the largest is exact', () => {
  const amounts = column(MOST, LEAST, MOST - 1n);
  for (const [row, units] of [MOST, LEAST, MOST - 1n].entries()) {
    assert.equal(amounts.sum(new Array(100_000).fill(row)), 100_000n * units);
  }
});

const item = (row, token, deposit, stream = {}) => ({ id: `c-${row}`, row, deposit, stream: { token, ...stream } });

test('streams are together by token, that of most streams first', () => {
  const groups = new TokenGroups();
  groups.take([
    item(4, null, 7n), item(0, 'CA', 1n), item(2, 'CB', 10n), item(3, 'CB', 20n), item(1, 'CB', 30n),
  ]);
  assert.deepEqual(groups.all[0], { token: 'CB', rows: [2, 3, 1], deposits: 60n });
  assert.deepEqual(groups.all.map(({ token, deposits }) => [token, deposits]), [['CB', 60n], [null, 7n], ['CA', 1n]]);
  groups.take([]);
  assert.deepEqual(groups.all, []);
});

test('what comes and changes is taken in by token', () => {
  const groups = new TokenGroups();
  const topped = item(0, 'CA', 5n);
  groups.take([item(1, 'CB', 10n), topped]);
  const changes = [
    { item: item(2, 'CA', 3n), before: null }, { item: item(3, 'CC', 4n), before: null },
    { item: topped, before: { stream: topped.stream, deposit: 1n } },
  ];
  assert.equal(groups.change(changes), true);
  assert.deepEqual(groups.all, [
    { token: 'CA', rows: [0, 2], deposits: 12n }, { token: 'CB', rows: [1], deposits: 10n },
    { token: 'CC', rows: [3], deposits: 4n },
  ]);
  const known = { item: item(1, 'CB', 10n), before: { stream: { token: null }, deposit: 10n } };
  assert.equal(groups.change([known]), false, 'a token that has become known is another group');
});

test('a status is that of the second, and time makes scheduled ones active', () => {
  const items = [['active', 100], ['active', 300], ['active', 301], ['paused', 100], ['cancelled', 100], ['completed', 900]]
    .map(([status, startTime], row) => item(row, null, 0n, { status, startTime }));
  const counts = new StatusCounts();
  counts.take(items, 200);
  const is = (active, scheduled, paused, completed, cancelled) =>
    assert.deepEqual(counts.counts, { active, scheduled, paused, completed, cancelled });
  is(1, 2, 1, 1, 1);
  counts.turn(300);
  is(2, 1, 1, 1, 1);

  items[2].stream = { status: 'paused', startTime: 301 };
  counts.change([
    { item: items[2], before: { stream: { status: 'active', startTime: 301 }, deposit: 0n } },
    { item: item(9, null, 0n, { status: 'active', startTime: 400 }), before: null },
  ]);
  is(2, 1, 2, 1, 1);
  counts.turn(301);
  is(2, 1, 2, 1, 1);
  counts.turn(400);
  is(3, 0, 2, 1, 1);
});
