import type { FluxoraCore } from '@fluxora/core';
import { FluxoraError, connectFeed, type Feed, type FeedStatus, type LogEntry, type ResetMessage, type ServiceNotice, type Stream } from '@fluxora/core/feed';

import { FeedLog, type Position } from './feed_log.js';
import { Listeners } from './listeners.js';
import { Resumption } from './resumption.js';
import type { Service } from './service.js';

/** How the page's one connection to the log is doing. */
export type FeedState =
  | { readonly phase: 'connecting' }
  /** `resumed`: from where it was. */
  | { readonly phase: 'live'; readonly resume: string }
  /** Streams are read again. */
  | { readonly phase: 'refetching'; readonly reason: ResetMessage<unknown>['reason'] }
  /** The connection was lost, or there was none; the next try is at `until` (performance.now()). */
  | { readonly phase: 'waiting'; readonly until: number; readonly cause: string }
  /** Somebody cut it. */
  | { readonly phase: 'cut' }
  /** No other try is of any use. */
  | { readonly phase: 'refused'; readonly code: string; readonly message: string };

/** An entry as it came. */
export interface Arrival {
  readonly entry: LogEntry;
  /** The page had it already: somebody resumed from before it. What the page holds is of later. */
  readonly isAgain: boolean;
}

/** What was held can't be continued: `state` stands in its place. */
export type Reset = ResetMessage<Stream[]>;

/** What has happened since the page was opened. */
export interface SessionCounts {
  /** Entries that the page got, those that it had already too. */
  readonly received: number;
  readonly replayed: bigint;
  readonly again: number;
  /** Came twice, and were dropped by the client. */
  readonly dropped: number;
  /** Were missing, and were fetched by the client. */
  readonly filled: number;
  /** Connections over which the log was followed. */
  readonly connections: number;
}

/**
 * The page's one feed of the whole log: begins with all streams, then brings each entry once and in order, over lost
 * connections and restarts of the service. It can be cut, and resumed from where it was or from another cursor.
 */
export class FeedSession {
  readonly onState = new Listeners<FeedState>();
  readonly onEntry = new Listeners<Arrival>();
  readonly onReset = new Listeners<Reset>();
  readonly onService = new Listeners<ServiceNotice>();
  /** What was replayed is known anew. */
  readonly onReplay = new Listeners<void>();
  /** The newest of what came. */
  readonly log = new FeedLog();

  readonly #core: FluxoraCore;
  readonly #service: Service;
  #state: FeedState = { phase: 'connecting' };
  #feed: Feed<Stream[]> | null = null;
  #cursor: string | null = null;
  /** Everything up to here is in the page, also while a replay begins before it. */
  #held: Position | null = null;
  #resumption: Resumption | null = null;
  /** The resumption has led to a reset, and the connection behind it belongs to it. */
  #isResetting = false;
  /** Counts the tries to connect, and which of them the log's head is known for. */
  #connection = 0;
  #head: bigint | null = null;
  #counts = { received: 0, replayed: 0n, again: 0, dropped: 0, filled: 0, connections: 0 };

  constructor(core: FluxoraCore, service: Service) {
    this.#core = core;
    this.#service = service;
  }

