import type { LogEntry } from '@fluxora/core/feed';

import type { Reset } from './feed_session.js';

/** Newest items that are kept. */
export const ITEMS_MAX = 500;

/** A position of the log, and which log that is: positions of another one are others. */
export interface Position {
  readonly epoch: string;
  readonly seq: bigint;
}

/** An entry of the log, as it came to this page. */
export interface LoggedEntry {
  readonly type: 'entry';
  readonly key: string;
  /** Which of the logs that were followed, one after the other. */
  readonly log: number;
  readonly entry: LogEntry;
  /** When it first came, in milliseconds since the epoch. */
  readonly at: number;
  /** How often it came. */
  times: number;
  /** It was in the log already when the connection was made that brought it last. */
  isReplayed: boolean;
  /** The entry that retracts it. */
  undoneBy: number | null;
}

/** How an entry came. */
export interface Coming {
  /** Counts the page's connections. */
  readonly connection: number;
  readonly at: number;
  readonly isReplayed: boolean;
}

/** A place where what was held couldn't be continued, and all streams were read instead. */
export interface LoggedReset {
  readonly type: 'reset';
  readonly key: string;
  readonly reason: Reset['reason'];
  readonly gap: Reset['gap'];
  readonly cursor: string;
  readonly streams: number;
  readonly at: number;
}

/** The key of a log's entry. */
export function entryKey(log: number, seq: number): string {
  return `${log}-${seq}`;
}

export type LoggedItem = LoggedEntry | LoggedReset;

/** An item at its place: in which log, where in it, and by which connection it came last. */
interface Placed {
  readonly log: number;
  readonly seq: bigint;
  readonly item: LoggedItem;
  connection: number;
}

function isBehind(a: Placed, b: Placed): boolean {
  if (a.log !== b.log) return a.log > b.log;
  if (a.seq !== b.seq) return a.seq > b.seq;
  // A state holds the entry at its position.
  return a.item.type === 'reset' || b.item.type === 'entry';
}

/**
 * What the page has of the log, in the log's order, however it came: each entry once, at most ITEMS_MAX items, the ones
 * of the highest positions.
 */
export class FeedLog {
  #placed: Placed[] = [];
  readonly #entries = new Map<string, Placed>();
  /** By the key of an entry, the position of the one that retracts it. */
  readonly #undoers = new Map<string, number>();
  #log = 0;
  #epoch: string | null = null;
  #resets = 0;

  /** The oldest first. */
  get items(): readonly LoggedItem[] {
    return this.#placed.map(({ item }) => item);
  }

  get size(): number { return this.#placed.length; }

  /** An entry by its key. */
  entry(key: string): LoggedEntry | undefined {
    return this.#entries.get(key)?.item as LoggedEntry | undefined;
  }

  addEntry(entry: LogEntry, { epoch, seq }: Position, { connection, at, isReplayed }: Coming): void {
    this.#follow(epoch);
    const log = this.#log;
    const key = entryKey(log, entry.seq);
    const known = this.entry(key);
    if (known !== undefined) {
      known.times += 1;
      known.isReplayed ||= isReplayed;
      this.#entries.get(key)!.connection = connection;
      return;
    }
    const undoneBy = this.#undoers.get(key) ?? null;
    const item: LoggedEntry = { type: 'entry', key, log, entry, at, times: 1, isReplayed, undoneBy };
    const placed = { log, seq, item, connection };
    this.#entries.set(key, placed);
    if (typeof entry.retracts === 'number') {
      const undoneKey = entryKey(log, entry.retracts);
      this.#undoers.set(undoneKey, entry.seq);
      const undone = this.entry(undoneKey);
      if (undone !== undefined) undone.undoneBy = entry.seq;
    }
    this.#place(placed);
  }

  addReset({ reason, gap, cursor, state }: Reset, { epoch, seq }: Position, at: number): void {
    this.#follow(epoch);
    this.#resets += 1;
    const key = `reset-${this.#resets}`;
    const item: LoggedReset = { type: 'reset', key, reason, gap, cursor, streams: state.length, at };
    this.#place({ log: this.#log, seq, item, connection: 0 });
  }

  /** The entries up to `head` were in the log when that connection was made: what it brought of them, it replayed. */
  markReplayed(connection: number, head: bigint): void {
    for (const placed of this.#entries.values()) {
      if (placed.connection === connection && placed.log === this.#log && placed.seq <= head) {
        (placed.item as LoggedEntry).isReplayed = true;
      }
    }
  }

  #follow(epoch: string): void {
    if (this.#epoch !== null && this.#epoch !== epoch) this.#log += 1;
    this.#epoch = epoch;
  }

  #place(placed: Placed): void {
    let index = this.#placed.length;
    while (index > 0 && !isBehind(placed, this.#placed[index - 1]!)) index -= 1;
    this.#placed.splice(index, 0, placed);
    if (this.#placed.length > ITEMS_MAX) this.#forget(this.#placed.shift()!.item);
  }

  #forget(item: LoggedItem): void {
    if (item.type === 'reset') return;
    this.#entries.delete(item.key);
    const { retracts } = item.entry;
    if (typeof retracts === 'number') this.#undoers.delete(entryKey(item.log, retracts));
  }
}
