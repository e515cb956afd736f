/**
 * Amounts, accrual, addresses and contract events of payment streams, computed by the same core that the service runs.
 *
 * An amount is either decimal text (`"0.0000116"`, always 7 decimals when it comes from here) or base units as a
 * `bigint` (1.0 is 10,000,000n). It is never a `number`: functions refuse one.
 */

/** What core itself reports. */
export type CoreErrorCode =
  | 'DECIMAL_INVALID_TYPE'
  | 'DECIMAL_INVALID_FORMAT'
  | 'DECIMAL_OUT_OF_RANGE'
  | 'DECIMAL_EMPTY_VALUE'
  | 'AMOUNT_OVERFLOW'
  | 'DIVIDE_BY_ZERO'
  | 'BASE64_INVALID'
  | 'HEX_INVALID'
  | 'TIME_INVALID'
  | 'STRKEY_INVALID_LENGTH'
  | 'STRKEY_INVALID_CHARACTER'
  | 'STRKEY_NOT_CANONICAL'
  | 'STRKEY_UNKNOWN_VERSION'
  | 'STRKEY_INVALID_CHECKSUM'
  | 'STRKEY_INVALID_PAYLOAD'
  | 'XDR_TRUNCATED'
  | 'XDR_TRAILING_BYTES'
  | 'XDR_UNKNOWN_DISCRIMINANT'
  | 'XDR_INVALID_VALUE'
  | 'XDR_NONZERO_PADDING'
  | 'XDR_TOO_LONG'
  | 'XDR_TOO_DEEP'
  | 'EVENT_PAYLOAD_UNREADABLE'
  | 'FOLD_UNKNOWN_STREAM'
  | 'FOLD_DUPLICATE_STREAM'
  | 'FOLD_OVERFLOW'
  | 'OBSERVATION_UNREADABLE'
  | 'CURSOR_INVALID'
  | 'WEBHOOK_SECRET_INVALID'
  | 'WEBHOOK_ID_INVALID'
  | 'WEBHOOK_TOO_MANY_KEYS'
  | 'JWT_TOO_LONG'
  | 'JWT_MALFORMED'
  | 'JWT_ALGORITHM_REFUSED'
  | 'JWT_SIGNATURE_MISMATCH'
  | 'JWT_CLAIMS_INVALID'
  | 'JWT_EXPIRED'
  | 'JWT_NOT_YET_VALID'
  | 'RETRY_SCHEDULE_INVALID';

/** What this package reports of its own. */
export type PackageErrorCode =
  /** An argument of another type or form than the function takes. */
  | 'ARGUMENT_INVALID'
  /** Over 16 MiB for one call, 1 MiB for what is decoded, 64 topics, or 1,000,000 streams in columns. */
  | 'INPUT_TOO_LONG'
  /** The module's memory (512 MiB at most) has no more room. What there was stays as it was. */
  | 'OUT_OF_MEMORY'
  /** Balances were read after their columns had changed. */
  | 'STALE_BALANCES'
  /** Columns, a verifier or a feed client were used after `dispose()`. */
  | 'DISPOSED'
  /** Over 10,000 columns, verifiers and feed clients of one core are in use. */
  | 'TOO_MANY_HANDLES'
  /** `@fluxora/core/feed`: the service says that what is asked for is wrong. */
  | 'FEED_REFUSED'
  /** `@fluxora/core/feed`: the service wants a token, or another one. */
  | 'FEED_UNAUTHORIZED'
  /** A public key (`whpk_…`) was given to a module that has no ed25519: `@fluxora/core/ed25519` has. */
  | 'KEY_UNSUPPORTED'
  /** The module could not be read, fetched or compiled; `cause` says why. */
  | 'LOAD_FAILED'
  /** What `fromModule` got is no compiled module, or not this package's. */
  | 'MODULE_INVALID'
  /** The module stopped in the middle of a call (`cause`), or had before: nothing of this core can be used any more. */
  | 'CORE_ABORTED';

export type FluxoraErrorCode = CoreErrorCode | PackageErrorCode;

