/**
 * One amount of many streams, i128 base units as the core lays them out: a row is two 64-bit words, the low one first.
 * The same memory is read as 32-bit words where many rows are gone through: they are small integers that cost nothing,
 * and stay exact in sums of up to 2^21 rows, which is more than the core's columns hold.
 */
export class UnitColumn {
  #words!: BigUint64Array;
  #quarters!: Uint32Array;
  /** The same, with the highest word's sign. */
  #signed!: Int32Array;

  constructor(words: BigUint64Array) {
    this.#hold(words);
  }

  /** A row's amount. */
  at(row: number): bigint {
    return (BigInt.asIntN(64, this.#words[2 * row + 1]!) << 64n) | this.#words[2 * row]!;
  }

  /** Gives a row another amount, or the next new row its first. */
  put(row: number, units: bigint): void {
    if (2 * row >= this.#words.length) {
      const larger = new BigUint64Array(Math.ceil(row * 1.25 + 1) * 2);
      larger.set(this.#words);
      this.#hold(larger);
    }
    // A typed array keeps what fits into its words.
    this.#words[2 * row] = units;
    this.#words[2 * row + 1] = units >> 64n;
  }

  /** Below zero where the first row has less than the second, above where it has more. */
  compare(a: number, b: number): number {
    const high = this.#signed[4 * a + 3]! - this.#signed[4 * b + 3]!;
    if (high !== 0) return high;
    for (let word = 2; word >= 0; word -= 1) {
      const difference = this.#quarters[4 * a + word]! - this.#quarters[4 * b + word]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** What some rows have together; it may be more than an amount can hold. */
  sum(rows: readonly number[]): bigint {
    const words = this.#quarters;
    let [w0, w1, w2, w3] = [0, 0, 0, 0];
    for (const row of rows) {
      w0 += words[4 * row]!;
      w1 += words[4 * row + 1]!;
      w2 += words[4 * row + 2]!;
      w3 += this.#signed[4 * row + 3]!;
    }
    return BigInt(w0) + (BigInt(w1) << 32n) + (BigInt(w2) << 64n) + (BigInt(w3) << 96n);
  }

  #hold(words: BigUint64Array): void {
    this.#words = words;
    this.#quarters = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
    this.#signed = new Int32Array(words.buffer, words.byteOffset, words.length * 2);
  }
}
