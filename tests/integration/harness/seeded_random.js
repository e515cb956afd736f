// Reproducible chance for tests: the same seed, the same run.
import { createHash } from 'node:crypto';

/** @param {string} seed @returns {(low: number, high: number) => number} integers, both ends included */
export function seededRandom(seed) {
  let drawn = 0;
  return (low, high) => {
    drawn += 1;
    const word = createHash('sha256').update(`${seed}/${drawn}`).digest().readUInt32BE(0);
    return low + (word % (high - low + 1));
  };
}