  get state(): FeedState { return this.#state; }
  /** The position that is resumed from: that of the newest entry that came. */
  get cursor(): string | null { return this.#cursor; }
  /** The latest answer of the service to where the page wants to go on; null before the first. */
  get resumption(): Resumption | null { return this.#resumption; }

  get counts(): SessionCounts {
    const { dropped = 0, filled = 0 } = this.#feed?.counts ?? {};
    return {
      ...this.#counts,
      replayed: this.#counts.replayed + (this.#resumption?.replayed ?? 0n),
      dropped: this.#counts.dropped + dropped,
      filled: this.#counts.filled + filled,
    };
  }

  /** Begins, with all streams. */
  start(): void {
    this.#open(this.#connect(null), null);
  }

  /** Cuts the connection, and keeps the position. */
  cut(): void {
    this.#drop();
    this.#become({ phase: 'cut' });
  }

  /**
   * Goes on from where it was, or from a cursor of somebody's choice, which may be of another log or of none.
   * Errors: FluxoraError CURSOR_INVALID; then everything is as it was.
   */
  resume(after: string | null = this.#cursor): void {
    const feed = this.#connect(after);
    this.#drop();
    this.#isResetting = false;
    this.#open(feed, after);
  }

  #drop(): void {
    const feed = this.#feed;
    if (feed === null) return;
    this.#feed = null;
    this.#counts.dropped += feed.counts.dropped;
    this.#counts.filled += feed.counts.filled;
    void feed.close();
  }

  /** A feed that hasn't begun yet: it does with the first message that it is asked for. */
  #connect(after: string | null): Feed<Stream[]> {
    const feed: Feed<Stream[]> = connectFeed({
      core: this.#core,
      url: this.#service.root,
      all: true,
      ...(after === null ? { snapshot: true } : { after }),
      onStatus: (status) => { if (feed === this.#feed) this.#hear(status); },
      onService: (notice) => this.onService.tell(notice),
    });
    return feed;
  }

  #open(feed: Feed<Stream[]>, after: string | null): void {
    this.#feed = feed;
    this.#cursor = after ?? this.#cursor;
    this.#become({ phase: 'connecting' });
    void this.#follow(feed);
  }

  async #follow(feed: Feed<Stream[]>): Promise<void> {
    try {
      for await (const message of feed) {
        if (feed !== this.#feed) return;
        this.#cursor = message.cursor;
        if (message.type === 'reset') this.#reset(message);
        else this.#take(message.entry);
      }
    } catch (error) {
      this.#fail(feed, error as Error);
    }
  }

  #take(entry: LogEntry): void {
    const position = this.#core.cursor.parse(entry.cursor);
    const isAgain = this.#isHeld(position);
    if (!isAgain) this.#held = position;
    this.#counts.received += 1;
    if (isAgain) this.#counts.again += 1;
    this.#resumption?.take(position.seq, isAgain);
    const isReplayed = this.#head !== null && position.seq <= this.#head;
    this.log.addEntry(entry, position, { connection: this.#connection, at: Date.now(), isReplayed });
    this.onEntry.tell({ entry, isAgain });
  }

  #reset(message: Reset): void {
    const { cursor, state, gap } = message;
    const position = this.#core.cursor.parse(cursor);
    this.#held = position;
    if (this.#resumption !== null) this.#resumption.reset = { cursor, streams: state.length, gap };
    this.log.addReset(message, position, Date.now());
    this.onReset.tell(message);
  }

  #isHeld({ epoch, seq }: Position): boolean {
    return this.#held !== null && this.#held.epoch === epoch && seq <= this.#held.seq;
  }

  /** What the client gives up over; or what nobody expected, over which the feed has ended all the same. */
  #fail(feed: Feed<Stream[]>, error: Error): void {
    const isRefusal = error instanceof FluxoraError;
    if (!isRefusal) reportError(error);
    if (feed !== this.#feed) return;
    this.#drop();
    this.#become({ phase: 'refused', code: isRefusal ? error.code : error.name, message: error.message });
  }

  #hear(status: FeedStatus): void {
    switch (status.status) {
      case 'connecting':
        this.#become({ phase: 'connecting' });
        this.#connection += 1;
        this.#head = null;
        void this.#noteHead(this.#connection);
        return;
      case 'open':
        this.#counts.connections += 1;
        if (!this.#isResetting) this.#begin(new Resumption(status.resume, this.#cursor));
        this.#isResetting = false;
        if (this.#skips(status.cursor)) return;
        this.#resumption!.head = this.#head;
        this.#become({ phase: 'live', resume: status.resume });
        return;
      case 'refetching':
        if (!this.#isResetting) this.#begin(new Resumption(status.reason, this.#cursor));
        this.#isResetting = true;
        this.#become({ phase: 'refetching', reason: status.reason });
        return;
      case 'waiting':
        this.#become({ phase: 'waiting', until: performance.now() + status.delayMs, cause: status.cause.message });
        return;
      case 'closed':
    }
  }

  #begin(resumption: Resumption): void {
    this.#counts.replayed += this.#resumption?.replayed ?? 0n;
    this.#resumption = resumption;
  }

  /**
   * From a position that the page hasn't reached, entries would be missing, and in a log that it holds nothing of all
   * those before: all streams are read instead.
   */
  #skips(cursor: string): boolean {
    const position = this.#core.cursor.parse(cursor);
    if (this.#isHeld(position)) return false;
    this.#resumption!.skipped = position.seq - (this.#held?.epoch === position.epoch ? this.#held.seq : 0n);
    this.#drop();
    this.#isResetting = true;
    this.#open(this.#connect(null), null);
    return true;
  }

  /** What the log has got by now, the connection that is being made will replay. */
  async #noteHead(connection: number): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === null) return;
    // Where it can't be reached the connection fails likewise, and the next one asks again.
    const newest = await this.#service.head().catch(() => null);
    if (newest === null) return;
    const head = this.#core.cursor.parse(newest);
    if (head.epoch !== this.#core.cursor.parse(cursor).epoch) return;
    this.log.markReplayed(connection, head.seq);
    if (connection === this.#connection) {
      this.#head = head.seq;
      if (this.#state.phase === 'live') this.#resumption!.head = head.seq;
    }
    this.onReplay.tell();
  }

  #become(state: FeedState): void {
    this.#state = state;
    this.onState.tell(state);
  }
}
