/**
 * What a program gets that keeps amounts in JavaScript's `number`. It is here to be compared with, and nowhere else in
 * this project: nothing that this module gives is ever an amount.
 */

export type Operation = '+' | '−' | '×' | '÷';

/** From here on each number is a whole one, and BigInt has all of its digits. */
const WHOLE_FROM = 2 ** 53;
/** "1.16e-7". */
const SMALL = /^(-?)([0-9])\.?([0-9]*)e-([0-9]+)$/;

/** The number as JavaScript shows it, without an exponent. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= WHOLE_FROM) return String(BigInt(value));
  return String(value).replace(SMALL, (_, sign: string, first: string, rest: string, exponent: string) =>
    `${sign}0.${first.padStart(parseInt(exponent, 10), '0')}${rest}`);
}

/** What `Number()` makes of a text. */
export function floatOf(text: string): string {
  return digits(Number(text));
}

export function floatResult(a: string, operation: Operation, b: string): string {
  const [x, y] = [Number(a), Number(b)];
  switch (operation) {
    case '+': return digits(x + y);
    case '−': return digits(x - y);
    case '×': return digits(x * y);
    case '÷': return digits(x / y);
  }
}

/** `start`, and `step` added so many times, one by one: what becomes of a balance that grows every second. */
export function floatSum(start: string, step: string, times: number): string {
  const added = Number(step);
  let sum = Number(start);
  for (let i = 0; i < times; i += 1) sum += added;
  return digits(sum);
}

/** An amount in base units. */
export function floatUnits(amount: string): string {
  return digits(Math.round(Number(amount) * 10_000_000));
}
