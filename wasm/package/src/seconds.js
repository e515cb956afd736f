import { argumentInvalid } from './errors.js';

const U64_MAX = (1n << 64n) - 1n;

/** A u64 as JSON carries it (a number, a string above 2^53 - 1) or as a bigint. */
export function toU64(value, field) {
  let number = value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) number = BigInt(value);
  if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) number = BigInt(value);
  if (typeof number !== 'bigint' || number < 0n || number > U64_MAX) {
    throw argumentInvalid('Not an unsigned 64-bit integer, such as unix seconds.', field);
  }
  return number;
}

/** Unix seconds; the host's clock where none are given. */
export const toSecondsOrNow = (value, field) =>
  (value === undefined ? BigInt(Math.floor(Date.now() / 1000)) : toU64(value, field));