/** What every function here throws. */
export class FluxoraError extends Error {
  readonly name: 'FluxoraError';
  /** Stable: compare this, never the message. */
  readonly code: FluxoraErrorCode;
  /** The byte of the input at which the error was noticed; 0 where that says nothing. */
  readonly offset: number;
  /** The property or argument that is wrong, where there are several. */
  readonly field: string | undefined;
  readonly cause?: unknown;
}

/** How an inexact quotient becomes an integer. `half_up` takes ties away from zero. */
export type Rounding = 'floor' | 'ceiling' | 'down' | 'half_up' | 'half_even';

/**
 * Unix seconds: a `bigint`, or as JSON carries them: a `number`, and a string of digits above 2^53 - 1.
 */
export type UnixSeconds = bigint | number | string;

export type StreamKind = 'linear' | 'cliff_only' | 'cliff_slope';
export type StreamStatus = 'scheduled' | 'active' | 'paused' | 'completed' | 'cancelled';

/** What of a stream accrual is computed from. */
export interface AccrualTerms {
  kind: StreamKind;
  depositAmount: string | bigint;
  ratePerSecond: string | bigint;
  /** Streamed up to `checkpointedAt`, under the rates until then. */
  checkpointedAmount: string | bigint;
  checkpointedAt: UnixSeconds;
  cliffTime: UnixSeconds;
  endTime: UnixSeconds;
}

/** What of a stream its balances are computed from: any stream that the service's feeds and answers show has it. */
export interface StreamTerms extends AccrualTerms {
  status: StreamStatus;
  withdrawnAmount: string | bigint;
  settledAmount: string | bigint;
  cancelledAt?: UnixSeconds | null;
}

/** The three amounts of a stream at one time, as text and as base units. */
export interface Balances {
  readonly at: bigint;
  readonly streamed: string;
  readonly withdrawable: string;
  readonly remaining: string;
  readonly streamedUnits: bigint;
  readonly withdrawableUnits: bigint;
  readonly remainingUnits: bigint;
}

/**
 * The balances of all streams of some columns at one time. They are read where they lie: once the columns change or
 * accrue again, reading throws `STALE_BALANCES`. Texts are written for all rows at the first one asked for.
 */
export interface ColumnBalances extends Iterable<{
  id: string;
  streamed: string;
  withdrawable: string;
  remaining: string;
}> {
  readonly at: bigint;
  readonly size: number;
  /** The stream of each row. */
  readonly ids: readonly string[];
  streamed(row: number): string;
  withdrawable(row: number): string;
  remaining(row: number): string;
  streamedUnits(row: number): bigint;
  withdrawableUnits(row: number): bigint;
  remainingUnits(row: number): bigint;
  /** The texts of a whole column, in the order of the rows. They stay good. */
  texts(column: BalanceColumn): readonly string[];
  /** A copy of a whole column in base units: two 64-bit words a row, the low one first. */
  words(column: BalanceColumn): BigUint64Array;
}

export type BalanceColumn = 'streamed' | 'withdrawable' | 'remaining';

/**
 * Many streams as arrays of one length. Amounts are i128 base units as two 64-bit words a row, the low one first.
 */
export interface StreamArrays {
  /** Each once. */
  ids: readonly string[];
  depositAmount: BigUint64Array;
  ratePerSecond: BigUint64Array;
  withdrawnAmount: BigUint64Array;
  settledAmount: BigUint64Array;
  checkpointedAmount: BigUint64Array;
  checkpointedAt: BigUint64Array;
  cliffTime: BigUint64Array;
  endTime: BigUint64Array;
  /** 2^64 - 1 where a stream isn't cancelled. */
  cancelledAt: BigUint64Array;
  /** 0 linear, 1 cliff_only, 2 cliff_slope. */
  kind: Uint8Array;
  /** 0 active or scheduled, 1 paused, 2 completed, 3 cancelled. */
  status: Uint8Array;
}

