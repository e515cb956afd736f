// What becomes of the requests: counts and latencies by kind, by phase and over time. Memory doesn't grow with the
// number of requests: latencies go into Node's histograms (HDR, three digits).
import { createHistogram } from 'node:perf_hooks';

const MAX_POINTS = 1_200;
const MAX_ERRORS = 50;
const newHistogram = () => createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });

/** @param {import('node:perf_hooks').RecordableHistogram} histogram of microseconds */
function milliseconds(histogram, percentile) {
  return histogram.count === 0 ? null : Math.round(histogram.percentile(percentile) / 10) / 100;
}

/** Counts and latencies of some requests. */
class Tally {
  constructor() {
    this.latencies = newHistogram();
    this.clear();
  }

  clear() {
    Object.assign(this, { ok: 0, refused: 0, failed: 0, unsent: 0 });
    this.latencies.reset();
  }

  /** @param {'ok' | 'refused' | 'failed'} outcome @param {number} ms */
  add(outcome, ms) {
    this[outcome] += 1;
    // What a server refuses or fails quickly would make it look quick.
    if (outcome === 'ok') this.latencies.record(Math.max(1, Math.round(ms * 1000)));
  }

  figures() {
    const { ok, refused, failed, unsent, latencies } = this;
    const [p50, p95, p99, p999] = [50, 95, 99, 99.9].map((percentile) => milliseconds(latencies, percentile));
    return {
      ok,
      refused,
      failed,
      unsent,
      p50,
      p95,
      p99,
      p999,
      max: latencies.count === 0 ? null : Math.round(latencies.max / 10) / 100,
    };
  }
}

export class Recorder {
  /** @param {number} expectedSeconds how long it is going to take, all in all */
  constructor(expectedSeconds) {
    this.pointSeconds = Math.max(1, Math.ceil(expectedSeconds / MAX_POINTS));
    this.begun = performance.now();
    /** What the thresholds are about. */
    this.total = new Tally();
    /** @type {Map<string, Tally>} */
    this.kinds = new Map();
    /**
     * @type {{name: string, rate: number, seconds: number, tally: Tally, late:
     * import('node:perf_hooks').RecordableHistogram}[]}
     */
    this.phases = [];
    /** @type {Map<string, number>} */
    this.errors = new Map();
    /** @type {Map<string, import('node:perf_hooks').RecordableHistogram>} */
    this.lags = new Map();
    this.points = [];
    this.point = { index: 0, tally: new Tally() };
  }

  /** @param {import('./plans.mjs').Phase} phase */
  enter({ name, rate, seconds, apart = false, step = false }) {
    this.phases.push({
      name,
      rate,
      seconds,
      apart,
      step,
      begun: this.seconds(),
      tally: new Tally(),
      late: newHistogram(),
    });
  }

  get phase() {
    return this.phases[this.phases.length - 1];
  }

  seconds() {
    return (performance.now() - this.begun) / 1000;
  }

  /** @param {string} kind @param {'ok' | 'refused' | 'failed'} outcome @param {number} ms */
  add(kind, outcome, ms) {
    if (!this.kinds.has(kind)) this.kinds.set(kind, new Tally());
    this.kinds.get(kind)?.add(outcome, ms);
    this.phase.tally.add(outcome, ms);
    if (!this.phase.apart) this.total.add(outcome, ms);
    this.#point().add(outcome, ms);
  }

  unsent() {
    this.phase.tally.unsent += 1;
    if (!this.phase.apart) this.total.unsent += 1;
    this.#point().unsent += 1;
  }

  /** @param {number} ms */
  late(ms) {
    this.phase.late.record(Math.max(1, Math.round(ms * 1000)));
  }

  /** From a change's request to its news. @param {string} name @param {number} ms */
  lag(name, ms) {
    if (!this.lags.has(name)) this.lags.set(name, newHistogram());
    this.lags.get(name)?.record(Math.max(1, Math.round(ms * 1000)));
  }

  /** @param {string} what kinds of trouble, not texts that never come twice */
  error(what) {
    const name = this.errors.has(what) || this.errors.size < MAX_ERRORS ? what : 'others';
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
  }

  #point() {
    const index = Math.floor(this.seconds() / this.pointSeconds);
    // Seconds in which nothing was answered are points too.
    while (this.point.index < index) {
      this.#closePoint();
      this.point.index += 1;
      this.point.tally.clear();
    }
    return this.point.tally;
  }

  #closePoint() {
    const { index, tally } = this.point;
    this.points.push({ at: index * this.pointSeconds, ...tally.figures() });
  }

  figures() {
    this.#closePoint();
    return {
      pointSeconds: this.pointSeconds,
      total: this.total.figures(),
      kinds: Object.fromEntries([...this.kinds].map(([name, tally]) => [name, tally.figures()])),
      phases: this.phases.map(({ tally, late, ...phase }) => ({
        ...phase,
        ...tally.figures(),
        lateP99: milliseconds(late, 99) ?? 0,
      })),
      errors: Object.fromEntries(this.errors),
      lags: Object.fromEntries(
        [...this.lags].map(([name, histogram]) => [
          name,
          {
            count: histogram.count,
            p50: milliseconds(histogram, 50),
            p99: milliseconds(histogram, 99),
            max: milliseconds(histogram, 100),
          },
        ]),
      ),
      points: this.points,
    };
  }
}

/**
 * Moments of the same thing seen from two sides, in whichever order they come; what has only one side is forgotten in
 * time.
 */
export class Pairs {
  static LIMIT = 10_000;

  /** @param {(ms: number) => void} onPair */
  constructor(onPair) {
    this.onPair = onPair;
    this.begun = new Map();
    this.seen = new Map();
  }

  /** @param {string} id @param {number} at when it was due */
  begin(id, at) {
    this.#meet(id, at, this.begun, this.seen, (seen) => seen - at);
  }

  /** @param {string} id */
  arrive(id) {
    const at = performance.now();
    this.#meet(id, at, this.seen, this.begun, (begun) => at - begun);
  }

  #meet(id, at, mine, others, difference) {
    const other = others.get(id);
    if (other !== undefined) {
      others.delete(id);
      this.onPair(difference(other));
      return;
    }
    mine.set(id, at);
    if (mine.size > Pairs.LIMIT) mine.delete(mine.keys().next().value);
  }
}
