/** Reproducible numbers: the same for the same seed and index, on every machine. */
export class Random {
  #state;

  constructor(seed, index) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
    this.u32();
    this.u32();
  }

  /** splitmix32 */
  u32() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }
  u64() {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
  /** 0 to below - 1 */
  below(below) {
    return this.u32() % below;
  }
  /** True once in `n` times. */
  once(n) {
    return this.below(n) === 0;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  bytes(size) {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }
}
