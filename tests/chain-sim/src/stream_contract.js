// A faithful, small model of the payment-stream contract: what each call checks, changes and emits.
// Streams are immutable values; a ledger's changes are journalled so that a fork can undo them.
import { KIND, STATUS, scheduled, streamed } from './accrual.js';
import * as emitted from './contract_events.js';

const I128_MAX = (1n << 127n) - 1n;
const U64_MAX = (1n << 64n) - 1n;
const MAX_MEMO_BYTES = 64;

/** The contract's own constants. */
export const PAUSE_COOLDOWN_LEDGERS = 17;
export const RATE_COOLDOWN_LEDGERS = 17;
export const WITHDRAW_INTERVAL_LEDGERS = 1;
export const KEEPER_GRACE_SECONDS = 604_800n;
export const KEEPER_FEE_BPS = 50n;
export const PAUSE_REASONS = Object.freeze(['Operational', 'Administrative', 'Emergency', 'Compliance']);

/**
 * A stream as the contract stores it. Amounts are base units.
 * @typedef {object} Stream
 * @property {bigint} streamId
 * @property {string} sender
 * @property {string} recipient
 * @property {bigint} depositAmount
 * @property {bigint} ratePerSecond
 * @property {bigint} startTime
 * @property {bigint} cliffTime
 * @property {bigint} endTime
 * @property {bigint} withdrawnAmount
 * @property {number} status 0 active, 1 paused, 2 completed, 3 cancelled
 * @property {bigint | null} cancelledAt
 * @property {bigint} checkpointedAmount
 * @property {bigint} checkpointedAt
 * @property {bigint} withdrawDustThreshold
 * @property {string | null} memo
 * @property {Record<string, string> | null} metadata
 * @property {number} kind 0 linear, 1 cliff only, 2 cliff slope
 * @property {number} lastPauseToggleLedger
 * @property {number} lastWithdrawLedger
 * @property {number} lastRateChangeLedger
 * @property {bigint} pausedAtTimestamp
 * @property {bigint} cumulativePausedDuration
 */

/**
 * Where a call runs.
 * @typedef {object} CallContext
 * @property {bigint} now close time of the ledger
 * @property {number} ledger
 * @property {(event: emitted.Emitted) => void} emit
 */

/** The call failed, as the contract would have failed it: nothing changes, nothing is emitted. */
export class ContractError extends Error {
  /** @param {string} code the contract's error name @param {string} [detail] */
  constructor(code, detail) {
    super(detail ? `${code}: ${detail}` : code);
    this.name = 'ContractError';
    this.code = code;
  }
}

function require(condition, code, detail) {
  if (!condition) throw new ContractError(code, detail);
}

/**
 * Base units from a BigInt or a decimal string; a Number would lose digits, so it is refused.
 * @param {any} value @param {string} name @returns {bigint}
 */
export function baseUnits(value, name) {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string' && /^-?[0-9]+$/.test(value)) return BigInt(value);
  throw new TypeError(`${name} must be a BigInt or a string of digits (base units), got ${typeof value}`);
}

/**
 * Unix seconds; times fit a Number, so integers are accepted too.
 * @param {any} value @param {string} name @returns {bigint}
 */
export function seconds(value, name) {
  const time = Number.isSafeInteger(value) ? BigInt(value) : baseUnits(value, name);
  if (time < 0n || time > U64_MAX) throw new RangeError(`${name} must fit u64, got ${time}`);
  return time;
}

const isOpen = (stream) => stream.status === STATUS.active || stream.status === STATUS.paused;
const isTerminal = (stream, now) => !isOpen(stream) || now >= stream.endTime;

