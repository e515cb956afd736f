import type { LogEntry } from '@fluxora/core/feed';

import { entryTitle } from '../text/entries.js';

/** A stream's log entries as far as they were read, and which of them still stand. */
export class History {
  #entries: LogEntry[] = [];
  readonly #retractedBy = new Map<number, number>();

  /** Takes entries, in any order; those that are held already once. */
  add(entries: readonly LogEntry[]): void {
    const bySeq = new Map(this.#entries.map((entry) => [entry.seq, entry]));
    for (const entry of entries) {
      bySeq.set(entry.seq, entry);
      if (typeof entry.retracts === 'number') this.#retractedBy.set(entry.retracts, entry.seq);
    }
    this.#entries = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  get size(): number { return this.#entries.length; }
  /** Oldest first. */
  get entries(): readonly LogEntry[] { return this.#entries; }
  /** Nothing lies before what is held. */
  get isWhole(): boolean { return this.#entries[0]?.prevSeq === null; }

  /** The position of the entry that took this one back; null for one that stands. */
  retractedBy({ seq }: LogEntry): number | null {
    return this.#retractedBy.get(seq) ?? null;
  }

  /** Those that nothing has taken back, without the retractions themselves, oldest first. */
  standing(): LogEntry[] {
    return this.#entries.filter((entry) => entry.event !== 'stream.retracted' && this.retractedBy(entry) === null);
  }

  /** A row an entry, oldest first, under a row of names. */
  * csvRows(): Generator<string[]> {
    yield [
      'position', 'closed_at', 'event', 'kind', 'what', 'change', 'ledger', 'transaction', 'event_id', 'retracted_by',
    ];
    for (const entry of this.#entries) {
      yield [
        String(entry.seq), entry.closedAt, entry.event, entry.kind ?? '', entryTitle(entry),
        JSON.stringify(entry.change ?? {}), String(entry.ledger ?? ''), entry.txHash ?? '', entry.eventId,
        String(this.retractedBy(entry) ?? ''),
      ];
    }
  }
}
