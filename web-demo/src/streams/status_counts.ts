import type { StreamStatus } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { statusAt } from '../text/streams.js';
import type { Change, Item } from './stream_order.js';

/** How many streams have each status. Of time alone only those become others that are to start: no more are looked at. */
export class StatusCounts {
  #counts: Record<StreamStatus, number> = { active: 0, scheduled: 0, paused: 0, completed: 0, cancelled: 0 };
  readonly #scheduled = new Set<Item>();
  #second = 0;

  /** At the second that was last turned to. */
  get counts(): Readonly<Record<StreamStatus, number>> { return this.#counts; }

  take(items: readonly Item[], second: number): void {
    this.#counts = { active: 0, scheduled: 0, paused: 0, completed: 0, cancelled: 0 };
    this.#scheduled.clear();
    this.#second = second;
    for (const item of items) this.#add(item);
  }

  change(changes: readonly Change[]): void {
    for (const { item, before } of changes) {
      if (before !== null) this.#remove(item, before.stream);
      this.#add(item);
    }
  }

  turn(second: number): void {
    this.#second = second;
    for (const item of this.#scheduled) {
      if (statusAt(item.stream, second) === 'scheduled') continue;
      this.#counts.scheduled -= 1;
      this.#scheduled.delete(item);
      this.#add(item);
    }
  }

  #add(item: Item): void {
    const status = statusAt(item.stream, this.#second);
    this.#counts[status] += 1;
    if (status === 'scheduled') this.#scheduled.add(item);
  }

  #remove(item: Item, stream: Stream): void {
    this.#counts[statusAt(stream, this.#second)] -= 1;
    this.#scheduled.delete(item);
  }
}