export class StreamContract {
  /**
   * @param {object} options
   * @param {string} options.address
   * @param {string} options.admin
   * @param {{address: string, name: string, symbol: string, issuer: string}} options.token
   * @param {bigint} [options.keeperGraceSeconds]
   * @param {boolean} [options.tokenEvents] emit the token's transfer events too
   * @param {number} options.ledger where it was deployed
   */
  constructor({ address, admin, token, keeperGraceSeconds = KEEPER_GRACE_SECONDS, tokenEvents = true, ledger }) {
    this.address = address;
    this.admin = admin;
    this.token = token;
    this.keeperGraceSeconds = keeperGraceSeconds;
    this.tokenEvents = tokenEvents;
    /** @type {Map<bigint, {stream: Stream, modifiedLedger: number}>} */
    this.entries = new Map();
    this.instance = { nextStreamId: 0n, totalLiabilities: 0n, pausedStreams: 0n, modifiedLedger: ledger };
    this.journal = null;
  }

  // Storage and its journal.

  /** @param {bigint} id */
  find(id) {
    return this.entries.get(id)?.stream;
  }

  streams() {
    return Array.from(this.entries.values(), (entry) => entry.stream);
  }

  /** @param {bigint} id @returns {Stream} */
  load(id) {
    const stream = this.find(id);
    require(stream, 'StreamNotFound', `stream ${id}`);
    return stream;
  }

  /** @param {CallContext} ctx @param {Stream} stream */
  save(ctx, stream) {
    this.remember(stream.streamId);
    const before = this.find(stream.streamId);
    const pausedDelta = BigInt(stream.status === STATUS.paused) - BigInt(before?.status === STATUS.paused);
    if (pausedDelta !== 0n) this.touchInstance(ctx, { pausedStreams: this.instance.pausedStreams + pausedDelta });
    this.entries.set(stream.streamId, { stream: Object.freeze(stream), modifiedLedger: ctx.ledger });
  }

  remove(id) {
    this.remember(id);
    this.entries.delete(id);
  }

  remember(id) {
    if (this.journal && !this.journal.entries.has(id)) this.journal.entries.set(id, this.entries.get(id));
  }

  touchInstance(ctx, changes) {
    this.instance = { ...this.instance, ...changes, modifiedLedger: ctx.ledger };
  }

  owe(ctx, amount) {
    if (amount !== 0n) this.touchInstance(ctx, { totalLiabilities: this.instance.totalLiabilities + amount });
  }

  /** Starts noting what changes; `rollback` undoes it. */
  startJournal() {
    this.journal = { entries: new Map(), instance: this.instance };
    return this.journal;
  }

  /** @param {{entries: Map<bigint, any>, instance: any}} journal */
  rollback(journal) {
    for (const [id, before] of journal.entries) {
      if (before === undefined) this.entries.delete(id);
      else this.entries.set(id, before);
    }
    this.instance = journal.instance;
  }

  transfer(ctx, from, to, amount) {
    if (amount > 0n && this.tokenEvents) ctx.emit(emitted.tokenTransfer(this.token, from, to, amount));
  }

  // Calls. Each takes the context and its arguments, and returns what the contract returns.

