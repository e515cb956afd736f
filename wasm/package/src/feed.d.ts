/**
 * Follows a feed of the service: every log entry of a topic once and in order, over lost connections, restarts of the
 * server and readers that are slow.
 *
 * ```js
 * for await (const message of connectFeed({ core: await load(), url: 'https://fluxora.example', all: true })) …
 * ```
 */
import type { FluxoraCore, ResumeOutcome, StreamKind, StreamStatus } from './index.js';

export { FluxoraError } from './index.js';

/** A stream as the service shows it. Amounts are decimal text with 7 decimals; times above 2^53 - 1 are text. */
export interface Stream {
  id: string;
  source: 'chain' | 'api';
  sender: string;
  recipient: string;
  token: string | null;
  depositAmount: string;
  ratePerSecond: string;
  withdrawnAmount: string;
  settledAmount: string;
  streamedAmount: string;
  withdrawableAmount: string;
  remainingAmount: string;
  /** The moment of the three amounts before, in unix seconds. */
  asOf: number | string;
  startTime: number | string;
  cliffTime: number | string;
  endTime: number | string;
  cancelledAt: number | string | null;
  checkpointedAmount: string;
  checkpointedAt: number | string;
  kind: StreamKind;
  status: StreamStatus;
  archived: boolean;
  /** The log position of its last change. */
  version: number;
  createdAt: string;
  updatedAt: string;
  ledger: number | null;
  txHash: string | null;
  contractId: string | null;
}

export type EventName =
  | 'stream.created'
  | 'stream.updated'
  | 'stream.cancelled'
  | 'stream.completed'
  | 'stream.cliff_reached'
  | 'stream.ended'
  | 'stream.observed'
  | 'stream.retracted'
  | 'protocol.event'
  | 'chain.event';

/** A log entry. Later versions of the service may add members. */
export interface LogEntry {
  schemaVersion: 1;
  cursor: string;
  seq: number;
  event: EventName;
  kind: string | null;
  /** Null for what belongs to no stream. */
  streamId: string | null;
  eventId: string;
  contractId: string | null;
  ledger: number | null;
  ledgerHash: string | null;
  txHash: string | null;
  closedAt: string;
  /** The fields that changed, before and after. */
  change?: { [field: string]: [unknown, unknown] };
  /**
   * The stream as the entry left it: set it to this, and it is right, after retractions too. Null in a
   * `stream.retracted`: there is no such stream any more. Null in others: the entry didn't change it.
   */
  stream?: Stream | null;
  /** The stream's previous entry. */
  prevSeq?: number | null;
  /** Of `stream.retracted`: the entry that is undone. */
  retracts?: unknown;
  /** Of what changed no stream: its decoded XDR. */
  raw?: unknown;
  [member: string]: unknown;
}

/** An entry. Each comes once, and each stream's in the log's order. */
export interface EntryMessage {
  readonly type: 'entry';
  /** The position to resume from once this is done with: keep it with what you made of the entry. */
  readonly cursor: string;
  readonly entry: LogEntry;
}

/**
 * What was held before can't be continued: put `state` in its place. Every entry behind `cursor` follows, and none that
 * is in the state already.
 */
export interface ResetMessage<State> {
  readonly type: 'reset';
  /**
   * `start`: the first state, asked for with `snapshot`. `gap`: entries were pruned before they were read.
   * `epoch_changed`: the log is another one. `inconsistent`: entries are missing, or contradict each other, and asking
   * again didn't help.
   */
  readonly reason: 'start' | 'gap' | 'epoch_changed' | 'inconsistent';
  /** The entries that were pruned, both ends included; only for `gap`. */
  readonly gap: { from: number; to: number } | null;
  readonly cursor: string;
  /** Null with `refetch: false`. */
  readonly state: State;
}

export type FeedMessage<State = Stream[]> = EntryMessage | ResetMessage<State>;

/** How the feed is doing. */
export type FeedStatus =
  | { readonly status: 'connecting' }
  /** Subscribed: `live` from now on, `resumed` from where it was on. */
  | { readonly status: 'open'; readonly resume: ResumeOutcome; readonly cursor: string }
  | { readonly status: 'refetching'; readonly reason: ResetMessage<unknown>['reason'] }
  /** The next try is in `delayMs`. */
  | { readonly status: 'waiting'; readonly delayMs: number; readonly cause: Disconnected }
  | { readonly status: 'closed' };

/** Why a connection ended, or a request had no answer. */
export interface Disconnected extends Error {
  readonly name: 'Disconnected';
  /** A WebSocket's close code, or the code that an event stream ended with. */
  readonly code?: number | string;
  /** Of an HTTP answer. Where a WebSocket didn't open and the runtime doesn't tell, that of `HEAD /api/events/stream`. */
  readonly status?: number;
}

