import type { FluxoraCore, FoldedStream, UnixSeconds } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { ServiceError, type Service } from '../live/service.js';
import { compareMembers, type Member } from './comparison.js';
import { HistoryProblem, HistoryReader, type EntryXdr } from './history_pages.js';

/** How often a history is read on where the stream has changed meanwhile. */
const ATTEMPTS_MAX = 5;
/** A stream may be split off another that was split off itself. */
const PARENTS_MAX = 16;
/** After so many entries the page gets a chance to draw. */
const BREATH = 250;

/** What an entry shows of its stream, and the fold makes otherwise. */
export interface EntryDifference {
  readonly seq: number;
  readonly member: Member;
}

/** What came of refolding a stream's history here and comparing it with what the service answers. */
export interface Verdict {
  readonly entries: number;
  readonly retractions: number;
  /** Entries of other streams that this one was split off from. */
  readonly parentEntries: number;
  /** Log positions of the first and the last entry. */
  readonly from: string;
  readonly to: string;
  /** The moment of the amounts; null where the service has no such stream. */
  readonly asOf: number | string | null;
  /** The stream as a whole; empty where neither has one. */
  readonly members: readonly Member[];
  /** Of the first entry that shows something else than the fold makes of it; null where none does. */
  readonly entryDifference: EntryDifference | null;
  readonly isEqual: boolean;
}

export interface Progress {
  (entries: number): void;
}

interface Context {
  readonly core: FluxoraCore;
  readonly service: Service;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** One stream's history, read and folded. */
class Folding {
  readonly #context: Context;
  readonly #reader: HistoryReader<EntryXdr>;
  readonly #history;
  readonly #splits: Splits;
  entries = 0;
  retractions = 0;
  first: EntryXdr | null = null;
  last: EntryXdr | null = null;
  entryDifference: EntryDifference | null = null;
  /** The streams that were split off this one, by the position of the entry that did. */
  readonly children = new Map<number, FoldedStream>();

  constructor(context: Context, id: string, splits: Splits) {
    this.#context = context;
    this.#splits = splits;
    this.#reader = new HistoryReader(context.service, id, { withXdr: true, signal: context.signal });
    this.#history = context.core.streamHistory(id);
  }

  get stream(): FoldedStream | null { return this.#history.stream; }

  /** Folds all there is behind what was folded. */
  async readOn(): Promise<void> {
    for await (const page of this.#reader.pages()) {
      for (const entry of page) await this.#fold(entry);
    }
  }

  async #fold(entry: EntryXdr): Promise<void> {
    if (this.first === null) {
      if (entry.prevSeq !== null) {
        throw new HistoryProblem('pruned', `The entries before log position ${entry.seq} were pruned.`);
      }
      this.first = entry;
    }
    const wasSplitOff = entry.event === 'stream.created' && entry.kind === 'del_share';
    const split = wasSplitOff ? await this.#splits.childOf(entry) : undefined;
    const { stream, child } = split === undefined ? this.#history.fold(entry) : this.#history.fold(entry, split);
    if (child !== null) this.children.set(entry.seq, child);
    if (entry.stream && this.entryDifference === null) this.entryDifference = differenceOf(entry, stream);
    this.last = entry;
    this.entries += 1;
    if (entry.event === 'stream.retracted') this.retractions += 1;
    if (this.entries % BREATH === 0) {
      this.#context.progress(this.entries);
      await new Promise((done) => { setTimeout(done); });
      this.#context.signal.throwIfAborted();
    }
  }
}

/** A stream as feeds show it, with its amounts at a time; without members for none. */
function shownAt(stream: FoldedStream | null, asOf: UnixSeconds): Record<string, unknown> {
  return stream === null ? {} : JSON.parse(stream.toJson(asOf)) as Record<string, unknown>;
}

function differenceOf(entry: EntryXdr, stream: FoldedStream | null): EntryDifference | null {
  const ours = shownAt(stream, Date.parse(entry.closedAt) / 1000);
  const member = compareMembers(ours, { ...entry.stream }).find(({ isEqual }) => !isEqual);
  return member === undefined ? null : { seq: entry.seq, member };
}

/** The streams that others are split off from: their histories begin with an event of their parent's. */
class Splits {
  readonly #context: Context;
  readonly #parents = new Map<string, Folding>();
  #depth = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** How many entries of parents were folded. */
  get entries(): number {
    return [...this.#parents.values()].reduce((sum, { entries }) => sum + entries, 0);
  }

  /** The stream that the entry before this one, of its parent, split off; undefined where it didn't. */
  async childOf(entry: EntryXdr): Promise<FoldedStream | undefined> {
    if (!entry.xdr) return undefined;
    const event = JSON.parse(this.#context.core.contractEventToJson(entry.xdr)) as { streamNumber: string | null };
    const id = `${entry.contractId}-${event.streamNumber}`;
    let parent = this.#parents.get(id);
    if (parent === undefined) {
      if (this.#depth >= PARENTS_MAX) {
        throw new HistoryProblem('too_long', `It was split off over more than ${PARENTS_MAX} streams.`);
      }
      parent = new Folding(this.#context, id, this);
      this.#parents.set(id, parent);
      this.#depth += 1;
      await parent.readOn();
      this.#depth -= 1;
    }
    return parent.children.get(entry.seq - 1);
  }
}

/** The stream as the service has it, at that version or a later one; null for one that it hasn't. */
async function answered({ service, signal }: Context, id: string, version: number): Promise<Stream | null> {
  // A replica may lag behind what the history was read from: it says so then, instead of answering.
  const headers = { 'x-fluxora-min-version': String(version) };
  try {
    return await service.json<Stream>(`api/streams/${encodeURIComponent(id)}`, { headers, signal });
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return null;
    throw error;
  }
}

/**
 * Reads a stream's whole history, folds it here, and compares what comes of it with what the service says of the
 * stream. Errors: HistoryProblem where it can't be read as a whole, ServiceError, FluxoraError for what is no entry.
 */
export async function verify(
  core: FluxoraCore, service: Service, id: string, signal: AbortSignal, progress: Progress,
): Promise<Verdict> {
  const context: Context = { core, service, signal, progress };
  const splits = new Splits(context);
  const folding = new Folding(context, id, splits);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const before = folding.entries;
    await folding.readOn();
    const version = folding.last?.seq ?? 0;
    const theirs = await answered(context, id, version);
    // What has changed since the history was read is in the rest of it, also what took the stream away.
    const isSettled = theirs !== null ? theirs.version <= version
      : folding.stream === null || (attempt > 0 && folding.entries === before);
    if (isSettled) return verdictOf(folding, splits, theirs);
  }
  throw new HistoryProblem('restless', 'The stream changes faster than its history can be read.');
}

function verdictOf(folding: Folding, splits: Splits, theirs: Stream | null): Verdict {
  const { stream, first, last, entryDifference } = folding;
  const asOf = theirs?.asOf ?? null;
  const members = compareMembers(shownAt(stream, asOf ?? 0), { ...theirs });
  return {
    entries: folding.entries,
    retractions: folding.retractions,
    parentEntries: splits.entries,
    from: first?.cursor ?? '—',
    to: last?.cursor ?? '—',
    asOf,
    members,
    entryDifference,
    isEqual: entryDifference === null && members.every(({ isEqual }) => isEqual),
  };
}