  /**
   * @param {CallContext} ctx
   * @param {object} args times absolute (startTime, cliffTime, endTime) or relative (startDelay, cliffDelay, duration)
   */
  createStream(ctx, args) {
    const { id, sender, recipient, kind = KIND.linear, memo = null, metadata = null } = args;
    const depositAmount = baseUnits(args.depositAmount, 'depositAmount');
    const ratePerSecond = kind === KIND.cliffOnly ? 0n : baseUnits(args.ratePerSecond, 'ratePerSecond');
    const startTime = args.startTime === undefined ? ctx.now + seconds(args.startDelay ?? 0n, 'startDelay') : seconds(args.startTime, 'startTime');
    const endTime = args.endTime === undefined ? startTime + seconds(args.duration, 'duration') : seconds(args.endTime, 'endTime');
    const cliffTime = args.cliffTime === undefined ? startTime + seconds(args.cliffDelay ?? 0n, 'cliffDelay') : seconds(args.cliffTime, 'cliffTime');

    require(depositAmount > 0n && depositAmount <= I128_MAX, 'InvalidParams', 'deposit');
    require(kind === KIND.cliffOnly || (ratePerSecond > 0n && ratePerSecond <= I128_MAX), 'InvalidParams', 'rate');
    require(sender !== recipient, 'InvalidParams', 'sender is recipient');
    require(startTime < endTime, 'InvalidParams', 'start before end');
    require(startTime >= ctx.now, 'StartTimeInPast');
    require(cliffTime >= startTime && cliffTime <= endTime, 'InvalidParams', 'cliff');
    const streamable = { [KIND.linear]: endTime - startTime, [KIND.cliffSlope]: endTime - cliffTime, [KIND.cliffOnly]: 0n };
    require(streamable[kind] !== undefined, 'InvalidParams', 'kind');
    require(depositAmount >= ratePerSecond * streamable[kind], 'InsufficientDeposit');
    require(memo === null || Buffer.byteLength(memo) <= MAX_MEMO_BYTES, 'InvalidParams', 'memo');

    this.transfer(ctx, sender, this.address, depositAmount);
    /** @type {Stream} */
    const stream = {
      streamId: id,
      sender,
      recipient,
      depositAmount,
      ratePerSecond,
      startTime,
      cliffTime,
      endTime,
      withdrawnAmount: 0n,
      status: STATUS.active,
      cancelledAt: null,
      checkpointedAmount: 0n,
      checkpointedAt: startTime,
      withdrawDustThreshold: baseUnits(args.withdrawDustThreshold ?? 0n, 'withdrawDustThreshold'),
      memo,
      metadata,
      kind,
      lastPauseToggleLedger: 0,
      lastWithdrawLedger: 0,
      lastRateChangeLedger: 0,
      pausedAtTimestamp: 0n,
      cumulativePausedDuration: 0n,
    };
    this.save(ctx, stream);
    this.touchInstance(ctx, { nextStreamId: id >= this.instance.nextStreamId ? id + 1n : this.instance.nextStreamId });
    this.owe(ctx, depositAmount);
    ctx.emit(emitted.created(stream));
    return id;
  }

  /** What a withdrawal at `now` would pay: 0 when there is nothing, or only dust. @param {Stream} stream @param {bigint} now @returns {bigint} */
  withdrawable(stream, now) {
    const amount = streamed(stream, now) - stream.withdrawnAmount;
    if (amount <= 0n) return 0n;
    const drains = stream.withdrawnAmount + amount >= stream.depositAmount;
    return amount < stream.withdrawDustThreshold && !isTerminal(stream, now) && !drains ? 0n : amount;
  }

  requireWithdrawable(ctx, stream) {
    require(stream.status !== STATUS.completed, 'InvalidState', 'completed');
    require(stream.status !== STATUS.paused || isTerminal(stream, ctx.now), 'InvalidState', 'paused');
  }

  payOut(ctx, stream, amount, destination, changes) {
    const withdrawnAmount = stream.withdrawnAmount + amount;
    const completes = isOpen(stream) && withdrawnAmount === stream.depositAmount;
    this.save(ctx, {
      ...stream,
      ...changes,
      withdrawnAmount,
      status: completes ? STATUS.completed : stream.status,
    });
    this.owe(ctx, -amount);
    this.transfer(ctx, this.address, destination, amount);
    return completes;
  }

  /** @param {CallContext} ctx @param {{id: bigint}} args @returns {bigint} what was paid */
  withdraw(ctx, { id }) {
    const stream = this.load(id);
    require(
      stream.lastWithdrawLedger === 0 || ctx.ledger - stream.lastWithdrawLedger >= WITHDRAW_INTERVAL_LEDGERS,
      'WithdrawalTooFrequent',
    );
    this.requireWithdrawable(ctx, stream);
    const amount = this.withdrawable(stream, ctx.now);
    if (amount === 0n) return 0n;
    const completes = this.payOut(ctx, stream, amount, stream.recipient, { lastWithdrawLedger: ctx.ledger });
    ctx.emit(emitted.withdrew(id, stream.recipient, amount));
    if (completes) ctx.emit(emitted.completed(id));
    return amount;
  }

