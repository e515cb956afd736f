import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aStream, module, newCore, withCode } from './support.js';
import { CoreMemory } from '../../../wasm/package/src/memory.js';
import { StreamColumns } from '../../../wasm/package/src/stream_columns.js';

const MANY = 100_000;

test('100,000 streams make memory grow, and every figure stays right', () => {
  const memory = new CoreMemory(module);
  const before = memory.exports.memory.buffer.byteLength;
  const columns = new StreamColumns(memory);
  for (let i = 0; i < MANY; i += 1) columns.set(aStream({ id: `s-${i}`, ratePerSecond: BigInt(i) }));
  assert.equal(columns.size, MANY);
  const balances = columns.accrue(1100n);
  for (let i = 0; i < MANY; i += 997) {
    assert.equal(balances.streamedUnits(i), BigInt(i) * 1000n);
    assert.equal(balances.streamed(i), `${String(i * 1000).padStart(8, '0').replace(/(\d{7})$/, '.$1')}`);
  }
  assert.equal(balances.streamed(MANY - 1), '9.9999000');
  assert.ok(memory.exports.memory.buffer.byteLength > before, 'memory did not grow, so this shows nothing');
  columns.dispose();
});

test('memory that was given back is used again', () => {
  const memory = new CoreMemory(module);
  let size = 0;
  for (let round = 0; round < 20; round += 1) {
    const columns = new StreamColumns(memory);
    for (let i = 0; i < 5000; i += 1) columns.set(aStream({ id: `s-${i}` }));
    columns.accrue(200n).streamed(0);
    columns.dispose();
    if (round === 1) size = memory.exports.memory.buffer.byteLength;
  }
  assert.equal(memory.exports.memory.buffer.byteLength, size);
});

test('a stream is updated in place, and one that goes leaves no hole', () => {
  const columns = newCore().streamColumns();
  columns.setAll(['a', 'b', 'c'].map((id, i) => aStream({ id, depositAmount: `${i + 1}` })));
  assert.equal(columns.set(aStream({ id: 'b', depositAmount: '20' })), 1);
  assert.equal(columns.size, 3);
  assert.equal(columns.delete('a'), true);
  assert.equal(columns.delete('a'), false);
  assert.equal(columns.has('a'), false);
  const streamed = [...columns.accrue(5000n)].map((row) => [row.id, row.streamed]);
  assert.deepEqual(streamed.sort(), [['b', '20.0000000'], ['c', '3.0000000']]);
  columns.clear();
  assert.equal(columns.accrue(1n).size, 0);
  columns.dispose();
});

test('one stream of the columns at another time leaves the balances of the rest good', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const balances = columns.accrue(110n);
  assert.equal(columns.balancesOf('s-1', 120n).streamed, '10.0000000');
  assert.equal(balances.streamed(0), '5.0000000');
  assert.throws(() => columns.balancesOf('s-2', 1n), withCode('ARGUMENT_INVALID'));
});

test('balances that no longer hold say so', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const stale = columns.accrue(110n);
  columns.accrue(111n);
  assert.throws(() => stale.streamed(0), withCode('STALE_BALANCES'));
  const overtaken = columns.accrue(112n);
  columns.set(aStream({ id: 's-2' }));
  assert.throws(() => overtaken.streamedUnits(0), withCode('STALE_BALANCES'));
});

test('a stream with a bad field changes nothing and names the field', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const bad = [
    ['depositAmount', 5, 'DECIMAL_INVALID_TYPE'],
    ['depositAmount', '1e3', 'DECIMAL_INVALID_FORMAT'],
    ['depositAmount', 1n << 127n, 'DECIMAL_OUT_OF_RANGE'],
    ['ratePerSecond', null, 'DECIMAL_EMPTY_VALUE'],
    ['settledAmount', undefined, 'DECIMAL_EMPTY_VALUE'],
    ['checkpointedAmount', '0.00000001', 'DECIMAL_OUT_OF_RANGE'],
    ['checkpointedAt', -1, 'ARGUMENT_INVALID'],
    ['endTime', undefined, 'ARGUMENT_INVALID'],
    ['cancelledAt', 'soon', 'ARGUMENT_INVALID'],
    ['kind', 'Linear', 'ARGUMENT_INVALID'],
    ['status', 'closed', 'ARGUMENT_INVALID'],
  ];
  for (const [field, value, code] of bad) {
    assert.throws(() => columns.set(aStream({ depositAmount: '7', [field]: value })), (error) => {
      assert.equal(error.field, field);
      return withCode(code)(error);
    });
    assert.throws(() => columns.set(aStream({ id: 'new', [field]: value })), withCode(code));
  }
  assert.equal(columns.size, 1);
  assert.equal(columns.accrue(5000n).streamed(0), '1000.0000000');
});

test('columns that were disposed of are out of use', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const balances = columns.accrue(110n);
  columns.dispose();
  columns.dispose();
  for (const use of [() => columns.set(aStream()), () => columns.accrue(1n), () => columns.clear(),
    () => columns.delete('s-1'), () => columns.balancesOf('s-1', 1n)]) assert.throws(use, withCode('DISPOSED'));
  assert.throws(() => balances.streamed(0), withCode('STALE_BALANCES'));
});
