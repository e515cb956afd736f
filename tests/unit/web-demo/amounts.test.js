// The amounts' panel: what each of the three columns says, what is marked, and what the codes mean.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { bigintResult, textByHand, unitsByHand } from '../../../web-demo/compiled/amounts/bigint_column.js';
import { ROUNDINGS, coreResult } from '../../../web-demo/compiled/amounts/core_column.js';
import { comparedDigits } from '../../../web-demo/compiled/amounts/digits.js';
import { floatOf, floatResult, floatSum, floatUnits } from '../../../web-demo/compiled/amounts/float_column.js';
import { MEANINGS, SAMPLES, placeOf, read } from '../../../web-demo/compiled/amounts/reading.js';
import { roundedQuotients, sums } from '../../../web-demo/compiled/amounts/sums.js';

const core = await load();

/** Differing digits in brackets. */
const marked = (shown, exact) => comparedDigits(shown, exact)
  .map(({ text, differs }) => (differs ? `[${text}]` : text)).join('');

test('digits are compared by their place, and what isn’t written is zero', () => {
  const cases = [
    ['0.30000000000000004', '0.3000000', '0.3000000000000000[4]'],
    ['0.3', '0.3000000', '0.3'],
    ['1000030.067127198', '1000030.0672000', '1000030.067[127198]'],
    ['100', '99.9999999', '[100]'],
    ['9', '10', '[9]'],
    ['-5.5', '-5.4', '-5.[5]'],
    ['-5', '5', '[-5]'],
    ['NaN', '1.0000000', '[NaN]'],
    ['Infinity', '1.0000000', '[Infinity]'],
    ['33.3333334', '33.3333333', '33.333333[4]'],
  ];
  for (const [shown, exact, expected] of cases) assert.equal(marked(shown, exact), expected);
});

test('a float is shown with its own digits, never with an exponent', () => {
  const cases = [
    ['0.1', '0.1'], ['1e5', '100000'], ['0.0000001', '0.0000001'], ['1e21', '1000000000000000000000'],
    ['9007199254740993', '9007199254740992'], ['', '0'], ['abc', 'NaN'], ['1e999', 'Infinity'], ['0x10', '16'],
    ['-0.0000005', '-0.0000005'], ['1.16e-7', '0.000000116'], ['-1e-25', `-0.${'0'.repeat(24)}1`],
    ['5e-324', `0.${'0'.repeat(323)}5`], ['1e-400', '0'],
  ];
  for (const [text, expected] of cases) assert.equal(floatOf(text), expected);
  assert.equal(floatResult('0.1', '+', '0.2'), '0.30000000000000004');
  assert.equal(floatResult('0.3', '−', '0.1'), '0.19999999999999998');
  assert.equal(floatResult('3', '×', '0.1'), '0.30000000000000004');
  assert.equal(floatResult('1', '÷', '0'), 'Infinity');
  assert.equal(floatSum('0', '0.1', 10), '0.9999999999999999');
  assert.notEqual(floatUnits('9007199254.7409993'), '90071992547409993');
});

test('BigInt by hand is right on what it was written for, and silently wrong beyond', () => {
  assert.equal(unitsByHand('12.5'), 125_000_000n);
  assert.equal(unitsByHand('-0.0000001'), -1n);
  assert.equal(unitsByHand('0.00000001'), 0n);
  assert.throws(() => unitsByHand('1e5'), SyntaxError);
  for (const units of [0n, 1n, -1n, 10_000_000n, -123_456_789n]) assert.equal(unitsByHand(textByHand(units)), units);
  assert.equal(textByHand(-1n), '-0.0000001');
  assert.equal(textByHand(bigintResult('100', '÷', '3')), '33.3333333');
  assert.equal(textByHand(bigintResult('1.5', '×', '1.5')), '2.2500000');
  assert.equal(textByHand(bigintResult('1', '−', '1.5')), '-0.5000000');
  assert.throws(() => bigintResult('1', '÷', '0'), RangeError);
});

