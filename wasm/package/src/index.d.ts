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
  | 'CURSOR_INVALID';

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
  /** Columns were used after `dispose()`. */
  | 'DISPOSED'
  /** The module could not be fetched. */
  | 'LOAD_FAILED'
  /** An invariant inside core is broken. */
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
  /** False when there was no such stream. */
  delete(id: string): boolean;
  clear(): void;
  /** The balances of all streams at `now`. */
  accrue(now: UnixSeconds): ColumnBalances;
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

/** The core, ready: everything in it is synchronous and throws `FluxoraError`. */
export interface FluxoraCore {
  readonly amounts: Amounts;
  readonly strkey: StrKeys;
  readonly cursor: Cursors;
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
}

/** Fetches (or, in Node, reads) the module beside this package, or another one, and makes the core of it. */
export function load(source?: URL | string): Promise<FluxoraCore>;

/** The core of a compiled module, at once: for runtimes that hand modules out compiled. */
export function fromModule(module: WebAssembly.Module): FluxoraCore;
