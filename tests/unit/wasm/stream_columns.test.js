import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aStream, newCore, newMemory, withCode } from './support.js';
import { StreamColumns } from '../../../wasm/package/src/stream_columns.js';

const MANY = 100_000;

test('100,000 streams make memory grow, and every figure stays right', () => {
  const memory = newMemory();
  const before = memory.memory.buffer.byteLength;
  const columns = new StreamColumns(memory);
  for (let i = 0; i < MANY; i += 1) columns.set(aStream({ id: `s-${i}`, ratePerSecond: BigInt(i) }));
  assert.equal(columns.size, MANY);
  const balances = columns.accrue(1100n);
  for (let i = 0; i < MANY; i += 997) {
    assert.equal(balances.streamedUnits(i), BigInt(i) * 1000n);
    assert.equal(balances.streamed(i), `${String(i * 1000).padStart(8, '0').replace(/(\d{7})$/, '.$1')}`);
  }
  assert.equal(balances.streamed(MANY - 1), '9.9999000');
  assert.ok(memory.memory.buffer.byteLength > before, 'memory did not grow, so this shows nothing');
  columns.dispose();
});

test('memory that was given back is used again', () => {
  const memory = newMemory();
  let size = 0;
  for (let round = 0; round < 20; round += 1) {
    const columns = new StreamColumns(memory);
    for (let i = 0; i < 5000; i += 1) columns.set(aStream({ id: `s-${i}` }));
    columns.accrue(200n).streamed(0);
    columns.dispose();
    if (round === 1) size = memory.memory.buffer.byteLength;
  }
  assert.equal(memory.memory.buffer.byteLength, size);
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

/** Amounts as `load` takes them: two words each. */
const words = (amounts) => new BigUint64Array(amounts.flatMap((units) =>
  [BigInt.asUintN(64, units), BigInt.asUintN(64, units >> 64n)]));

function someArrays(ids) {
  const each = (value) => ids.map(() => value);
  return {
    ids,
    depositAmount: words(ids.map((_, i) => 1n << BigInt(20 + i))),
    ratePerSecond: words(ids.map((_, i) => BigInt(i + 1))),
    withdrawnAmount: words(each(0n)),
    settledAmount: words(each(-1n)),
    checkpointedAmount: words(each(0n)),
    checkpointedAt: new BigUint64Array(each(100n)),
    cliffTime: new BigUint64Array(each(100n)),
    endTime: new BigUint64Array(each(10_000n)),
    cancelledAt: new BigUint64Array(each((1n << 64n) - 1n)),
    kind: new Uint8Array(each(0)),
    status: new Uint8Array(each(0)),
  };
}

test('arrays that can not be loaded change nothing', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const rows = 1_000_001;
  const tooMany = Object.fromEntries(Object.entries(someArrays(['a'])).map(([name, array]) =>
    [name, name === 'ids' ? Array.from({ length: rows }, (_, i) => `s-${i}`) : new array.constructor(array.length * rows)]));
  assert.throws(() => columns.load(tooMany), withCode('INPUT_TOO_LONG'));
  for (const wrong of [{ kind: new Uint8Array([3]) }, { status: new Uint8Array(2) }, { endTime: [1n] }, { ids: ['a', 'a'] }]) {
    assert.throws(() => columns.load({ ...someArrays(['a']), ...wrong }), withCode('ARGUMENT_INVALID'));
  }
  assert.equal(columns.balancesOf('s-1', 150n).streamed, '25.0000000');
});

test('an array that changes while the others are read is seen as it is then', () => {
  const core = newCore();
  const others = core.streamColumns();
  others.set(aStream());
  const columns = core.streamColumns();
  const growing = new ArrayBuffer(16, { maxByteLength: 1 << 20 });
  const detached = new BigUint64Array(2);
  const arrays = { ...someArrays(['a']), depositAmount: new BigUint64Array(growing), ratePerSecond: detached };
  const acts = [() => growing.resize(1 << 20), () => growing.resize(0),
    () => structuredClone(detached, { transfer: [detached.buffer] })];
  for (const act of acts) {
    growing.resize(16);
    const acting = { ...arrays, get status() {
      act();
      return new Uint8Array(1);
    } };
    assert.throws(() => columns.load(acting), withCode('ARGUMENT_INVALID'));
  }
  const disposing = { ...someArrays(['a']), get status() {
    columns.dispose();
    return new Uint8Array(1);
  } };
  assert.throws(() => columns.load(disposing), withCode('DISPOSED'));
  assert.equal(others.balancesOf('s-1', 150n).streamed, '25.0000000');
});

test('typed arrays in give what the same streams give one by one, and typed arrays out hold the same', () => {
  const core = newCore();
  const ids = Array.from({ length: 100 }, (_, i) => `s-${i}`);
  const columns = core.streamColumns();
  columns.set(aStream({ id: 'gone' }));
  columns.load(someArrays(ids));
  assert.equal(columns.size, 100);
  assert.equal(columns.has('gone'), false);
  const single = core.streamColumns();
  ids.forEach((id, i) => single.set(aStream({ id, depositAmount: 1n << BigInt(20 + i), ratePerSecond: BigInt(i + 1),
    withdrawnAmount: 0n, settledAmount: -1n, checkpointedAt: 100, cliffTime: 100, endTime: 10_000 })));
  const balances = columns.accrue(1100n);
  const expected = single.accrue(1100n);
  assert.deepEqual([...balances], [...expected]);
  for (const column of ['streamed', 'withdrawable', 'remaining']) {
    const texts = balances.texts(column);
    assert.deepEqual(texts, ids.map((_, row) => expected[column](row)));
    assert.equal(balances.texts(column), texts);
    const units = balances.words(column);
    assert.equal(units.length, 200);
    ids.forEach((_, row) => {
      const value = units[2 * row] | (BigInt.asIntN(64, units[2 * row + 1]) << 64n);
      assert.equal(value, expected[`${column}Units`](row));
    });
  }
  assert.deepEqual(columns.texts(1100n, 'remaining'), ids.map((_, row) => expected.remaining(row)));
  assert.throws(() => balances.texts('withdrawable'), withCode('STALE_BALANCES'));
  assert.throws(() => balances.words('streamed'), withCode('STALE_BALANCES'));
  assert.throws(() => columns.texts(1n, 'paid'), withCode('ARGUMENT_INVALID'));
  columns.load(someArrays([]));
  assert.deepEqual(columns.texts(1n, 'streamed'), []);
  assert.equal(columns.accrue(1n).words('streamed').length, 0);
});

test('bad arrays change nothing and are named', () => {
  const columns = newCore().streamColumns();
  columns.set(aStream());
  const good = someArrays(['a', 'b']);
  const bad = [['ids', ['a', 'a']], ['ids', ['a', 1]], ['ids', 'ab'], ['kind', new Uint8Array([0, 3])],
    ['status', new Uint8Array([4, 0])], ['status', [0, 0]], ['depositAmount', new BigUint64Array(2)],
    ['depositAmount', new BigInt64Array(4)], ['endTime', new BigUint64Array(3)], ['cliffTime', undefined]];
  for (const [field, value] of bad) {
    assert.throws(() => columns.load({ ...good, [field]: value }), (error) => {
      assert.equal(error.field, field);
      return withCode('ARGUMENT_INVALID')(error);
    });
  }
  assert.equal(columns.size, 1);
  assert.equal(columns.accrue(5000n).streamed(0), '1000.0000000');
});
