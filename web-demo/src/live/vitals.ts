import type { FeedSession } from './feed_session.js';
import type { HealthWatch } from './health_watch.js';

/** How far back it goes, and in which steps. */
export const STEP_SECONDS = 5;
export const STEPS = 60;

/**
 * Counts and greatest values of the last five minutes, a value a step. Moments are whole seconds that don't run
 * backwards.
 */
export class Steps {
  /** Null: nothing is known of that step. */
  readonly #values: (number | null)[] = Array.from({ length: STEPS }, () => null);
  #step: number | null = null;

  /** The oldest first; the last one is still going on. */
  get values(): readonly (number | null)[] { return this.#values; }

  /** Goes on to this second; steps in between get `empty`. */
  moveTo(second: number, empty: number | null): void {
    const step = Math.floor(second / STEP_SECONDS);
    const passed = this.#step === null ? 1 : Math.min(STEPS, step - this.#step);
    for (let i = 0; i < passed; i += 1) {
      this.#values.shift();
      this.#values.push(empty);
    }
    if (passed > 0) this.#step = step;
  }

  count(second: number): void {
    this.moveTo(second, 0);
    this.#values[STEPS - 1] = (this.#values[STEPS - 1] ?? 0) + 1;
  }

  /** Keeps the greatest value of a step. */
  note(second: number, value: number): void {
    this.moveTo(second, null);
    this.#values[STEPS - 1] = Math.max(this.#values[STEPS - 1] ?? value, value);
  }
}

/** What the page has seen of the service's work in the last minutes, from its start on. */
export class Vitals {
  readonly #now: () => number;
  readonly #entries = new Steps();
  readonly #lag = new Steps();

  /** @param now milliseconds that only grow */
  constructor(feed: Pick<FeedSession, 'onEntry'>, health: Pick<HealthWatch, 'onHealth'>,
    now: () => number = () => performance.now()) {
    this.#now = now;
    this.#entries.moveTo(this.#second(), 0);
    feed.onEntry.add(() => this.#entries.count(this.#second()));
    health.onHealth.add((answer) => {
      if (answer !== null && answer.indexer.status !== 'not_configured') {
        this.#lag.note(this.#second(), answer.indexer.lagMs);
      }
    });
  }

  /** Log entries that came with the feed, in each step. */
  entries(): readonly (number | null)[] {
    this.#entries.moveTo(this.#second(), 0);
    return this.#entries.values;
  }

  /** The indexer's lag in milliseconds: the greatest that it told of in each step. */
  lag(): readonly (number | null)[] {
    this.#lag.moveTo(this.#second(), null);
    return this.#lag.values;
  }

  #second(): number {
    return Math.floor(this.#now() / 1000);
  }
}
