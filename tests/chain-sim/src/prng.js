import { createHash } from 'node:crypto';

/** SHA-256 of the parts' text, length-prefixed so that ("a","bc") and ("ab","c") differ. */
export function digest(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(String(part));
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest();
}

/** @param {Buffer} bytes */
export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest();
}

/** A seeded generator (sfc32): the same seed gives the same run, on every machine. */
export class Prng {
  /** @param {string | number} seed */
  constructor(seed) {
    const key = digest('prng', seed);
    this.a = key.readUInt32LE(0);
    this.b = key.readUInt32LE(4);
    this.c = key.readUInt32LE(8);
    this.counter = 1;
    for (let i = 0; i < 12; i += 1) this.uint32();
  }

  uint32() {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** An integer in [low, high], both included. @param {number} low @param {number} high */
  int(low, high) {
    return low + (this.uint32() % (high - low + 1));
  }

  /** @param {number} percent */
  chance(percent) {
    return this.int(1, 100) <= percent;
  }

  /** @template T @param {T[]} items @returns {T} */
  pick(items) {
    return items[this.int(0, items.length - 1)];
  }

  /**
   * One of the items, as often as its weight says.
   * @template T
   * @param {[number, T][]} weighted
   * @returns {T}
   */
  weighted(weighted) {
    let left = this.int(1, weighted.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of weighted) {
      left -= weight;
      if (left <= 0) return item;
    }
    return weighted[weighted.length - 1][1];
  }
}
