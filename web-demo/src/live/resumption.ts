import type { ResumeOutcome } from '@fluxora/core';

import type { Reset } from './feed_session.js';

/** What the service said to being asked for the log from somewhere on: going on, or what a reset is for. */
export type Answer = ResumeOutcome | Reset['reason'];

/** One time that the page asked for the log from a position on, what it was told, and what came of it. */
export class Resumption {
  readonly answer: Answer;
  /** The position that was asked for; null: the present state of everything. */
  readonly from: string | null;
  /** Entries between the page's position and a later one that was asked for; null: it was none that is later. */
  skipped: bigint | null = null;
  /** What had to be read instead, where it couldn't be gone on. */
  reset: { readonly cursor: string; readonly streams: number; readonly gap: Reset['gap'] } | null = null;
  /** The log's newest position when the connection was made; null: not known yet. */
  head: bigint | null = null;
  /** Entries that the page had already. */
  again = 0n;
  #first: bigint | null = null;
  #last = 0n;

  constructor(answer: Answer, from: string | null) {
    this.answer = answer;
    this.from = from;
  }

  take(seq: bigint, isAgain: boolean): void {
    this.#first ??= seq;
    this.#last = seq;
    if (isAgain) this.again += 1n;
  }

  /** Entries that came and were in the log when the connection was made. The feed brings them without a hole. */
  get replayed(): bigint {
    if (this.head === null || this.#first === null) return 0n;
    const last = this.#last < this.head ? this.#last : this.head;
    return last < this.#first ? 0n : last - this.#first + 1n;
  }

  /** Everything that was in the log when the connection was made is here. */
  isCaughtUp(at: bigint): boolean {
    return this.head !== null && at >= this.head;
  }
}