/** Many streams, held in the module's memory, whose balances one call computes. Made by `streamColumns()`. */
export interface StreamColumns {
  /** How many streams there are. */
  readonly size: number;
  has(id: string): boolean;
  /** The stream's row for now: `delete` moves the last row into the hole. */
  rowOf(id: string): number | undefined;
  /**
   * Adds a stream, or takes its new terms. Gives its row. A stream with a bad field changes nothing.
   * Errors: the DECIMAL_ codes, ARGUMENT_INVALID (both name the field), INPUT_TOO_LONG, OUT_OF_MEMORY.
   */
  set(stream: StreamTerms & { id: string }): number;
  setAll(streams: Iterable<StreamTerms & { id: string }>): void;
  /**
   * Takes these streams in place of all there were. Bad arrays change nothing.
   * Errors: ARGUMENT_INVALID (names the array), INPUT_TOO_LONG, OUT_OF_MEMORY.
   */
  load(columns: StreamArrays): void;
  /** False when there was no such stream. */
  delete(id: string): boolean;
  clear(): void;
  /** The balances of all streams at `now`. */
  accrue(now: UnixSeconds): ColumnBalances;
  /** The texts of one balance of all streams at `now`, in the order of the rows, in one call. */
  texts(now: UnixSeconds, column: BalanceColumn): string[];
  /** The balances of one stream at `now`; those of `accrue` stay good. */
  balancesOf(id: string, now: UnixSeconds): Balances;
  /** What a stream's terms alone have streamed at `now`, whatever its status. */
  accruedOf(id: string, now: UnixSeconds): bigint;
  /** Gives the memory back. */
  dispose(): void;
}

/** Decimal text and checked arithmetic on base units. */
export interface Amounts {
  /**
   * Reads `^[+-]?[0-9]+(\.[0-9]+)?$`, at most 64 characters, into base units. Errors: the DECIMAL_ codes.
   */
  parse(text: string): bigint;
  /** Exactly 7 decimals. Errors: DECIMAL_OUT_OF_RANGE for more than 128 bits. */
  format(units: bigint): string;
  /** The same for many in one call. */
  formatAll(units: Iterable<bigint>): string[];
  /** Errors: AMOUNT_OVERFLOW. */
  add(a: bigint, b: bigint): bigint;
  subtract(a: bigint, b: bigint): bigint;
  /** Amount × integer. */
  multiply(a: bigint, factor: bigint): bigint;
  /** Amount × amount, rounded once. */
  multiplyFixed(a: bigint, b: bigint, rounding: Rounding): bigint;
  /** Amount ÷ amount. Errors: DIVIDE_BY_ZERO, AMOUNT_OVERFLOW. */
  divideFixed(a: bigint, b: bigint, rounding: Rounding): bigint;
  /** Integer ÷ integer. */
  divideUnits(a: bigint, b: bigint, rounding: Rounding): bigint;
  /** Units counted in 10^-from parts, counted again in 10^-to parts; 0 to 38 decimals. */
  rescale(units: bigint, fromDecimals: number, toDecimals: number, rounding: Rounding): bigint;
}

export type StrKeyKind =
  | 'account'
  | 'seed'
  | 'muxed_account'
  | 'pre_auth_tx'
  | 'hash_x'
  | 'signed_payload'
  | 'contract'
  | 'liquidity_pool'
  | 'claimable_balance';

/** Stellar's addresses and keys as text (SEP-23). */
export interface StrKeys {
  /** Errors: the STRKEY_ codes. */
  decode(text: string): { kind: StrKeyKind; payload: Uint8Array };
  /** Errors: STRKEY_INVALID_PAYLOAD, and STRKEY_NOT_CANONICAL for a signed payload whose padding isn't zero. */
  encode(kind: StrKeyKind, payload: Uint8Array): string;
  isValid(text: unknown): boolean;
  /** True for what may send or receive a stream: a valid G… or C… address. */
  isStreamParty(text: unknown): boolean;
  /** True for a valid C… address. */
  isContractId(text: unknown): boolean;
}

/** Positions in the event log, `<epoch>-<seq>`. */
export interface Cursors {
  /** Errors: CURSOR_INVALID. */
  parse(text: string): { epoch: string; seq: bigint };
  format(cursor: { epoch: string; seq: bigint | number }): string;
}

