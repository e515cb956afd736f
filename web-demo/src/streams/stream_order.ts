import type { StreamStatus } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import type { StreamBook } from '../live/stream_book.js';
import { statusAt } from '../text/streams.js';
import { secondsOf } from '../text/times.js';

/** What streams can be sorted by. */
export type SortName = 'created' | 'status' | 'end' | 'deposit' | 'rate' | 'streamed' | 'withdrawable';

export interface Sorting {
  readonly by: SortName;
  readonly descending: boolean;
}

/** Which streams are wanted. Empty: all. */
export interface Filter {
  /** A part of an id, a sender, a recipient or a token, in any case. */
  readonly text: string;
  readonly status: StreamStatus | '';
}

export const STATUSES: readonly StreamStatus[] = ['active', 'scheduled', 'paused', 'completed', 'cancelled'];

/** A stream that is held, as it was when the order was taken. */
export interface Item {
  readonly id: string;
  stream: Stream;
  /** Its place in the book's balances. */
  row: number;
  /** Base units. */
  deposit: bigint;
}

/** What has become of a stream. `before`: null for a new one. */
export interface Change {
  readonly item: Item;
  readonly before: Pick<Item, 'stream' | 'deposit'> | null;
}

/** What of the book the order is made from. */
export type Book = Pick<StreamBook, 'get' | 'all' | 'size' | 'membership' | 'rowOf' | 'compare'>;

/** Decimal texts of the core's, all with as many decimals, as the numbers that they are. */
export function compareDecimals(a: string, b: string): number {
  const [isNegative, other] = [a.startsWith('-'), b.startsWith('-')];
  if (isNegative !== other) return isNegative ? -1 : 1;
  const larger = a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
  return isNegative ? 0 - larger : larger;
}

/** The newest first. Streams of one moment: the higher number first. */
function byCreation(a: Item, b: Item): number {
  const [at, other] = [a.stream.createdAt, b.stream.createdAt];
  if (at !== other) return at > other ? -1 : 1;
  return b.id.length - a.id.length || (a.id > b.id ? -1 : 1);
}

/** The order of two items, smallest first. `second`: null where there are no balances yet. */
function comparison(book: Book, by: SortName, second: number | null): (a: Item, b: Item) => number {
  switch (by) {
    case 'created': return (a, b) => byCreation(b, a);
    case 'deposit': return (a, b) => compareDecimals(a.stream.depositAmount, b.stream.depositAmount);
    case 'rate': return (a, b) => compareDecimals(a.stream.ratePerSecond, b.stream.ratePerSecond);
    case 'end': return (a, b) => secondsOf(a.stream.endTime) - secondsOf(b.stream.endTime);
    case 'status': {
      const rank = ({ stream }: Item) => STATUSES.indexOf(statusAt(stream, second ?? 0));
      return (a, b) => rank(a) - rank(b);
    }
    case 'streamed':
    case 'withdrawable':
      return second === null ? () => 0 : (a, b) => book.compare(a.row, b.row, by);
  }
}

/** Whether a stream is wanted. Addresses are all capitals, the rest of the ids has none. */
function matching({ text, status }: Filter, second: number | null): (item: Item) => boolean {
  const [capitals, small] = [text.trim().toUpperCase(), text.trim().toLowerCase()];
  return ({ stream }) => {
    if (status !== '' && statusAt(stream, second ?? 0) !== status) return false;
    if (small === '') return true;
    const { id, sender, recipient, token } = stream;
    return id.includes(small) || [id, sender, recipient, token].some((part) => part?.includes(capitals));
  };
}

/**
 * The streams of a book in an order of somebody's choice, those that are wanted. It is taken when it is asked for: what
 * moves between two times doesn't change places.
 */
export class StreamOrder {
  readonly #book: Book;
  readonly #parse: (decimal: string) => bigint;
  readonly #items = new Map<string, Item>();
  #all: Item[] = [];
  #wanted: Item[] = [];
  /** The book's, when its streams were taken. */
  #membership = -1;
  sorting: Sorting = { by: 'created', descending: true };
  filter: Filter = { text: '', status: '' };

