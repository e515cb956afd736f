// The stream contract's events, newest payload shapes: SPEC section 3.
import { address, bytes, bytesMap, i128, option, string, struct, symbol, u64, variant } from './scval.js';

/** @typedef {{contractId?: string, topics: import('@stellar/stellar-sdk').xdr.ScVal[], value: import('@stellar/stellar-sdk').xdr.ScVal}} Emitted */

const event = (name, id, value) => ({ topics: [symbol(name), u64(id)], value });
const lifecycle = (topic, name) => (id) => event(topic, id, variant(name, u64(id)));

export const resumed = lifecycle('resumed', 'Resumed');
export const cancelled = lifecycle('cancelled', 'StreamCancelled');
export const completed = lifecycle('completed', 'StreamCompleted');
export const closed = lifecycle('closed', 'StreamClosed');

/** @param {import('./stream_contract.js').Stream} stream */
export function created(stream) {
  return event('created', stream.streamId, struct({
    stream_id: u64(stream.streamId),
    sender: address(stream.sender),
    recipient: address(stream.recipient),
    deposit_amount: i128(stream.depositAmount),
    rate_per_second: i128(stream.ratePerSecond),
    start_time: u64(stream.startTime),
    cliff_time: u64(stream.cliffTime),
    end_time: u64(stream.endTime),
    withdraw_dust_threshold: i128(stream.withdrawDustThreshold),
    memo: option(stream.memo, (text) => bytes(Buffer.from(text))),
    metadata: option(stream.metadata, bytesMap),
  }));
}

export function withdrew(id, recipient, amount) {
  return event('withdrew', id, struct({ stream_id: u64(id), recipient: address(recipient), amount: i128(amount) }));
}

export function withdrewTo(id, recipient, destination, amount) {
  return event('wdraw_to', id, struct({
    stream_id: u64(id),
    recipient: address(recipient),
    destination: address(destination),
    amount: i128(amount),
  }));
}

export function paused(id, reason) {
  return event('paused', id, struct({ stream_id: u64(id), reason: string(reason) }));
}

export function keeperCancelled(id, keeper, { keeperFee, recipientAmount, senderRefund }) {
  return event('kp_cncl', id, struct({
    stream_id: u64(id),
    keeper: address(keeper),
    keeper_fee: i128(keeperFee),
    recipient_amount: i128(recipientAmount),
    sender_refund: i128(senderRefund),
  }));
}

export function rateUpdated(id, oldRate, newRate, effectiveTime) {
  return event('rate_upd', id, struct({
    stream_id: u64(id),
    old_rate_per_second: i128(oldRate),
    new_rate_per_second: i128(newRate),
    effective_time: u64(effectiveTime),
  }));
}

export function rateDecreased(id, oldRate, newRate, effectiveTime, checkpointedAmount, refundAmount) {
  return event('rate_dec', id, struct({
    stream_id: u64(id),
    old_rate_per_second: i128(oldRate),
    new_rate_per_second: i128(newRate),
    effective_time: u64(effectiveTime),
    checkpointed_amount: i128(checkpointedAmount),
    refund_amount: i128(refundAmount),
  }));
}

export function endShortened(id, oldEnd, newEnd, refundAmount) {
  return event('end_shrt', id, struct({
    stream_id: u64(id),
    old_end_time: u64(oldEnd),
    new_end_time: u64(newEnd),
    refund_amount: i128(refundAmount),
  }));
}

export function endExtended(id, oldEnd, newEnd) {
  return event('end_ext', id, struct({ stream_id: u64(id), old_end_time: u64(oldEnd), new_end_time: u64(newEnd) }));
}

export function toppedUp(id, amount, newDeposit, newEnd) {
  return event('top_up', id, struct({
    stream_id: u64(id),
    top_up_amount: i128(amount),
    new_deposit_amount: i128(newDeposit),
    new_end_time: u64(newEnd),
  }));
}

export function recipientUpdated(id, oldRecipient, newRecipient) {
  return event('recp_upd', id, struct({
    stream_id: u64(id),
    old_recipient: address(oldRecipient),
    new_recipient: address(newRecipient),
  }));
}

export function senderTransferred(id, oldSender, newSender) {
  return event('sndr_xfr', id, struct({
    stream_id: u64(id),
    old_sender: address(oldSender),
    new_sender: address(newSender),
  }));
}

/** The token's own event for a payment; it stands before the stream's event, in the same transaction. */
export function tokenTransfer(token, from, to, amount) {
  return {
    contractId: token.address,
    topics: [symbol('transfer'), address(from), address(to), string(token.name)],
    value: i128(amount),
  };
}
