import assert from 'node:assert/strict';
import { test } from 'node:test';

import { needsVectors, newCore, readLines, withCode } from './support.js';

const { amounts } = newCore();
const ROUNDINGS = ['floor', 'ceiling', 'down', 'half_up', 'half_even'];
const I128_MAX = (1n << 127n) - 1n;
const I128_MIN = -(1n << 127n);

test('decimal text becomes base units by the grammar', () => {
  const accepted = { '1': 10000000n, '0.0000116': 116n, '-0': 0n, '+007.50': 75000000n, '1.00000000000': 10000000n,
    '-17014118346046923173168730371588.4105728': I128_MIN };
  for (const [text, units] of Object.entries(accepted)) assert.equal(amounts.parse(text), units, text);
  const refused = { '': 'DECIMAL_EMPTY_VALUE', '  ': 'DECIMAL_EMPTY_VALUE', '1.': 'DECIMAL_INVALID_FORMAT',
    '.5': 'DECIMAL_INVALID_FORMAT', '1e5': 'DECIMAL_INVALID_FORMAT', ' 1': 'DECIMAL_INVALID_FORMAT',
    '1,5': 'DECIMAL_INVALID_FORMAT', '１': 'DECIMAL_INVALID_FORMAT', '1\0': 'DECIMAL_INVALID_FORMAT',
    [`0.${'0'.repeat(63)}`]: 'DECIMAL_INVALID_FORMAT', '0.00000001': 'DECIMAL_OUT_OF_RANGE',
    '17014118346046923173168730371588.4105728': 'DECIMAL_OUT_OF_RANGE' };
  for (const [text, code] of Object.entries(refused)) assert.throws(() => amounts.parse(text), withCode(code), text);
});

test('what is no string is told apart from what is missing', () => {
  for (const value of [1, 1n, true, {}, ['1'], Symbol('1')]) {
    assert.throws(() => amounts.parse(value), withCode('DECIMAL_INVALID_TYPE'));
  }
  for (const value of [null, undefined]) assert.throws(() => amounts.parse(value), withCode('DECIMAL_EMPTY_VALUE'));
});

test('amounts are written with exactly 7 decimals, one or many at once', () => {
  const units = [0n, 1n, -1n, 116n, 10n ** 13n, I128_MAX, I128_MIN];
  const texts = ['0.0000000', '0.0000001', '-0.0000001', '0.0000116', '1000000.0000000',
    '17014118346046923173168730371588.4105727', '-17014118346046923173168730371588.4105728'];
  assert.deepEqual(units.map(amounts.format), texts);
  assert.deepEqual(amounts.formatAll(units), texts);
  assert.deepEqual(amounts.formatAll([]), []);
});

test('a number is refused near an amount, and so is what 128 bits do not hold', () => {
  assert.throws(() => amounts.format(1), withCode('ARGUMENT_INVALID'));
  assert.throws(() => amounts.add(1n, 1), withCode('ARGUMENT_INVALID'));
  assert.throws(() => amounts.format(I128_MAX + 1n), withCode('DECIMAL_OUT_OF_RANGE'));
  assert.throws(() => amounts.formatAll([1n, I128_MIN - 1n]), withCode('DECIMAL_OUT_OF_RANGE'));
});

test('arithmetic is checked', () => {
  assert.throws(() => amounts.add(I128_MAX, 1n), withCode('AMOUNT_OVERFLOW'));
  assert.throws(() => amounts.subtract(I128_MIN, 1n), withCode('AMOUNT_OVERFLOW'));
  assert.throws(() => amounts.multiply(I128_MAX, 2n), withCode('AMOUNT_OVERFLOW'));
  assert.throws(() => amounts.divideUnits(I128_MIN, -1n, 'down'), withCode('AMOUNT_OVERFLOW'));
  assert.throws(() => amounts.divideFixed(1n, 0n, 'down'), withCode('DIVIDE_BY_ZERO'));
  assert.throws(() => amounts.divideFixed(1n, 1n), withCode('ARGUMENT_INVALID'));
  assert.throws(() => amounts.divideFixed(1n, 1n, 'up'), withCode('ARGUMENT_INVALID'));
  assert.throws(() => amounts.rescale(1n, 0, 39, 'floor'), withCode('ARGUMENT_INVALID'));
  assert.throws(() => amounts.rescale(1n, 0.5, 1, 'floor'), withCode('ARGUMENT_INVALID'));
});

/** The result of a call, or null where it overflows. */
function orNull(call) {
  try {
    return call();
  } catch (error) {
    assert.equal(error.code, 'AMOUNT_OVERFLOW');
    return null;
  }
}

const big = (text) => (text === null || text === undefined ? null : BigInt(text));

test('the decimal vectors', needsVectors, () => {
  const counts = {};
  for (const entry of readLines('decimal/fixed7_i128.jsonl')) {
    const a = big(entry.a);
    const b = big(entry.b);
    const what = JSON.stringify(entry);
    counts[entry.op] = (counts[entry.op] ?? 0) + 1;
    switch (entry.op) {
      case 'format':
        assert.equal(amounts.format(BigInt(entry.units)), entry.fixed7);
        assert.equal(amounts.parse(entry.fixed7), BigInt(entry.units));
        assert.equal(amounts.parse(entry.trimmed), BigInt(entry.units));
        break;
      case 'parse':
        if (!entry.strictDecimalGrammar) {
          // The vectors' grammar takes no sign and no leading zero; SPEC section 1 does, and nothing else of these.
          const [, sign, whole, fraction = ''] = entry.text.match(/^([+-]?)([0-9]+)(?:\.([0-9]{1,7}))?$/) ?? [];
          if (whole === undefined) assert.throws(() => amounts.parse(entry.text), { name: 'FluxoraError' }, what);
          else {
            const units = BigInt(`${sign}1`) * BigInt(whole + fraction.padEnd(7, '0'));
            assert.equal(amounts.parse(entry.text), units, what);
          }
        } else if (!entry.exact7 || entry.overflow) {
          assert.throws(() => amounts.parse(entry.text), withCode('DECIMAL_OUT_OF_RANGE'), what);
        } else {
          assert.equal(amounts.parse(entry.text), BigInt(entry.units), what);
        }
        break;
      case 'add': assert.equal(orNull(() => amounts.add(a, b)), big(entry.result), what); break;
      case 'sub': assert.equal(orNull(() => amounts.subtract(a, b)), big(entry.result), what); break;
      case 'mul_int': assert.equal(orNull(() => amounts.multiply(a, b)), big(entry.result), what); break;
      case 'div_int_trunc':
        assert.equal(orNull(() => amounts.divideUnits(a, b, 'down')), big(entry.quot), what);
        break;
      case 'mul_fixed7':
      case 'div_fixed7': {
        const operation = entry.op === 'mul_fixed7' ? amounts.multiplyFixed : amounts.divideFixed;
        for (const rounding of ROUNDINGS) {
          assert.equal(orNull(() => operation(a, b, rounding)), big(entry[rounding]), `${rounding} ${what}`);
        }
        break;
      }
      case 'rescale':
        for (const rounding of ROUNDINGS) {
          const { from_decimals: from, to_decimals: to } = entry;
          assert.equal(orNull(() => amounts.rescale(a, from, to, rounding)), big(entry[rounding]), what);
        }
        break;
      case 'cmp': assert.equal(Math.sign(Number(a > b) - Number(a < b)), entry.result, what); break;
      default: assert.fail(`the vectors have a new operation: ${entry.op}`);
    }
  }
  assert.ok(Object.keys(counts).length >= 10, JSON.stringify(counts));
});
