import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aStream, needsVectors, newCore, readCases, readLines, withCode } from './support.js';

const core = newCore();
const KINDS = { Linear: 'linear', CliffOnly: 'cliff_only', CliffSlope: 'cliff_slope' };

/** A vector's stream as this package takes it: amounts as decimal text. */
function streamOf(vector, id) {
  const amount = (units) => core.amounts.format(BigInt(units ?? '0'));
  return {
    id,
    kind: KINDS[vector.kind],
    status: vector.status?.toLowerCase() ?? (vector.cancelled_at == null ? 'active' : 'cancelled'),
    depositAmount: amount(vector.deposit_amount),
    ratePerSecond: amount(vector.rate_per_second),
    withdrawnAmount: amount(vector.withdrawn_amount),
    settledAmount: amount('0'),
    checkpointedAmount: amount(vector.checkpointed_amount),
    checkpointedAt: vector.checkpointed_at ?? vector.start_time,
    cliffTime: vector.cliff_time ?? vector.start_time,
    endTime: vector.end_time,
    cancelledAt: vector.cancelled_at ?? null,
  };
}

/**
 * One by one and in columns, every vector gives what the contract gave. A column call has one time for all rows, so
 * the vectors go into columns by their time, in blocks that are filled, computed and cleared.
 */
function check(vectors) {
  const single = vectors.map((vector, i) => core.balancesAt(streamOf(vector, `v-${i}`), vector.now));
  single.forEach((balances, i) => {
    assert.equal(balances.streamedUnits, BigInt(vectors[i].expected), JSON.stringify(vectors[i]));
    assert.equal(balances.streamed, core.amounts.format(BigInt(vectors[i].expected)));
  });

  const byTime = new Map();
  vectors.forEach((vector, i) => byTime.set(vector.now, [...(byTime.get(vector.now) ?? []), i]));
  const columns = core.streamColumns();
  let compared = 0;
  for (const [now, indexes] of byTime) {
    columns.clear();
    columns.setAll(indexes.map((i) => streamOf(vectors[i], `v-${i}`)));
    const balances = columns.accrue(BigInt(now));
    indexes.forEach((i) => {
      const row = columns.rowOf(`v-${i}`);
      const inColumns = { streamed: balances.streamed(row), withdrawable: balances.withdrawable(row),
        remaining: balances.remaining(row), streamedUnits: balances.streamedUnits(row),
        withdrawableUnits: balances.withdrawableUnits(row), remainingUnits: balances.remainingUnits(row) };
      const { at, ...alone } = single[i];
      assert.equal(at, BigInt(now));
      assert.deepEqual(inColumns, alone);
      compared += 1;
    });
  }
  columns.dispose();
  assert.equal(compared, vectors.length);
}

test('the contract’s own cases', needsVectors, () => {
  check(readCases('accrual/contract_cases.json', (file) => file.unit_cases));
});

test('what the host returned for streams in every status', needsVectors, () => {
  check(readCases('accrual/contract_cases.json', (file) => file.host_snapshot_cases));
});

test('the documented examples', needsVectors, () => {
  check(readCases('accrual/contract_cases.json', (file) => file.doc_cases));
});

test('seeded inputs through the contract’s real function', needsVectors, () => {
  const vectors = readLines('accrual/contract_differential.jsonl');
  check(vectors);
  for (const vector of vectors.slice(0, 500)) {
    assert.equal(core.accrued(streamOf(vector, ''), vector.now), BigInt(vector.expected));
  }
});

test('balances follow the status', () => {
  const at = (changes, now) => {
    const { streamed, withdrawable, remaining } = core.balancesAt(aStream(changes), now);
    return [streamed, withdrawable, remaining];
  };
  assert.deepEqual(at({}, 150), ['25.0000000', '24.0000000', '999.0000000']);
  assert.deepEqual(at({ status: 'scheduled' }, 99), ['0.0000000', '0.0000000', '999.0000000']);
  assert.deepEqual(at({ status: 'paused' }, 150), ['25.0000000', '0.0000000', '999.0000000']);
  assert.deepEqual(at({ status: 'paused' }, 2100), ['1000.0000000', '999.0000000', '999.0000000']);
  assert.deepEqual(at({ status: 'cancelled', cancelledAt: 120 }, 150), ['10.0000000', '9.0000000', '9.0000000']);
  assert.deepEqual(at({ status: 'completed', withdrawnAmount: '1000' }, 2100),
    ['1000.0000000', '0.0000000', '0.0000000']);
});

test('an active stream’s terms say what it streams; cancellation only stops the clock', () => {
  const terms = { kind: 'cliff_slope', depositAmount: 100n, ratePerSecond: 3n, checkpointedAmount: 0n,
    checkpointedAt: 0, cliffTime: 10, endTime: 1000 };
  assert.equal(core.accrued(terms, 9n), 0n);
  assert.equal(core.accrued(terms, 12n), 6n);
  assert.equal(core.accrued(terms, (1n << 64n) - 1n), 100n);
});

test('a curve is the same stream at many times', () => {
  const stream = aStream();
  const times = [0, 100, 101n, '2100', '18446744073709551615'];
  const curve = core.balancesOver(stream, times);
  assert.deepEqual(curve.map(({ streamed }) => streamed),
    ['0.0000000', '0.0000000', '0.5000000', '1000.0000000', '1000.0000000']);
  assert.deepEqual(curve, times.map((now) => core.balancesAt(stream, now)));
});

test('times are u64, as numbers, strings and bigints', () => {
  for (const now of [-1, 1.5, 2 ** 53, NaN, '', '1e3', '-1', '18446744073709551616', 1n << 64n, -1n, null, {}]) {
    assert.throws(() => core.balancesAt(aStream(), now), withCode('ARGUMENT_INVALID'));
  }
});
