import { FluxoraError, argumentInvalid } from './errors.js';

const LIST_MAX = 1 << 20;

/** What has properties, or an error. */
export function record(value, message, field) {
  if (typeof value !== 'object' || value === null) throw argumentInvalid(message, field);
  return value;
}

/** What a reading gives; what breaks the language's own rules while it is read is no such thing. */
export function reading(read, field) {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new FluxoraError('ARGUMENT_INVALID', 'It can not be read.', { field, cause });
  }
}

/** What something iterable gives; undefined where that is more than `max`. */
export function upTo(max, value, field) {
  const list = [];
  reading(() => {
    for (const item of value) {
      if (list.push(item) > max) break;
    }
  }, field);
  return list.length > max ? undefined : list;
}

/** What something iterable gives, at most `max`. */
export function listOf(value, field, max = LIST_MAX) {
  const list = upTo(max, value, field);
  if (list === undefined) throw new FluxoraError('INPUT_TOO_LONG', `More than ${max}.`, { field });
  return list;
}

// The arrays' own getters: an object that only claims to be one, or lies about its length, gets nowhere near memory.
const getter = (of, name) => Function.prototype.call.bind(Object.getOwnPropertyDescriptor(of, name).get);
const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const kindOf = getter(typedArray, Symbol.toStringTag);
const bufferOf = getter(typedArray, 'buffer');
const byteOffsetOf = getter(typedArray, 'byteOffset');
const byteLengthOf = getter(typedArray, 'byteLength');
const sizeOfBuffer = getter(ArrayBuffer.prototype, 'byteLength');

/** How many elements the array has, whatever it says of itself. */
export const lengthOf = getter(typedArray, 'length');

/** True for a typed array of this kind, of any realm. */
export const isTyped = (value, kind) => kindOf(value) === kind;

/** The bytes of a typed array or an ArrayBuffer. */
export function bytesOf(value, field) {
  const kind = kindOf(value);
  if (kind === 'Uint8Array') return lengthOf(value) === 0 ? new Uint8Array() : value;
  try {
    if (kind !== undefined) return new Uint8Array(bufferOf(value), byteOffsetOf(value), byteLengthOf(value));
    return new Uint8Array(value, 0, sizeOfBuffer(value));
  } catch {
    throw argumentInvalid('Not a Uint8Array or an ArrayBuffer.', field);
  }
}