/** A contract event as the chain's RPC sends it. */
export interface ContractEventXdr {
  /** Base64 ScVals, at most 64. */
  topics: readonly string[];
  /** A base64 ScVal. */
  value: string;
  /** False for an event of a call that failed: it changes nothing and is named `chain.event`. Default true. */
  inSuccessfulContractCall?: boolean;
}

/** What came of a delivery, by the checks of the service's documentation in their order. */
export type WebhookCode =
  | 'ok'
  | 'missing_secret'
  | 'missing_delivery_id'
  | 'missing_timestamp'
  | 'missing_signature'
  | 'payload_too_large'
  | 'invalid_timestamp'
  | 'timestamp_outside_tolerance'
  | 'signature_mismatch'
  | 'previous_secret_expired';

/** The verdict on one delivery. Frozen. */
export interface WebhookVerdict {
  readonly ok: boolean;
  readonly code: WebhookCode;
  /** The HTTP status to answer with. */
  readonly status: number;
  /** Null unless `ok`. Signed only in the `webhook-*` headers. */
  readonly deliveryId: string | null;
  /** Unix seconds of the attempt; null unless `ok`. */
  readonly timestamp: number | null;
}

/**
 * A shared secret (`whsec_` and base64, or that base64 alone) or, in `@fluxora/core/ed25519`, a sender's public key
 * (`whpk_` and base64), and for a previous one of a rotation the last second at which it is still good.
 */
export type WebhookKey = string | { secret: string; graceEnds?: UnixSeconds | null };

/**
 * A delivery's headers: anything with a `get(name)` such as `Headers`, or a plain object with names in any case. A name
 * in lower case is taken before another spelling of it. Several values of one name are joined with `, ` as `Headers`
 * does. A value over 16,384 characters counts as absent, and of an object's names the first 1,000 are looked at.
 */
export type WebhookHeaders =
  | { get(name: string): string | null | undefined }
  | { readonly [name: string]: string | readonly string[] | null | undefined };

export interface ReceivedDelivery {
  headers: WebhookHeaders;
  /** The bytes as they were received, never parsed and written again. A string stands for its UTF-8 bytes. */
  body: Uint8Array | ArrayBuffer | string;
  /** The time of receipt; the host's clock where it is missing. */
  now?: UnixSeconds;
}

/** The keys of one receiver, ready. Made by `webhooks.verifier()`. */
export interface WebhookVerifier {
  /**
   * What came of a delivery. Whatever a sender does is a verdict; only a caller's mistake throws: ARGUMENT_INVALID for
   * headers, a body or a time of another type, DISPOSED.
   */
  verify(delivery: ReceivedDelivery): WebhookVerdict;
  /** Zeroes the keys and gives their memory back. */
  dispose(): void;
}

export interface WebhookVerifierOptions {
  /**
   * The `x-fluxora-*` headers don't sign the delivery id. True: the `webhook-*` headers, which do, have to be there.
   * False, the default: either family is enough, and where both are there the `webhook-*` one decides.
   */
  requireStandard?: boolean;
}

export interface DeliveryToSign {
  /** `whsec_` and base64, or that base64 alone. */
  secret: string;
  /** 1 to 256 printable ASCII characters without a space or a dot. */
  id: string;
  /** Unix seconds of the attempt; the host's clock where it is missing. */
  timestamp?: UnixSeconds;
  /** At most 256 KiB. */
  body: Uint8Array | ArrayBuffer | string;
}

