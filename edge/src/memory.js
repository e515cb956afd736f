import { wholeNumber } from './whole_number.js';

class MemoryStore {
  #maxEntries;
  /** By id: { token, until }. */
  #claims = new Map();
  /** By id: until when. In the order in which they were handled, which is that in which they are forgotten. */
  #done = new Map();

  constructor(maxEntries) {
    this.#maxEntries = maxEntries;
  }

  claim(id, { leaseMs, now }) {
    this.#forgetOld(now);
    if (this.#done.get(id) > now) return { state: 'done' };
    const held = this.#claims.get(id);
    if (held?.until > now) return { state: 'busy', retryAfterMs: held.until - now };
    if (this.#claims.size >= this.#maxEntries) this.#dropEnded(now);
    if (this.#claims.size >= this.#maxEntries) throw new Error('Too many deliveries are being handled.');
    const token = crypto.randomUUID();
    this.#claims.set(id, { token, until: now + leaseMs });
    return { state: 'new', token };
  }

  complete(id, token, { keepMs, now }) {
    const held = this.#claims.get(id);
    if (held?.until > now && held.token !== token) return this.#done.get(id) > now;
    this.#claims.delete(id);
    this.#done.delete(id);
    this.#done.set(id, now + keepMs);
    if (this.#done.size > this.#maxEntries) this.#done.delete(this.#done.keys().next().value);
    return true;
  }

  release(id, token) {
    if (this.#claims.get(id)?.token === token) this.#claims.delete(id);
  }

  #forgetOld(now) {
    for (const [id, until] of this.#done) {
      if (until > now) return;
      this.#done.delete(id);
    }
  }

  /** Of handlers that were cut off. */
  #dropEnded(now) {
    for (const [id, { until }] of this.#claims) {
      if (until <= now) this.#claims.delete(id);
    }
  }
}

export function memoryStore({ maxEntries = 100_000 } = {}) {
  return new MemoryStore(wholeNumber(maxEntries, 1, 10_000_000, 'maxEntries'));
}