  /** @param parse the core's reading of a decimal */
  constructor(book: Book, parse: (decimal: string) => bigint) {
    this.#book = book;
    this.#parse = parse;
  }

  /** All streams. */
  get all(): readonly Item[] { return this.#all; }
  /** Those that are wanted. */
  get wanted(): readonly Item[] { return this.#wanted; }

  get isFiltered(): boolean {
    return this.filter.text.trim() !== '' || this.filter.status !== '';
  }

  /** True where the order may be another one with each second. */
  get isMoving(): boolean {
    return ['streamed', 'withdrawable', 'status'].includes(this.sorting.by) || this.filter.status !== '';
  }

  /** Takes the order anew, from the book as it is and its balances at `second`; null where there are none yet. */
  take(second: number | null): void {
    this.#read();
    // The order before is nearly the new one: sorting it again is quick.
    this.#all.sort(this.#comparison(second));
    this.#wanted = this.isFiltered ? this.#all.filter(matching(this.filter, second)) : this.#all.slice();
  }

  /**
   * Takes in what has become of some streams, and leaves the others where they are: new ones get a place, known ones
   * keep theirs. Null, and nothing is done, where one has gone, if only to come back: others have other rows then, and
   * `take` knows them.
   */
  takeIn(ids: Iterable<string>, second: number | null): readonly Change[] | null {
    const streams = Array.from(ids, (id) => this.#book.get(id)).filter((stream) => stream !== undefined);
    const news = streams.filter(({ id }) => !this.#items.has(id)).length;
    if (this.#book.membership !== this.#membership + news) return null;
    this.#membership = this.#book.membership;
    const compare = this.#comparison(second);
    const isWanted = matching(this.filter, second);
    return streams.map((stream): Change => {
      const item = this.#items.get(stream.id);
      if (item !== undefined) {
        const before = { stream: item.stream, deposit: item.deposit };
        this.#update(item, stream);
        return { item, before };
      }
      const added = this.#add(stream);
      insert(this.#all, added, compare);
      if (isWanted(added)) insert(this.#wanted, added, compare);
      return { item: added, before: null };
    });
  }

  /** Where a wanted stream stands; -1 where it doesn't. */
  indexOf(id: string): number {
    return this.#wanted.findIndex((item) => item.id === id);
  }

  #comparison(second: number | null): (a: Item, b: Item) => number {
    const compare = comparison(this.#book, this.sorting.by, second);
    const direction = this.sorting.descending ? -1 : 1;
    return (a, b) => direction * compare(a, b) || byCreation(a, b);
  }

  /** Makes the items those of the book, as they are now. */
  #read(): void {
    this.#membership = this.#book.membership;
    this.#all = this.#all.filter((item) => {
      const stream = this.#book.get(item.id);
      if (stream === undefined) this.#items.delete(item.id);
      else {
        item.row = this.#book.rowOf(item.id)!;
        this.#update(item, stream);
      }
      return stream !== undefined;
    });
    if (this.#all.length === this.#book.size) return;
    for (const stream of this.#book.all()) if (!this.#items.has(stream.id)) this.#all.push(this.#add(stream));
  }

  #add(stream: Stream): Item {
    const { id, depositAmount } = stream;
    const item = { id, stream, row: this.#book.rowOf(id)!, deposit: this.#parse(depositAmount) };
    this.#items.set(id, item);
    return item;
  }

  #update(item: Item, stream: Stream): void {
    if (item.stream === stream) return;
    if (item.stream.depositAmount !== stream.depositAmount) item.deposit = this.#parse(stream.depositAmount);
    item.stream = stream;
  }
}

/** Puts an item where it belongs among others that are in order. */
function insert(items: Item[], item: Item, compare: (a: Item, b: Item) => number): void {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(items[middle]!, item) < 0) low = middle + 1;
    else high = middle;
  }
  items.splice(low, 0, item);
}