/** Both families of a signed delivery. */
export interface SignedHeaders {
  'x-fluxora-delivery-id': string;
  'x-fluxora-timestamp': string;
  'x-fluxora-signature': string;
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/** Verifying webhooks: the same in `@fluxora/core`, `@fluxora/core/verify` and `@fluxora/core/ed25519`. */
export interface WebhookVerifying {
  /**
   * A verifier with at most 16 keys. Undefined, null and empty ones are none; without any, every delivery is answered
   * `missing_secret`. Errors: WEBHOOK_SECRET_INVALID, WEBHOOK_TOO_MANY_KEYS, KEY_UNSUPPORTED, ARGUMENT_INVALID.
   */
  verifier(
    keys: WebhookKey | null | undefined | readonly (WebhookKey | null | undefined)[],
    options?: WebhookVerifierOptions,
  ): WebhookVerifier;
}

/** Verifying and signing. */
export interface Webhooks extends WebhookVerifying {
  /** A delivery's six headers. Errors: WEBHOOK_SECRET_INVALID, WEBHOOK_ID_INVALID, TIME_INVALID, INPUT_TOO_LONG,
   * ARGUMENT_INVALID. */
  sign(delivery: DeliveryToSign): SignedHeaders;
}

/** Where an event stands: what the fold takes from the ledger and the log, not from the payload. */
export interface EventPlace {
  contractId: string;
  ledger: number;
  /** 64 hexadecimal characters. */
  txHash: string;
  /** The ledger's close time. */
  closedAt: UnixSeconds;
  /** The log position of the event's entry. */
  seq: bigint | number | string;
}

/** A stream after some event. It never changes: the next event makes another one. */
export interface FoldedStream {
  /** A copy of its canonical bytes: equal exactly when two streams are. `streamFromBytes` takes them back. */
  readonly bytes: Uint8Array;
  /** JSON text of the stream as every feed shows it, with its amounts at `asOf`. */
  toJson(asOf: UnixSeconds): string;
}

/** What one event makes of a stream. */
export interface Folded {
  stream: FoldedStream;
  /** The stream that a delegated share splits off. */
  child: FoldedStream | null;
  /** The fields that differ, by their names on the wire, before and after; empty for a creation. */
  change: { [field: string]: [unknown, unknown] };
}

/**
 * An entry of a stream's log: the members of its JSON as `GET /api/streams/{id}/events?xdr=true` gives them, so that
 * the parsed entry itself can be passed. Others are left alone.
 */
export interface LogEntryXdr {
  event: string;
  streamId: string | null;
  seq: bigint | number | string;
  prevSeq: bigint | number | string | null;
  /** RFC 3339, whole seconds, UTC. */
  closedAt: string;
  ledger: number | null;
  txHash: string | null;
  /** Of `stream.retracted`: the position of the entry that it undoes. */
  retracts?: bigint | number | string;
  inSuccessfulContractCall?: boolean;
  /** Null where an entry has no payload: of time, and of a retraction. */
  xdr?: { topics: readonly string[]; value: string } | null;
}

/** What an entry makes of its stream. */
export interface FoldedEntry {
  /** The stream after it; null: none is held. */
  stream: FoldedStream | null;
  /** The stream that a delegated share splits off. */
  child: FoldedStream | null;
  /** The fields that differ, by their names on the wire, before and after; empty for a creation. */
  change: { [field: string]: [unknown, unknown] };
  /**
   * Why it left its stream alone (a failed call, an unknown topic): an error's code; null: it was folded. The service
   * also leaves a share alone that is delegated to a stream that it holds already, which one stream's log doesn't tell.
   */
  refused: FluxoraErrorCode | null;
}

/** One stream's log, folded again from its first entry on. Made by `streamHistory()`. */
export interface StreamHistory {
  /** The stream after the last entry; null: none is held. */
  readonly stream: FoldedStream | null;
  /**
   * Folds the next entry, of whatever kind: the chain's and the API's changes, observations, time, and retractions,
   * which put back what their entries found (each of the newest 10,000). `split`: for the first entry of a stream that
   * a delegated share split off, the `child` that its parent's entry gave. An error leaves the history as it was.
   * Errors: ARGUMENT_INVALID (names the field; `prevSeq`: entries before it are missing), BASE64_INVALID,
   * INPUT_TOO_LONG, OUT_OF_MEMORY.
   */
  fold(entry: LogEntryXdr, split?: FoldedStream): FoldedEntry;
}

/** What to do with an entry, or after a replay. `ask`: read the entries behind `after` up to `to`, both cursors. */
export type FeedStep =
  | { action: 'apply' | 'drop' | 'refetch' }
  | { action: 'ask'; after: string; to: string; streamId: string | null };

export type ResumeOutcome = 'live' | 'resumed' | 'gap' | 'epoch_changed';

/**
 * What a feed's client does with what arrives: which entries to apply, which to drop, where a hole is and what to ask
 * for. Entries that are applied are each applied once and, per stream, in the log's order without a hole.
 */
export interface FeedClient {
  /** The position to show when connecting; null: from now on. Everything up to it is applied or in the state fetched. */
  readonly cursor: string | null;
  /** The feed's answer to a subscription. False: fetch the state again, say `refetched`, and subscribe from there. */
  opened(answer: { resume: ResumeOutcome; cursor: string }): boolean;
  /** An entry arrives, from the feed or a replay. Errors: CURSOR_INVALID, ARGUMENT_INVALID, INPUT_TOO_LONG. */
  entry(entry: { cursor: string; streamId?: string | null; prevSeq?: bigint | number | string | null }): FeedStep;
  /** What was asked for has been handed in; `resume` is the server's outcome of that replay. */
  replayed(resume: ResumeOutcome): FeedStep;
  /** The state was fetched and holds everything up to `cursor`. */
  refetched(cursor: string): void;
  dispose(): void;
}

export interface FeedClientOptions {
  /** What the feed was asked for: the whole log, one stream, or the streams of a sender or recipient. */
  scope: 'whole_log' | 'stream' | 'party';
  /** The position that the client's state is at; missing: it begins live. */
  from?: string | null;
}

/** The core, ready: everything in it is synchronous and throws `FluxoraError`. */
export interface FluxoraCore {
  readonly amounts: Amounts;
  readonly strkey: StrKeys;
  readonly cursor: Cursors;
  readonly webhooks: Webhooks;
  /** New, empty columns. */
  streamColumns(): StreamColumns;
  /** The balances of one stream. For many streams, columns are far cheaper. */
  balancesAt(stream: StreamTerms, now: UnixSeconds): Balances;
  /** One stream at many times: the points of its curve. */
  balancesOver(stream: StreamTerms, times: Iterable<UnixSeconds>): Balances[];
  /** What terms alone have streamed at `now`, in base units, within 0 and the deposit. */
  accrued(terms: AccrualTerms, now: UnixSeconds): bigint;
  /** An ScVal's SEP-51 JSON text. Errors: BASE64_INVALID and the XDR_ codes. */
  scvalToJson(base64: string): string;
  /**
   * JSON text of `{event, kind, streamNumber, topics, value}`: the feeds' name for the event, its topic (or null),
   * its stream's number as a string (or null), and its ScVals in SEP-51 JSON. Errors: BASE64_INVALID, the XDR_ codes.
   */
  contractEventToJson(event: ContractEventXdr): string;
  /** True for `<contractId>-<u64>` and `api-<uuid v7>`. */
  isStreamId(text: unknown): boolean;
  /**
   * Applies one event to its stream: null where it isn't held. What was passed in stays as it was.
   * Errors: FOLD_UNKNOWN_STREAM (also for another stream's event), FOLD_DUPLICATE_STREAM, FOLD_OVERFLOW,
   * EVENT_PAYLOAD_UNREADABLE (also for what is no stream's event, or of a failed call), BASE64_INVALID, the XDR_ codes.
   */
  fold(before: FoldedStream | Uint8Array | null, event: ContractEventXdr, place: EventPlace): Folded;
  /** An empty history of a stream. Errors: ARGUMENT_INVALID. */
  streamHistory(id: string): StreamHistory;
  /** A stream's canonical bytes as a stream. Errors: the XDR_ codes. */
  streamFromBytes(bytes: Uint8Array): FoldedStream;
  /** A client of a feed. Errors: CURSOR_INVALID, ARGUMENT_INVALID. */
  feedClient(options: FeedClientOptions): FeedClient;
}

/**
 * A core of its own with each call. The module beside this package is read, fetched or imported, as the runtime has it,
 * and compiled once. Another source is a URL or path; on Cloudflare Workers and Vercel Edge a compiled module.
 * Errors: LOAD_FAILED, MODULE_INVALID.
 */
export function load(source?: URL | string | WebAssembly.Module): Promise<FluxoraCore>;

/** The core of a compiled module, at once: for runtimes that hand modules out compiled. Errors: MODULE_INVALID. */
export function fromModule(module: WebAssembly.Module): FluxoraCore;
