// A second opinion: streams folded from getEvents items, written from SPEC sections 2 and 3 alone. It decodes with
// the official SDK, computes in BigInt and shares no code with the server, nor with the simulator.
import { Address, scValToNative, xdr } from '@stellar/stellar-sdk';

const UNITS_PER_ONE = 10_000_000n;
const I128_MAX = (1n << 127n) - 1n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** The contract's own numbers. */
const KINDS = ['linear', 'cliff_only', 'cliff_slope'];
const STATUSES = ['active', 'paused', 'completed', 'cancelled'];
/** Events that stand in a stream's history and change none of its amounts. */
const HISTORY = new Set(['cloned', 'decomm', 'health', 'rate_cap', 'ac_set', 'ac_revoke', 'ac_trig', 'claim_own', 'renewed']);

const min = (a, b) => (a < b ? a : b);
const max = (a, b) => (a > b ? a : b);
const clamp = (value, deposit) => max(0n, min(value, deposit));

/** Seven decimals. @param {bigint} units */
export function formatAmount(units) {
  const absolute = units < 0n ? -units : units;
  const fraction = (absolute % UNITS_PER_ONE).toString().padStart(7, '0');
  return `${units < 0n ? '-' : ''}${absolute / UNITS_PER_ONE}.${fraction}`;
}

/** A chain time on the wire: a string where a JSON number would lose digits. @param {bigint} seconds */
export const formatSeconds = (seconds) => (seconds > MAX_SAFE ? seconds.toString() : Number(seconds));

/** RFC 3339, UTC, milliseconds. @param {bigint} seconds */
export const formatMillis = (seconds) => new Date(Number(seconds) * 1000).toISOString();

/** @param {string} text RFC 3339 */
export const parseSeconds = (text) => BigInt(Math.floor(Date.parse(text) / 1000));

/**
 * A stream as the fold holds it; amounts in base units, times in unix seconds.
 * @typedef {object} FoldedStream
 * @property {string} id
 * @property {string} contractId
 * @property {string} kind
 * @property {string} status never `scheduled`
 * @property {boolean} archived
 * @property {string} sender
 * @property {string} recipient
 * @property {string | null} token
 * @property {bigint} deposit
 * @property {bigint} rate
 * @property {bigint} withdrawn
 * @property {bigint} settled
 * @property {bigint} start
 * @property {bigint} cliff
 * @property {bigint} end
 * @property {bigint | null} cancelledAt
 * @property {bigint} checkpointAmount
 * @property {bigint} checkpointAt
 * @property {bigint} createdAt
 * @property {bigint} updatedAt
 * @property {number} ledger
 * @property {string} txHash
 */

/** What the schedule has streamed at `now`, the status aside. @param {FoldedStream} stream @param {bigint} now */
function scheduled(stream, now) {
  const { deposit, rate, cliff, end, checkpointAmount, checkpointAt } = stream;
  if (now < cliff || deposit <= 0n) return 0n;
  if (stream.kind === 'cliff_only') return deposit;
  const until = min(now, end);
  if (stream.kind === 'cliff_slope') return clamp(min(max(0n, until - cliff) * rate, I128_MAX), deposit);
  if (rate < 0n) return 0n;
  if (checkpointAt >= end) return clamp(checkpointAmount, deposit);
  const product = max(0n, until - checkpointAt) * rate;
  return product > I128_MAX ? deposit : clamp(checkpointAmount + product, deposit);
}

/** @param {FoldedStream} stream @param {bigint} now */
export function streamedAt(stream, now) {
  if (stream.status === 'completed') return stream.deposit;
  return scheduled(stream, stream.cancelledAt === null ? now : min(now, stream.cancelledAt));
}

/** @param {FoldedStream} stream @param {bigint} now */
export function balancesAt(stream, now) {
  const streamed = streamedAt(stream, now);
  const paid = stream.withdrawn + stream.settled;
  const shut = stream.status === 'completed' || (stream.status === 'paused' && now < stream.end);
  return {
    streamed,
    withdrawable: shut ? 0n : max(0n, streamed - paid),
    remaining: stream.status === 'cancelled' ? streamed - paid : stream.deposit - stream.withdrawn,
  };
}