  /** @param {CallContext} ctx @param {{id: bigint, destination: string}} args @returns {bigint} what was paid */
  withdrawTo(ctx, { id, destination }) {
    const stream = this.load(id);
    require(destination !== this.address, 'InvalidParams', 'destination');
    this.requireWithdrawable(ctx, stream);
    const amount = this.withdrawable(stream, ctx.now);
    if (amount === 0n) return 0n;
    const completes = this.payOut(ctx, stream, amount, destination, {});
    ctx.emit(emitted.withdrewTo(id, stream.recipient, destination, amount));
    if (completes) ctx.emit(emitted.completed(id));
    return amount;
  }

  requirePauseCooldown(ctx, stream) {
    require(ctx.ledger - stream.lastPauseToggleLedger >= PAUSE_COOLDOWN_LEDGERS, 'PauseCooldownActive');
  }

  /** @param {CallContext} ctx @param {{id: bigint, reason?: string}} args */
  pause(ctx, { id, reason = 'Operational' }) {
    const stream = this.load(id);
    require(PAUSE_REASONS.includes(reason), 'InvalidParams', 'reason');
    require(stream.status !== STATUS.paused, 'StreamAlreadyPaused');
    require(!isTerminal(stream, ctx.now), 'StreamTerminalState');
    this.requirePauseCooldown(ctx, stream);
    this.save(ctx, {
      ...stream,
      status: STATUS.paused,
      lastPauseToggleLedger: ctx.ledger,
      pausedAtTimestamp: ctx.now,
    });
    ctx.emit(emitted.paused(id, reason));
  }

  /** @param {CallContext} ctx @param {{id: bigint}} args */
  resume(ctx, { id }) {
    const stream = this.load(id);
    require(stream.status !== STATUS.active, 'StreamNotPaused');
    require(!isTerminal(stream, ctx.now), 'StreamTerminalState');
    this.requirePauseCooldown(ctx, stream);
    this.save(ctx, {
      ...stream,
      status: STATUS.active,
      lastPauseToggleLedger: ctx.ledger,
      cumulativePausedDuration: stream.cumulativePausedDuration + (ctx.now - stream.pausedAtTimestamp),
      pausedAtTimestamp: 0n,
    });
    ctx.emit(emitted.resumed(id));
  }

  requireLinear(stream) {
    require(stream.kind === KIND.linear, 'UnsupportedStreamKind');
  }

  requireRunning(ctx, stream) {
    require(isOpen(stream), 'InvalidState', 'final');
    require(ctx.now < stream.endTime, 'InvalidState', 'ended');
  }

  /** @param {CallContext} ctx @param {{id: bigint, amount: bigint | string, funder?: string}} args */
  topUp(ctx, args) {
    const stream = this.load(args.id);
    const amount = baseUnits(args.amount, 'amount');
    require(amount > 0n, 'InvalidParams', 'amount');
    this.requireLinear(stream);
    this.requireRunning(ctx, stream);
    const depositAmount = stream.depositAmount + amount;
    require(depositAmount <= I128_MAX, 'ArithmeticOverflow');
    this.save(ctx, { ...stream, depositAmount });
    this.transfer(ctx, args.funder ?? stream.sender, this.address, amount);
    this.owe(ctx, amount);
    ctx.emit(emitted.toppedUp(args.id, amount, depositAmount, stream.endTime));
  }

  requireRateCooldown(ctx, stream) {
    require(
      stream.lastRateChangeLedger === 0 || ctx.ledger - stream.lastRateChangeLedger >= RATE_COOLDOWN_LEDGERS,
      'RateCooldownActive',
    );
  }

  /** Raises the rate and checkpoints. @param {CallContext} ctx @param {{id: bigint, newRatePerSecond: bigint | string}} args */
  updateRate(ctx, args) {
    const stream = this.load(args.id);
    const rate = baseUnits(args.newRatePerSecond, 'newRatePerSecond');
    this.requireLinear(stream);
    this.requireRateCooldown(ctx, stream);
    this.requireRunning(ctx, stream);
    require(rate > stream.ratePerSecond, 'InvalidParams', 'not a raise');
    require(stream.depositAmount >= rate * (stream.endTime - stream.startTime), 'InsufficientDeposit');
    this.save(ctx, {
      ...stream,
      checkpointedAmount: scheduled(stream, ctx.now),
      checkpointedAt: ctx.now,
      ratePerSecond: rate,
      lastRateChangeLedger: ctx.ledger,
    });
    ctx.emit(emitted.rateUpdated(args.id, stream.ratePerSecond, rate, ctx.now));
  }

