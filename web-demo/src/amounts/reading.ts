import type { FluxoraCore } from '@fluxora/core';

import { unitsByHand } from './bigint_column.js';
import { floatOf } from './float_column.js';
import { outcomeOf, type Outcome } from './outcome.js';

/** What the core says of an input that it doesn't take. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** The character at which the core stopped, and what stands there; null where the code isn't about a place. */
  readonly place: Place | null;
}

export interface Place {
  readonly before: string;
  /** Empty at the text's end, where something is missing. */
  readonly at: string;
  readonly after: string;
  readonly byte: number;
}

/** One text, read by each of the three. */
export interface Reading {
  readonly float: Outcome;
  readonly bigint: Outcome;
  readonly core: Outcome;
  readonly refusal: Refusal | null;
}

/** With U+2212, as word processors write it. */
export const MINUS_SIGN_5 = '\u22125';

/** Texts that go wrong somewhere, or look as if they would. */
export const SAMPLES: readonly string[] = [
  '1e5', '1,000.00', '', ' 1', '1.', '.5', '0x10', '--1', '12.3.4', '0.00000001', '1.00000000', '+1', '-0',
  '170141183460469231731687303715884105728', '17014118346046923173168730371588.4105728',
  'NaN', MINUS_SIGN_5, '1'.repeat(65),
];

/** More than the core's 64 characters, so that too many can be tried; a BigInt of a book would take long. */
export const TEXT_MAX = 200;

/** What the codes mean, and what to do. SPEC section 1; the arithmetic's are core's. */
export const MEANINGS: Record<string, string> = {
  DECIMAL_INVALID_FORMAT: 'Digits, perhaps a sign before them, perhaps a point and digits behind it, at most 64 ' +
    'characters. No exponent, no grouping, no space.',
  DECIMAL_OUT_OF_RANGE: 'It is a number, but no amount: more than 128 bits of base units, or more than seven ' +
    'decimals that aren’t zeros. It isn’t rounded silently.',
  DECIMAL_EMPTY_VALUE: 'Nothing is there. An amount that is missing isn’t zero.',
  DECIMAL_INVALID_TYPE: 'Amounts are text in JSON. A JSON number would be read as a float on its way.',
  AMOUNT_OVERFLOW: 'The exact result has more than 128 bits. It is an error, never a wrap.',
  DIVIDE_BY_ZERO: 'There is no such quotient: neither Infinity nor NaN is an amount.',
};

/** The characters around a byte of a text's UTF-8. */
export function placeOf(text: string, byte: number): Place {
  const encoder = new TextEncoder();
  const characters = Array.from(text);
  let index = 0;
  for (let bytes = 0; index < characters.length; index += 1) {
    bytes += encoder.encode(characters[index]).length;
    if (bytes > byte) break;
  }
  return {
    before: characters.slice(0, index).join(''),
    at: characters[index] ?? '',
    after: characters.slice(index + 1).join(''),
    byte,
  };
}

/** What is wrong, where something is. */
export function refusalOf(error: unknown, text: string): Refusal {
  const { code, message, offset } = error as { code: string; message: string; offset: number };
  return { code, message, place: code === 'DECIMAL_INVALID_FORMAT' ? placeOf(text, offset) : null };
}

export function read({ amounts }: FluxoraCore, text: string): Reading {
  let refusal: Refusal | null = null;
  const core = outcomeOf(() => {
    try {
      return amounts.parse(text);
    } catch (error) {
      refusal = refusalOf(error, text);
      throw error;
    }
  }, amounts.format);
  return { float: outcomeOf(() => floatOf(text)), bigint: outcomeOf(() => unitsByHand(text)), core, refusal };
}