/**
 * The stream as an answer of the API shows it, without what only the log knows (`version`).
 * @param {FoldedStream} stream
 * @param {bigint} asOf
 */
export function streamJson(stream, asOf) {
  const { streamed, withdrawable, remaining } = balancesAt(stream, asOf);
  return {
    id: stream.id,
    source: 'chain',
    sender: stream.sender,
    recipient: stream.recipient,
    token: stream.token,
    depositAmount: formatAmount(stream.deposit),
    ratePerSecond: formatAmount(stream.rate),
    withdrawnAmount: formatAmount(stream.withdrawn),
    settledAmount: formatAmount(stream.settled),
    streamedAmount: formatAmount(streamed),
    withdrawableAmount: formatAmount(withdrawable),
    remainingAmount: formatAmount(remaining),
    checkpointedAmount: formatAmount(stream.checkpointAmount),
    checkpointedAt: formatSeconds(stream.checkpointAt),
    asOf: formatSeconds(asOf),
    startTime: formatSeconds(stream.start),
    cliffTime: formatSeconds(stream.cliff),
    endTime: formatSeconds(stream.end),
    cancelledAt: stream.cancelledAt === null ? null : formatSeconds(stream.cancelledAt),
    kind: stream.kind,
    status: stream.status === 'active' && asOf < stream.start ? 'scheduled' : stream.status,
    archived: stream.archived,
    createdAt: formatMillis(stream.createdAt),
    updatedAt: formatMillis(stream.updatedAt),
    ledger: stream.ledger,
    txHash: stream.txHash,
    contractId: stream.contractId,
  };
}

/** The payload's fields by name; for payloads that are no map, none. @param {xdr.ScVal} value */
function payloadFields(value) {
  return value.switch().name === 'scvMap' ? scValToNative(value) : {};
}

/**
 * A stream's storage entry, with the names of the fold.
 * @param {string} entryXdr LedgerEntryData, base64, as getLedgerEntries sends it
 */
export function decodeStreamEntry(entryXdr) {
  const data = xdr.LedgerEntryData.fromXDR(entryXdr, 'base64').contractData();
  const [name, number] = scValToNative(data.key());
  if (name !== 'Stream') throw new Error(`a storage entry of ${name}, not of a stream`);
  return decodeStoredStream(Address.fromScAddress(data.contract()).toString(), number, data.val());
}

/** @param {string} contractId @param {bigint} number @param {xdr.ScVal} value */
export function decodeStoredStream(contractId, number, value) {
  const stored = scValToNative(value);
  return {
    id: `${contractId}-${number}`,
    // The oldest contract versions have no kinds: all their streams are linear.
    kind: KINDS[stored.kind ?? 0],
    status: STATUSES[stored.status],
    sender: stored.sender,
    recipient: stored.recipient,
    deposit: stored.deposit_amount,
    rate: stored.rate_per_second,
    withdrawn: stored.withdrawn_amount,
    start: stored.start_time,
    cliff: stored.cliff_time,
    end: stored.end_time,
    cancelledAt: stored.cancelled_at ?? null,
    checkpointAmount: stored.checkpointed_amount,
    checkpointAt: stored.checkpointed_at,
  };
}

export class IndependentFold {
  /** @param {{token: string | null}} options token: what the contract's instance storage names */
  constructor({ token }) {
    this.token = token;
    /** @type {Map<string, FoldedStream>} in order of creation */
    this.streams = new Map();
    /** What was folded, so that the past can be folded again. @type {{at: bigint, again: (fold: IndependentFold) => void}[]} */
    this.inputs = [];
  }

  /** The fold as it was at that second. @param {bigint} at */
  asOf(at) {
    const past = new IndependentFold({ token: this.token });
    for (const input of this.inputs) if (input.at <= at) input.again(past);
    return past;
  }

  /**
   * What the storage says about a stream that the events can't: `kind`, and which path a change of rate took.
   * @param {ReturnType<typeof decodeStreamEntry>} stored
   * @param {bigint} at close time of the ledger that last changed the entry
   */
  observe(stored, at) {
    this.inputs.push({ at, again: (fold) => fold.observe(stored, at) });
    const stream = this.streams.get(stored.id);
    if (stream) Object.assign(stream, stored);
  }