test('the core adds, subtracts, multiplies and divides, rounded as it is told', () => {
  assert.equal(coreResult(core, '0.1', '+', '0.2', 'down'), 3_000_000n);
  assert.equal(coreResult(core, '0.1', '−', '0.2', 'down'), -1_000_000n);
  assert.equal(coreResult(core, '0.0000003', '×', '0.5', 'half_even'), 2n);
  assert.equal(coreResult(core, '0.0000003', '×', '0.5', 'down'), 1n);
  assert.throws(() => coreResult(core, '1', '÷', '0', 'down'), { code: 'DIVIDE_BY_ZERO' });
});

test('in every sum the core is exact or says why not, and the float isn’t', () => {
  const all = sums(core);
  assert.deepEqual(all.map(({ core: { figure, error } }) => figure ?? error), [
    '0.3000000', '1000030.0672000', '90071992547409993', '17014118346046923173168730371588.4105727',
    'AMOUNT_OVERFLOW', '33.3333333',
  ]);
  for (const { title, float, core: exact } of all) {
    if (exact.error !== undefined) continue;
    assert.ok(comparedDigits(float.figure, exact.figure).some(({ differs }) => differs), title);
  }
  // 2 ** 127 units: BigInt has no bound that would say so.
  assert.deepEqual(all[4].bigint, { figure: '17014118346046923173168730371588.4105728', units: 2n ** 127n });
});

test('each rounding goes its way, and no two of them the same', () => {
  const quotients = roundedQuotients(core);
  const byTitle = Object.fromEntries(quotients.map(({ title, figures }) => [title, figures]));
  assert.deepEqual(byTitle['100 ÷ 3'], ['33.3333333', '33.3333334', '33.3333333', '33.3333333', '33.3333333']);
  assert.deepEqual(byTitle['−100 ÷ 3'], ['-33.3333334', '-33.3333333', '-33.3333333', '-33.3333333', '-33.3333333']);
  assert.deepEqual(byTitle['0.0000005 ÷ 2'], ['0.0000002', '0.0000003', '0.0000002', '0.0000003', '0.0000002']);
  const columns = ROUNDINGS.map((_, i) => quotients.map(({ figures }) => figures[i]).join());
  assert.equal(new Set(columns).size, ROUNDINGS.length);
});

test('each sample is read by all three, and the core’s codes are all met and explained', () => {
  const codes = new Set();
  for (const text of SAMPLES) {
    const { core: outcome, refusal } = read(core, text);
    assert.equal(outcome.error, refusal?.code, text);
    if (refusal === null) continue;
    codes.add(refusal.code);
    assert.ok(refusal.message.length > 0);
    assert.equal(refusal.place === null, refusal.code !== 'DECIMAL_INVALID_FORMAT', text);
  }
  assert.deepEqual([...codes].toSorted(), ['DECIMAL_EMPTY_VALUE', 'DECIMAL_INVALID_FORMAT', 'DECIMAL_OUT_OF_RANGE']);
  for (const code of [...codes, 'AMOUNT_OVERFLOW', 'DIVIDE_BY_ZERO']) assert.ok(MEANINGS[code], code);
});

test('what the others take without a word', () => {
  assert.deepEqual(read(core, '0x10').float, { figure: '16' });
  assert.equal(read(core, '0x10').bigint.figure, '429.4967296');
  assert.deepEqual(read(core, '').float, { figure: '0' });
  assert.equal(read(core, '0.00000001').bigint.figure, '0.0000000');
  assert.deepEqual(read(core, '1.00000000'), {
    float: { figure: '1' },
    bigint: { figure: '1.0000000', units: 10_000_000n },
    core: { figure: '1.0000000', units: 10_000_000n },
    refusal: null,
  });
});

test('the place where the core stopped is a character, also behind others of several bytes', () => {
  assert.deepEqual(read(core, '1e5').refusal.place, { before: '1', at: 'e', after: '5', byte: 1 });
  assert.deepEqual(read(core, '1.').refusal.place, { before: '1.', at: '', after: '', byte: 2 });
  assert.deepEqual(read(core, '1😀2').refusal.place, { before: '1', at: '😀', after: '2', byte: 1 });
  assert.deepEqual(placeOf('é€x', 5), { before: 'é€', at: 'x', after: '', byte: 5 });
  assert.deepEqual(placeOf('', 0), { before: '', at: '', after: '', byte: 0 });
});
