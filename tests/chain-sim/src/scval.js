// Short names for the ScVals that the contract writes. Built and encoded with the official SDK, so
// that what the project decodes was never encoded by the project itself.
import { Address, xdr } from '@stellar/stellar-sdk';

const U64_MASK = (1n << 64n) - 1n;

/** Addresses and symbols repeat endlessly; decoding a StrKey each time costs more than the rest. */
class Remembered {
  constructor(build, limit) {
    this.build = build;
    this.limit = limit;
    this.values = new Map();
  }

  get(key) {
    let value = this.values.get(key);
    if (value === undefined) {
      if (this.values.size >= this.limit) this.values.clear();
      value = this.build(key);
      this.values.set(key, value);
    }
    return value;
  }
}

const addresses = new Remembered((text) => Address.fromString(text), 4096);
const symbols = new Remembered((text) => xdr.ScVal.scvSymbol(text), 1024);

/** @param {string} text */
export const symbol = (text) => symbols.get(text);
/** @param {bigint} value */
export const u64 = (value) => xdr.ScVal.scvU64(new xdr.Uint64(value));
/** @param {number} value */
export const u32 = (value) => xdr.ScVal.scvU32(value);
/** @param {string} text StrKey G… or C… */
export const address = (text) => addresses.get(text).toScVal();
/** @param {string} text StrKey G… or C… */
export const scAddress = (text) => addresses.get(text).toScAddress();
/** @param {string} text */
export const string = (text) => xdr.ScVal.scvString(text);
/** @param {boolean} value */
export const bool = (value) => xdr.ScVal.scvBool(value);
/** @param {Buffer} value */
export const bytes = (value) => xdr.ScVal.scvBytes(value);
export const none = () => xdr.ScVal.scvVoid();
/** @param {xdr.ScVal[]} items */
export const vec = (items) => xdr.ScVal.scvVec(items);

/** @param {bigint} value */
export function i128(value) {
  return xdr.ScVal.scvI128(
    new xdr.Int128Parts({ hi: new xdr.Int64(value >> 64n), lo: new xdr.Uint64(value & U64_MASK) }),
  );
}

/** `None` as void. @template T @param {T | null | undefined} value @param {(value: T) => xdr.ScVal} encode */
export const option = (value, encode) => (value === null || value === undefined ? none() : encode(value));

/** A struct: a map with symbol keys in alphabetical order. @param {Record<string, xdr.ScVal>} fields */
export function struct(fields) {
  const entries = Object.keys(fields)
    .sort()
    .map((name) => new xdr.ScMapEntry({ key: symbol(name), val: fields[name] }));
  return xdr.ScVal.scvMap(entries);
}

/** A map with bytes keys, in the host's order. @param {Record<string, string> | Map<string, string>} pairs */
export function bytesMap(pairs) {
  const entries = (pairs instanceof Map ? [...pairs] : Object.entries(pairs))
    .map(([key, value]) => [Buffer.from(key), Buffer.from(value)])
    .sort(([a], [b]) => Buffer.compare(a, b))
    .map(([key, value]) => new xdr.ScMapEntry({ key: bytes(key), val: bytes(value) }));
  return xdr.ScVal.scvMap(entries);
}

/** An enum variant with one payload: vec[symbol, payload]. @param {string} name @param {xdr.ScVal} payload */
export const variant = (name, payload) => vec([symbol(name), payload]);