  /** @param {any} item an item of getEvents @returns {string | null} the id of the stream that it changed */
  apply(item) {
    const at = parseSeconds(item.ledgerClosedAt);
    this.inputs.push({ at, again: (fold) => fold.apply(item) });
    if (item.inSuccessfulContractCall === false) return null;
    const topics = item.topic.map((topic) => xdr.ScVal.fromXDR(topic, 'base64'));
    if (topics.length < 2 || topics[0].switch().name !== 'scvSymbol' || topics[1].switch().name !== 'scvU64') return null;
    const kind = topics[0].sym().toString();
    const id = `${item.contractId}-${scValToNative(topics[1])}`;
    const value = xdr.ScVal.fromXDR(item.value, 'base64');
    if (kind === 'created') return this.#create(id, item, at, value);
    const stream = this.streams.get(id);
    if (!stream) return null;
    if (!HISTORY.has(kind) && !this.#change(stream, kind, value, at)) return null;
    this.#place(stream, item, at);
    return id;
  }

  #place(stream, item, at) {
    stream.updatedAt = at;
    stream.ledger = Number(item.ledger);
    stream.txHash = item.txHash;
  }

  #create(id, item, at, value) {
    const fields = payloadFields(value);
    if (this.streams.has(id) || fields.deposit_amount === undefined) return null;
    /** @type {FoldedStream} */
    const stream = {
      id,
      contractId: item.contractId,
      kind: 'linear',
      status: 'active',
      archived: false,
      sender: fields.sender,
      recipient: fields.recipient,
      token: this.token,
      deposit: fields.deposit_amount,
      rate: fields.rate_per_second,
      withdrawn: 0n,
      settled: 0n,
      start: fields.start_time,
      cliff: fields.cliff_time,
      end: fields.end_time,
      cancelledAt: null,
      checkpointAmount: 0n,
      checkpointAt: fields.start_time,
      createdAt: at,
      updatedAt: at,
      ledger: 0,
      txHash: '',
    };
    this.#place(stream, item, at);
    this.streams.set(id, stream);
    return id;
  }

  /** @returns {boolean} whether the event is one that changes streams */
  #change(stream, kind, value, at) {
    const fields = payloadFields(value);
    switch (kind) {
      case 'withdrew':
      case 'wdraw_to':
        stream.withdrawn += fields.amount ?? scValToNative(value);
        return true;
      case 'paused':
        stream.status = 'paused';
        return true;
      case 'resumed':
        stream.status = 'active';
        return true;
      case 'cancelled':
        stream.status = 'cancelled';
        stream.cancelledAt = at;
        return true;
      case 'kp_cncl':
        stream.status = 'cancelled';
        stream.cancelledAt = at;
        stream.settled += fields.recipient_amount;
        return true;
      case 'completed':
        stream.status = 'completed';
        stream.withdrawn = stream.deposit;
        return true;
      case 'closed':
        stream.archived = true;
        return true;
      case 'rate_upd':
        stream.checkpointAmount = streamedAt(stream, fields.effective_time);
        stream.checkpointAt = fields.effective_time;
        stream.rate = fields.new_rate_per_second;
        return true;
      case 'rate_dec':
        stream.checkpointAmount = fields.checkpointed_amount;
        stream.checkpointAt = fields.effective_time;
        stream.rate = fields.new_rate_per_second;
        stream.deposit -= fields.refund_amount;
        return true;
      case 'end_shrt':
        stream.end = fields.new_end_time;
        stream.deposit -= fields.refund_amount;
        return true;
      case 'end_ext':
        stream.end = fields.new_end_time;
        return true;
      case 'top_up':
        stream.deposit = fields.new_deposit_amount;
        stream.end = fields.new_end_time;
        return true;
      case 'recp_upd':
        stream.recipient = fields.new_recipient;
        return true;
      case 'sndr_xfr':
        stream.sender = fields.new_sender;
        return true;
      case 'del_share':
        throw new Error('del_share is not folded here: the simulated contract has none');
      default:
        return false;
    }
  }
}