/** Trouble of the service's own (the chain's RPC, the database), or its end. The feed goes on. */
export interface ServiceNotice {
  readonly event: 'service.degraded' | 'service.recovered';
  readonly reason: string;
  readonly timestamp: string;
}

/** What is followed. Exactly one of these. */
export type FeedTopic =
  | { all: true; streamId?: undefined; recipient?: undefined; sender?: undefined }
  | { streamId: string; all?: undefined; recipient?: undefined; sender?: undefined }
  /** Also the entry that takes a stream away, whose `stream.recipient` is another. A sender's feed likewise. */
  | { recipient: string; all?: undefined; streamId?: undefined; sender?: undefined }
  | { sender: string; all?: undefined; streamId?: undefined; recipient?: undefined };

/** What a `refetch` of your own gives: a state that holds everything up to `cursor`, and nothing behind it. */
export interface RefetchedState<State> {
  /** As `X-Fluxora-Cursor` said with the answer that the state was read from. */
  cursor: string;
  state: State;
}

export interface RefetchRequest {
  readonly reason: ResetMessage<unknown>['reason'];
  readonly gap: { from: number; to: number } | null;
  /** Aborted when the feed is closed. */
  readonly signal: AbortSignal;
}

export interface FeedOptions<State = Stream[]> {
  /** What `load()` of `@fluxora/core` gives: it decides what is applied, dropped or missing. Feeds can share one. */
  core: FluxoraCore;
  /** The service, such as `https://fluxora.example`; in a page also relative to it. */
  url: string | URL;
  /** Entries of this name alone. Holes can't be noticed then: those entries don't name the ones before them. */
  event?: EventName;
  /** Resume from here: a message's `cursor`, or an answer's `X-Fluxora-Cursor`. Missing: from now on. */
  after?: string;
  /** Begin with the state: the first message is a `reset` for `start`. Not with `after`. */
  snapshot?: boolean;
  /**
   * How to get the state for a `reset`. Missing: the topic's streams, all of one moment, at most 100,000. False: none,
   * it goes on behind what is missing. What it throws is tried again, unless it is a `FluxoraError`.
   */
  refetch?: false | ((request: RefetchRequest) => Promise<RefetchedState<State>>);
  /** Missing: a WebSocket where there is one, otherwise server-sent events, which need nothing but `fetch`. */
  transport?: 'websocket' | 'sse';
  /**
   * A JWT, where the service asks for one. A function is called for each connection, so that it can give a fresh one;
   * what it throws is tried again, unless it is a `FluxoraError`.
   */
  token?: string | (() => string | Promise<string>);
  /** In place of the runtime's own, where it has one: npm's `ws` in Node.js 20. */
  WebSocket?: new (url: string) => unknown;
  /** In place of the runtime's own. */
  fetch?: typeof fetch;
  /** Closes the feed. */
  signal?: AbortSignal;
  onStatus?: (status: FeedStatus) => void;
  onService?: (notice: ServiceNotice) => void;
  /** For tests: 0 up to 1, in place of `Math.random`. */
  random?: () => number;
  /** For tests: a clock of your own. Milliseconds. */
  timers?: {
    setTimeout(call: () => void, ms: number): unknown;
    clearTimeout(timer: any): void;
    now(): number;
  };
}

/** What a feed has done since it was made. */
export interface FeedCounts {
  /** Entries that were handed out. */
  readonly applied: number;
  /** Entries that came again over a connection, and weren't handed out again. */
  readonly dropped: number;
  /** Of those handed out, the ones that no connection brought: read from the log, as they were missing. */
  readonly filled: number;
}

/**
 * A feed to be iterated over, once. It connects at the first `next()` and reads no more than it is asked for: who is
 * slow loses nothing. Iterating throws `FluxoraError` where no other try is of any use: FEED_REFUSED (the service says
 * that the request is wrong, or the runtime opens no such WebSocket; `cause` has the answer, or the error),
 * FEED_UNAUTHORIZED (no token, or one that is refused: of a function's three in a row), INPUT_TOO_LONG, what is wrong
 * with the state of a `refetch` of your own, and what `core` throws when it has stopped. Everything else is tried again,
 * after pauses of up to 30 s, or as long as the service asks for.
 */
export interface Feed<State = Stream[]> extends AsyncIterableIterator<FeedMessage<State>> {
  /** The position of the last message that was handed out; null before the feed has one. */
  readonly cursor: string | null;
  /** What it has done so far. */
  readonly counts: FeedCounts;
  /** Ends the iteration, also one that waits, and lets go of the connection. Leaving a `for await` does the same. */
  close(): Promise<void>;
}

/** Follows a topic of the service's log. Errors: ARGUMENT_INVALID (names the option), CURSOR_INVALID (`after`). */
export function connectFeed(options: FeedOptions<null> & FeedTopic & { refetch: false }): Feed<null>;
export function connectFeed<State = Stream[]>(options: FeedOptions<State> & FeedTopic): Feed<State>;
