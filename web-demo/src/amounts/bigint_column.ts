import type { Operation } from './float_column.js';

/** What a program gets that keeps base units in `bigint` and does the rest by hand, as one writes it in a minute. */

const DECIMALS = 7;
const ONE = 10_000_000n;

/** "12.5" → 125000000n: digits behind the seventh are cut, and what is no number throws a SyntaxError. */
export function unitsByHand(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.slice(0, DECIMALS).padEnd(DECIMALS, '0'));
}

export function textByHand(units: bigint): string {
  const sign = units < 0n ? '-' : '';
  const digits = String(units < 0n ? -units : units).padStart(DECIMALS + 1, '0');
  return `${sign}${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`;
}

/** Throws a RangeError for a division by zero. Quotients are cut towards zero, for that is what BigInt does. */
export function bigintResult(a: string, operation: Operation, b: string): bigint {
  const [x, y] = [unitsByHand(a), unitsByHand(b)];
  switch (operation) {
    case '+': return x + y;
    case '−': return x - y;
    case '×': return x * y / ONE;
    case '÷': return x * ONE / y;
  }
}