  /**
   * The contract's other path to the same event: any new rate, no checkpoint, no cooldown. The event
   * doesn't tell the two apart; only the storage entry does.
   * @param {CallContext} ctx @param {{id: bigint, newRatePerSecond: bigint | string}} args
   */
  updateRateUncheckpointed(ctx, args) {
    const stream = this.load(args.id);
    const rate = baseUnits(args.newRatePerSecond, 'newRatePerSecond');
    this.requireLinear(stream);
    require(rate > 0n, 'InvalidParams', 'rate');
    this.requireRunning(ctx, stream);
    this.save(ctx, { ...stream, ratePerSecond: rate });
    ctx.emit(emitted.rateUpdated(args.id, stream.ratePerSecond, rate, ctx.now));
  }

  /** Lowers the rate and refunds what can no longer be paid. @param {CallContext} ctx @param {{id: bigint, newRatePerSecond: bigint | string}} args */
  decreaseRate(ctx, args) {
    const stream = this.load(args.id);
    const rate = baseUnits(args.newRatePerSecond, 'newRatePerSecond');
    this.requireLinear(stream);
    this.requireRateCooldown(ctx, stream);
    this.requireRunning(ctx, stream);
    require(rate > 0n && rate < stream.ratePerSecond, 'InvalidParams', 'not a decrease');
    const accrued = scheduled(stream, ctx.now);
    const depositAmount = accrued + rate * (stream.endTime - ctx.now);
    require(depositAmount <= stream.depositAmount, 'ArithmeticOverflow');
    const refund = stream.depositAmount - depositAmount;
    this.save(ctx, {
      ...stream,
      checkpointedAmount: accrued,
      checkpointedAt: ctx.now,
      ratePerSecond: rate,
      depositAmount,
      lastRateChangeLedger: ctx.ledger,
    });
    this.owe(ctx, -refund);
    this.transfer(ctx, this.address, stream.sender, refund);
    ctx.emit(emitted.rateDecreased(args.id, stream.ratePerSecond, rate, ctx.now, accrued, refund));
  }

  /** @param {CallContext} ctx @param {{id: bigint, newEndTime: bigint | number | string}} args */
  shortenEnd(ctx, args) {
    const stream = this.load(args.id);
    const newEnd = seconds(args.newEndTime, 'newEndTime');
    this.requireLinear(stream);
    require(isOpen(stream), 'InvalidState', 'final');
    require(
      newEnd > ctx.now && newEnd > stream.startTime && newEnd >= stream.cliffTime && newEnd < stream.endTime,
      'InvalidParams',
      'new end',
    );
    const payable = stream.ratePerSecond * (newEnd - stream.startTime);
    const accrued = scheduled(stream, ctx.now);
    const depositAmount = payable > accrued ? payable : accrued;
    require(depositAmount <= stream.depositAmount, 'InvalidParams', 'deposit');
    const refund = stream.depositAmount - depositAmount;
    this.save(ctx, { ...stream, endTime: newEnd, depositAmount });
    this.owe(ctx, -refund);
    this.transfer(ctx, this.address, stream.sender, refund);
    ctx.emit(emitted.endShortened(args.id, stream.endTime, newEnd, refund));
  }

  /** @param {CallContext} ctx @param {{id: bigint, newEndTime: bigint | number | string}} args */
  extendEnd(ctx, args) {
    const stream = this.load(args.id);
    const newEnd = seconds(args.newEndTime, 'newEndTime');
    this.requireLinear(stream);
    require(isOpen(stream), 'InvalidState', 'final');
    require(newEnd > stream.endTime && newEnd >= ctx.now, 'InvalidParams', 'new end');
    require(stream.ratePerSecond * (newEnd - stream.startTime) <= stream.depositAmount, 'InsufficientDeposit');
    this.save(ctx, { ...stream, endTime: newEnd });
    ctx.emit(emitted.endExtended(args.id, stream.endTime, newEnd));
  }

