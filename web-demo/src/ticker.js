/**
 * Amounts between two seconds. The contract pays by whole seconds, so only a whole second has an exact amount; in
 * between, an amount moves evenly from one to the next, in integers, a millisecond at a time.
 */
export function between(now, next, milliseconds) {
  return now + ((next - now) * BigInt(milliseconds)) / 1000n;
}

/** The balances at a second and at the one after it, computed anew when the second or the streams have changed. */
export class Ticker {
  #book;
  #second = null;
  #revision = -1;
  #now = new Map();
  #next = new Map();

  /** @param {import('./stream_book.js').StreamBook} book */
  constructor(book) {
    this.#book = book;
  }

  /** @returns {boolean} whether the exact amounts are new ones */
  turnTo(second) {
    if (second === this.#second && this.#book.revision === this.#revision) return false;
    const oneOn = second === (this.#second ?? second) + 1 && this.#book.revision === this.#revision;
    this.#now = oneOn ? this.#next : this.#book.balancesAt(BigInt(second));
    this.#next = this.#book.balancesAt(BigInt(second) + 1n);
    this.#second = second;
    this.#revision = this.#book.revision;
    return true;
  }

  get second() {
    return this.#second;
  }

  /** Exact, at the second: {streamed, withdrawable} in base units, or undefined for a stream that isn't held. */
  exact(id) {
    return this.#now.get(id);
  }

  /** The same at the second after it. */
  exactNext(id) {
    return this.#next.get(id);
  }

  /** One of the two amounts between the seconds. */
  moving(id, name, milliseconds) {
    return between(this.#now.get(id)[name], this.#next.get(id)[name], milliseconds);
  }

  /** True when an amount is the same at both seconds. */
  rests(id, name) {
    return this.#now.get(id)[name] === this.#next.get(id)[name];
  }
}
