// Chance from a seed, quick enough for thousands of draws a second (mulberry32).
import { createHash } from 'node:crypto';

export class Random {
  /** @param {string} seed */
  constructor(seed) {
    this.state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  }

  /** From 0 to below 1. */
  fraction() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, from 0 to below `count`. @param {number} count */
  below(count) {
    return Math.floor(this.fraction() * count);
  }

  /** @template T @param {T[]} items */
  oneOf(items) {
    return items[this.below(items.length)];
  }

  /** A name, by weight. @param {Record<string, number>} weights */
  weighted(weights) {
    const names = Object.keys(weights);
    let left = this.fraction() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names[names.length - 1];
  }
}
