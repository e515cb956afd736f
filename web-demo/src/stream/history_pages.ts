import type { LogEntryXdr, ResumeOutcome } from '@fluxora/core';
import type { LogEntry } from '@fluxora/core/feed';

import type { Service } from '../live/service.js';

const PAGE_LENGTH = 1_000;
/** A history of more pages isn't read here. */
export const PAGES_MAX = 50;

/** An entry with the bytes that it was folded from; null where it was made without any. */
export type EntryXdr = LogEntry & LogEntryXdr;

interface Page<Entry> {
  events: Entry[];
  next_cursor: string;
  has_more: boolean;
  resume: { outcome: ResumeOutcome; gap?: { from: number; to: number } };
}

/** A history that can't be read as a whole, and why. */
export class HistoryProblem extends Error {
  override readonly name = 'HistoryProblem';
  readonly reason: 'pruned' | 'another_log' | 'too_long' | 'restless';

  constructor(reason: HistoryProblem['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Reads a stream's log entries page by page, oldest first, and knows where to go on. */
export class HistoryReader<Entry extends LogEntry> {
  readonly #service: Service;
  readonly #path: string;
  readonly #signal: AbortSignal;
  #after: string | null = null;
  #pages = 0;

  /** @param withXdr the entries' bytes too: Entry is EntryXdr then */
  constructor(service: Service, id: string, { withXdr, signal }: { withXdr: boolean; signal: AbortSignal }) {
    this.#service = service;
    this.#path = `api/streams/${encodeURIComponent(id)}/events?limit=${PAGE_LENGTH}${withXdr ? '&xdr=true' : ''}`;
    this.#signal = signal;
  }

  /**
   * The pages from the stream's first entry on, at the second call from where the first one ended.
   * Errors: HistoryProblem, ServiceError.
   */
  async * pages(): AsyncGenerator<Entry[]> {
    for (;;) {
      this.#pages += 1;
      if (this.#pages > PAGES_MAX) {
        throw new HistoryProblem('too_long', `There are more than ${PAGES_MAX * PAGE_LENGTH} entries.`);
      }
      const page = await this.#page();
      if (page.resume.outcome === 'epoch_changed') {
        throw new HistoryProblem('another_log', 'The log was replaced by another one meanwhile.');
      }
      if (page.resume.outcome === 'gap') {
        const { from, to } = page.resume.gap!;
        throw new HistoryProblem('pruned', `Log positions ${from} to ${to} were pruned.`);
      }
      this.#after = page.next_cursor;
      yield page.events;
      if (!page.has_more) return;
    }
  }

  #page(): Promise<Page<Entry>> {
    const after = this.#after === null ? '' : `&after=${encodeURIComponent(this.#after)}`;
    return this.#service.json<Page<Entry>>(`${this.#path}${after}`, { signal: this.#signal });
  }
}

/** A stream's newest entries, oldest first. Errors: ServiceError. */
export async function newestEntries(
  service: Service, id: string, count: number, signal: AbortSignal,
): Promise<LogEntry[]> {
  const path = `api/events?streamId=${encodeURIComponent(id)}&limit=${count}`;
  return (await service.json<Page<LogEntry>>(path, { signal })).events;
}
