import { FluxoraError, argumentInvalid } from './errors.js';

/** Bytes of an i128. */
export const CELL = 16;

export function readInt128(memory, pointer) {
  const { view } = memory;
  return view.getBigUint64(pointer, true) | (view.getBigInt64(pointer + 8, true) << 64n);
}

export function writeInt128(memory, pointer, value, field) {
  if (typeof value !== 'bigint') throw argumentInvalid('Not a bigint.', field);
  if (BigInt.asIntN(128, value) !== value) {
    throw new FluxoraError('DECIMAL_OUT_OF_RANGE', 'The number does not fit 128 bits.', { field });
  }
  const { view } = memory;
  view.setBigUint64(pointer, BigInt.asUintN(64, value), true);
  view.setBigInt64(pointer + 8, value >> 64n, true);
}

/** Calls an export that takes cells and leaves its result in one: a sum, a quotient. */
export function compute(memory, name, operands, ...rest) {
  const pointer = memory.input((operands.length + 1) * CELL);
  operands.forEach((value, i) => writeInt128(memory, pointer + i * CELL, value));
  const result = pointer + operands.length * CELL;
  memory.check(memory.exports[name](...operands.map((_, i) => pointer + i * CELL), ...rest, result));
  return readInt128(memory, result);
}
