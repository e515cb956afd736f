import type { BalanceColumn, FluxoraCore, StreamColumns } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { UnitColumn } from './unit_column.js';

/** The two balances that move with time. */
export type Moving = Extract<BalanceColumn, 'streamed' | 'withdrawable'>;
const MOVING: readonly Moving[] = ['streamed', 'withdrawable'];

/** Of more changed streams than this, all are computed: one call for all of them is cheaper than one for each. */
const RENEWED_MAX = 100;

/** All balances at a second. */
interface Balances extends Readonly<Record<Moving, UnitColumn>> {
  readonly second: number;
}

/**
 * Amounts between two seconds. The contract pays by whole seconds, so only a whole second has an exact amount; in
 * between, an amount moves evenly from one to the next, in integers, a millisecond at a time, and never reaches the next.
 */
export function between(now: bigint, next: bigint, milliseconds: number): bigint {
  return now + ((next - now) * BigInt(milliseconds)) / 1000n;
}

/**
 * All streams, and their balances at one second and the next. The feed's messages fill it and keep it; the core holds
 * their terms in columns and computes all balances in one call.
 */
export class StreamBook {
  readonly #columns: StreamColumns;
  #streams = new Map<string, Stream>();
  #revision = 0;
  #membership = 0;
  /** Streams whose balances have yet to be computed anew; null: all of them. */
  #stale: Set<string> | null = null;
  /** Of the second, of the one after it, and in its later half of the one after that. */
  #held: readonly Balances[] = [];

  constructor(core: FluxoraCore) {
    this.#columns = core.streamColumns();
  }

  /** Grows with every change of a stream, so that who draws can see whether there is something new. */
  get revision(): number { return this.#revision; }
  /** Grows when streams come or go: rows may have moved then. */
  get membership(): number { return this.#membership; }
  get size(): number { return this.#streams.size; }
  get(id: string): Stream | undefined { return this.#streams.get(id); }
  all(): IterableIterator<Stream> { return this.#streams.values(); }

  replaceAll(streams: readonly Stream[]): void {
    this.#streams = new Map(streams.map((stream) => [stream.id, stream]));
    this.#columns.clear();
    this.#columns.setAll(streams);
    this.#stale = null;
    this.#revision += 1;
    this.#membership += 1;
  }

  /** Takes a stream as an entry of the log has left it. True when it is new here. */
  put(stream: Stream): boolean {
    const isNew = !this.#streams.has(stream.id);
    this.#columns.set(stream);
    this.#streams.set(stream.id, stream);
    this.#stale?.add(stream.id);
    this.#revision += 1;
    if (isNew) this.#membership += 1;
    return isNew;
  }

  remove(id: string): void {
    if (!this.#streams.delete(id)) return;
    this.#columns.delete(id);
    // Another one has its row now.
    this.#stale = null;
    this.#revision += 1;
    this.#membership += 1;
  }

  /** The second whose balances are held; null before the first `turnTo`. */
  get second(): number | null { return this.#held[0]?.second ?? null; }

  /** Brings the balances to a second and to the one after it. True when any may be others than before. */
  turnTo(second: number): boolean {
    if (second === this.second && this.#stale?.size === 0) return false;
    const ahead = this.#isRenewable && this.#holds(second + 2) ? [second + 2] : [];
    this.#held = [second, second + 1, ...ahead].map((at) => this.#balancesAt(at));
    this.#stale = new Set();
    return true;
  }

  /** Computes what the next second will ask for, in a frame that has less to do than its first. */
  prepare(): void {
    const { second } = this;
    if (second === null || this.#stale?.size !== 0 || this.#holds(second + 2)) return;
    this.#held = [...this.#held, this.#balancesAt(second + 2)];
  }

  /** A stream's place in the balances, until streams come or go; undefined for one that isn't held. */
  rowOf(id: string): number | undefined {
    return this.#columns.rowOf(id);
  }

  /** A row's exact balance at the second, in base units. */
  exact(row: number, name: Moving): bigint {
    return this.#held[0]![name].at(row);
  }

  /** The same at the second after it. */
  exactNext(row: number, name: Moving): bigint {
    return this.#held[1]![name].at(row);
  }

  /** The balance `milliseconds` behind the second. */
  moving(row: number, name: Moving, milliseconds: number): bigint {
    return between(this.exact(row, name), this.exactNext(row, name), milliseconds);
  }

  /** Below, at or above zero: which of two rows has less at the second. For sorting. */
  compare(a: number, b: number, name: Moving): number {
    return this.#held[0]![name].compare(a, b);
  }

  /** What some rows have together at the second after it. It may be more than an amount can hold. */
  sumNext(rows: readonly number[], name: Moving): bigint {
    return this.#held[1]![name].sum(rows);
  }

  /** The same at the second. */
  sum(rows: readonly number[], name: Moving): bigint {
    return this.#held[0]![name].sum(rows);
  }

  get #isRenewable(): boolean {
    return this.#stale !== null && this.#stale.size <= RENEWED_MAX;
  }

  #holds(second: number): boolean {
    return this.#held.some((balances) => balances.second === second);
  }

  #balancesAt(second: number): Balances {
    const held = this.#held.find((balances) => balances.second === second);
    if (held && this.#isRenewable) {
      for (const id of this.#stale!) this.#renew(held, id);
      return held;
    }
    const found = this.#columns.accrue(BigInt(second));
    const [streamed, withdrawable] = MOVING.map((name) => new UnitColumn(found.words(name)));
    return { second, streamed: streamed!, withdrawable: withdrawable! };
  }

  #renew(balances: Balances, id: string): void {
    const found = this.#columns.balancesOf(id, BigInt(balances.second));
    for (const name of MOVING) balances[name].put(this.rowOf(id)!, found[`${name}Units`]);
  }
}
