/** A chain whose newest close is this close to the server's clock keeps wall-clock time. */
const WALL_CLOCK_WITHIN_MS = 60_000;

/**
 * What time it is on the chain, in whole milliseconds. Accrual runs by ledger close times, so the page's clock is set
 * by them and runs on at the pace of real time between them. It never runs backwards. Where the chain keeps wall-clock
 * time, the server's clock is the better one: a close time is up to a ledger old when it gets here, and figures would
 * jump at each ledger.
 */
export class ChainClock {
  readonly #monotonic: () => number;
  #base: number | null = null;
  #setAt = 0;
  #wall: number | null = null;

  /** @param monotonic milliseconds that only grow */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** The server's clock, just read. */
  observeServer(milliseconds: number): void {
    this.#wall = milliseconds - this.#monotonic();
  }

  /** The close time of a ledger that the service has indexed, in unix seconds. Times past any calendar are left. */
  observeClose(seconds: number): void {
    const close = Math.floor(seconds) * 1000;
    if (!Number.isSafeInteger(close)) return;
    const wall = this.#wall === null ? null : Math.floor(this.#wall + this.#monotonic());
    const keepsWallClock = wall !== null && Math.abs(wall - close) < WALL_CLOCK_WITHIN_MS;
    const time = keepsWallClock ? Math.max(wall, close) : close;
    if (this.#base === null || time > this.nowMs()) {
      this.#base = time;
      this.#setAt = this.#monotonic();
    }
  }

  /** Forgets the chain: another log may be of another one. */
  reset(): void {
    this.#base = null;
  }

  get isSet(): boolean {
    return this.#base !== null;
  }

  nowMs(): number {
    if (this.#base === null) return 0;
    return this.#base + Math.floor(this.#monotonic() - this.#setAt);
  }
}
