import type { ChainClock } from './chain_clock.js';
import { FrameTimes } from './frame_times.js';
import type { StreamBook } from './stream_book.js';

/** What something that is shown wants to hear of time. */
export interface Viewer {
  /** Streams were changed, came or went, since the last time. Before `second` in the same frame. */
  changed?(): void;
  /** The exact balances are of a new second, or of new terms: `streams.exact`. */
  second?(second: number): void;
  /** A frame, so many milliseconds behind the second: `streams.moving`. Not for who asked for less motion. */
  frame?(milliseconds: number): void;
}

/** Draws what is shown, once a frame: nothing is computed that nobody sees. */
export class Frames {
  /** What those took lately that had something to draw. */
  readonly times = new FrameTimes();
  readonly #clock: ChainClock;
  readonly #streams: StreamBook;
  /** Who asked for less motion sees the exact amounts, once a second. */
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #viewers = new Map<Viewer, number>();

  constructor(clock: ChainClock, streams: StreamBook) {
    this.#clock = clock;
    this.#streams = streams;
  }

  /** Runs as long as the page does; the browser pauses it where the page isn't seen. */
  start(): void {
    const frame = () => {
      requestAnimationFrame(frame);
      const began = performance.now();
      this.#draw();
      if (this.#viewers.size > 0) this.times.add(began, performance.now());
    };
    requestAnimationFrame(frame);
  }

  /** A new viewer is told of everything at the next frame. */
  add(viewer: Viewer): void {
    this.#viewers.set(viewer, -1);
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
  }

  #draw(): void {
    const { revision } = this.#streams;
    const isNewTo = new Set<Viewer>();
    for (const [viewer, seen] of this.#viewers) {
      if (seen === revision) continue;
      this.#viewers.set(viewer, revision);
      isNewTo.add(viewer);
      viewer.changed?.();
    }
    if (!this.#clock.isSet) return;
    const now = this.#clock.nowMs();
    const second = Math.floor(now / 1000);
    const isNewSecond = this.#streams.turnTo(second);
    for (const viewer of this.#viewers.keys()) {
      if (isNewSecond || isNewTo.has(viewer)) viewer.second?.(second);
      if (!this.#still.matches) viewer.frame?.(now % 1000);
    }
    if (this.#viewers.size > 0 && now % 1000 >= 500) this.#streams.prepare();
  }
}
