/**
 * What time it is on the chain, in whole milliseconds. Accrual runs by ledger close times, so the page's clock is set
 * by them and runs on at the pace of real time between them. It never runs backwards.
 */
export class ChainClock {
  // A chain whose newest close is this close to the server's clock keeps wall-clock time. That clock is then the
  // better one: a close time is up to a ledger old when it gets here, and figures would jump at each ledger.
  static #WALL_CLOCK_WITHIN_MS = 60_000;

  #monotonic;
  #base = null;
  #setAt = 0;
  #wall = null;

  /** @param {() => number} monotonic milliseconds that only grow */
  constructor(monotonic = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** The server's clock, read `tookMs` ago at most. */
  observeServer(milliseconds) {
    this.#wall = milliseconds - this.#monotonic();
  }

  /** The close time of a ledger that the service has indexed, in unix seconds. */
  observeClose(seconds) {
    const close = Math.floor(Number(seconds)) * 1000;
    if (!Number.isSafeInteger(close)) return;
    const wall = this.#wall === null ? null : Math.floor(this.#wall + this.#monotonic());
    const keepsWallClock = wall !== null && Math.abs(wall - close) < ChainClock.#WALL_CLOCK_WITHIN_MS;
    const time = keepsWallClock ? Math.max(wall, close) : close;
    if (this.#base === null || time > this.nowMs()) {
      this.#base = time;
      this.#setAt = this.#monotonic();
    }
  }

  /** Forgets the chain: another log may be of another one. */
  reset() {
    this.#base = null;
  }

  get isSet() {
    return this.#base !== null;
  }

  nowMs() {
    if (this.#base === null) return 0;
    return this.#base + Math.floor(this.#monotonic() - this.#setAt);
  }
}