  /** Proposed by the sender and accepted by the recipient; only the acceptance emits. @param {CallContext} ctx @param {{id: bigint, newRecipient: string}} args */
  transferRecipient(ctx, { id, newRecipient }) {
    const stream = this.load(id);
    require(newRecipient !== stream.recipient, 'InvalidParams', 'recipient');
    this.save(ctx, { ...stream, recipient: newRecipient });
    ctx.emit(emitted.recipientUpdated(id, stream.recipient, newRecipient));
  }

  /** @param {CallContext} ctx @param {{id: bigint, newSender: string}} args */
  transferSender(ctx, { id, newSender }) {
    const stream = this.load(id);
    require(newSender !== stream.sender && newSender !== stream.recipient, 'InvalidParams', 'sender');
    require(isOpen(stream), 'InvalidState', 'final');
    this.save(ctx, { ...stream, sender: newSender });
    ctx.emit(emitted.senderTransferred(id, stream.sender, newSender));
  }

  /** @param {CallContext} ctx @param {{id: bigint}} args */
  cancel(ctx, { id }) {
    const stream = this.load(id);
    require(isOpen(stream), 'InvalidState', 'final');
    const refund = stream.depositAmount - scheduled(stream, ctx.now);
    this.save(ctx, { ...stream, status: STATUS.cancelled, cancelledAt: ctx.now });
    this.owe(ctx, -refund);
    this.transfer(ctx, this.address, stream.sender, refund);
    ctx.emit(emitted.cancelled(id));
  }

  /**
   * Anyone may clear up a stream left past its end: the recipient is paid without it counting as
   * withdrawn, the sender gets the rest less a fee.
   * @param {CallContext} ctx @param {{id: bigint, keeper: string}} args
   */
  keeperCancel(ctx, { id, keeper }) {
    const stream = this.load(id);
    require(isOpen(stream), 'InvalidState', 'final');
    require(ctx.now >= stream.endTime + this.keeperGraceSeconds, 'KeeperGracePeriodNotElapsed');
    const accrued = scheduled(stream, ctx.now);
    const recipientAmount = accrued > stream.withdrawnAmount ? accrued - stream.withdrawnAmount : 0n;
    const gross = stream.depositAmount - accrued;
    const keeperFee = (gross * KEEPER_FEE_BPS) / 10_000n;
    const senderRefund = gross - keeperFee;
    this.save(ctx, { ...stream, status: STATUS.cancelled, cancelledAt: ctx.now });
    this.owe(ctx, -(recipientAmount + gross));
    this.transfer(ctx, this.address, stream.recipient, recipientAmount);
    this.transfer(ctx, this.address, stream.sender, senderRefund);
    this.transfer(ctx, this.address, keeper, keeperFee);
    ctx.emit(emitted.keeperCancelled(id, keeper, { keeperFee, recipientAmount, senderRefund }));
  }

  /**
   * Removes a settled stream from storage. (A stream that a keeper cancelled still shows a claimable
   * balance to this check, since what the keeper paid isn't counted as withdrawn, so it can't be closed.)
   * @param {CallContext} ctx @param {{id: bigint}} args
   */
  close(ctx, { id }) {
    const stream = this.load(id);
    require(!isOpen(stream), 'InvalidState', 'open');
    if (stream.status === STATUS.cancelled) {
      require(streamed(stream, ctx.now) <= stream.withdrawnAmount, 'InvalidState', 'claimable');
    }
    ctx.emit(emitted.closed(id));
    this.remove(id);
  }
}

/** The calls that can be submitted. */
export const CALLS = Object.freeze([
  'createStream', 'withdraw', 'withdrawTo', 'pause', 'resume', 'topUp', 'updateRate', 'updateRateUncheckpointed',
  'decreaseRate', 'shortenEnd', 'extendEnd', 'transferRecipient', 'transferSender', 'cancel', 'keeperCancel', 'close',
]);
