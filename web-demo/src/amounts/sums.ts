import type { FluxoraCore } from '@fluxora/core';

import { bigintResult, unitsByHand } from './bigint_column.js';
import { ROUNDINGS, coreResult } from './core_column.js';
import { floatResult, floatSum, floatUnits } from './float_column.js';
import { outcomeOf, type Outcome } from './outcome.js';

/** The same sum, three times. */
export interface Sum {
  readonly title: string;
  readonly float: Outcome;
  readonly bigint: Outcome;
  readonly core: Outcome;
  /** What there is to see. */
  readonly remark: string;
}

const SECONDS_OF_30_DAYS = 2_592_000;
const BALANCE = '1000000';
const RATE = '0.0000116';
const LARGE = '9007199254.7409993';
const I128_MAX = '17014118346046923173168730371588.4105727';
const SMALLEST = '0.0000001';

/** The sums that show what there is to know. `core` alone says what is right. */
export function sums(core: FluxoraCore): Sum[] {
  const { amounts } = core;
  const exactly = (compute: () => bigint) => outcomeOf(compute, amounts.format);
  return [
    {
      title: '0.1 + 0.2',
      float: outcomeOf(() => floatResult('0.1', '+', '0.2')),
      bigint: outcomeOf(() => bigintResult('0.1', '+', '0.2')),
      core: exactly(() => coreResult(core, '0.1', '+', '0.2', 'down')),
      remark: 'A tenth isn’t a number that a float can hold, so neither is the sum.',
    },
    {
      title: `1,000,000, and ${RATE} a second for 30 days`,
      float: outcomeOf(() => floatSum(BALANCE, RATE, SECONDS_OF_30_DAYS)),
      bigint: outcomeOf(() => unitsByHand(BALANCE) + unitsByHand(RATE) * BigInt(SECONDS_OF_30_DAYS)),
      core: exactly(() => amounts.add(amounts.parse(BALANCE),
        amounts.multiply(amounts.parse(RATE), BigInt(SECONDS_OF_30_DAYS)))),
      remark: 'Added up second by second, 2,592,000 small errors make one that can be paid out.',
    },
    {
      title: `${LARGE} in base units`,
      float: outcomeOf(() => floatUnits(LARGE)),
      bigint: outcomeOf(() => String(unitsByHand(LARGE))),
      core: outcomeOf(() => String(amounts.parse(LARGE))),
      remark: 'Above 2⁵³ a float skips numbers. Nine billion is enough to get there, with seven decimals.',
    },
    {
      title: 'The largest amount there is',
      float: outcomeOf(() => floatResult(I128_MAX, '+', '0')),
      bigint: outcomeOf(() => bigintResult(I128_MAX, '+', '0')),
      core: exactly(() => amounts.parse(I128_MAX)),
      remark: 'The contract counts in 128 bits. A float has room for 16 or 17 digits of 39.',
    },
    {
      title: 'The largest, and 0.0000001 more',
      float: outcomeOf(() => floatResult(I128_MAX, '+', SMALLEST)),
      bigint: outcomeOf(() => bigintResult(I128_MAX, '+', SMALLEST)),
      core: exactly(() => coreResult(core, I128_MAX, '+', SMALLEST, 'down')),
      remark: 'No contract can pay this. BigInt doesn’t mind, a float doesn’t notice, the core says so.',
    },
    {
      title: '100 ÷ 3',
      float: outcomeOf(() => floatResult('100', '÷', '3')),
      bigint: outcomeOf(() => bigintResult('100', '÷', '3')),
      core: exactly(() => coreResult(core, '100', '÷', '3', 'half_even')),
      remark: 'No amount is a third of 100. The core has to be told how to round; below is what each way gives.',
    },
  ];
}

/** A quotient, rounded in each way. */
export interface RoundedQuotient {
  readonly title: string;
  readonly figures: readonly string[];
}

/** A third, a negative one, and ties, which tell the ways apart. */
const QUOTIENTS: readonly (readonly [string, string])[] =
  [['100', '3'], ['-100', '3'], ['0.0000005', '2'], ['0.0000003', '2'], ['-0.0000005', '2']];

/** Their figures are in the order of ROUNDINGS. */
export function roundedQuotients({ amounts }: FluxoraCore): RoundedQuotient[] {
  return QUOTIENTS.map(([a, b]) => ({
    title: `${a.replace('-', '−')} ÷ ${b}`,
    figures: ROUNDINGS.map((rounding) =>
      amounts.format(amounts.divideFixed(amounts.parse(a), amounts.parse(b), rounding))),
  }));
}
