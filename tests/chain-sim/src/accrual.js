// What a stream has paid out by a moment: SPEC section 2, in the contract's own words. All amounts
// are base units; all times unix seconds; everything BigInt.

export const KIND = Object.freeze({ linear: 0, cliffOnly: 1, cliffSlope: 2 });
export const STATUS = Object.freeze({ active: 0, paused: 1, completed: 2, cancelled: 3 });

const I128_MAX = (1n << 127n) - 1n;

const min = (a, b) => (a < b ? a : b);
const max = (a, b) => (a > b ? a : b);
const clamp = (value, low, high) => max(low, min(value, high));

/**
 * Streamed at `now` by the schedule alone, whatever the status.
 * @param {import('./stream_contract.js').Stream} stream
 * @param {bigint} now
 */
export function scheduled(stream, now) {
  const deposit = stream.depositAmount;
  if (now < stream.cliffTime || deposit <= 0n) return 0n;
  if (stream.kind === KIND.cliffOnly) return deposit;
  const until = min(now, stream.endTime);
  if (stream.kind === KIND.cliffSlope) {
    const product = max(0n, until - stream.cliffTime) * stream.ratePerSecond;
    return clamp(min(product, I128_MAX), 0n, deposit);
  }
  if (stream.ratePerSecond < 0n) return 0n;
  if (stream.checkpointedAt >= stream.endTime) return clamp(stream.checkpointedAmount, 0n, deposit);
  const product = max(0n, until - stream.checkpointedAt) * stream.ratePerSecond;
  if (product > I128_MAX) return deposit;
  return clamp(stream.checkpointedAmount + product, 0n, deposit);
}

/**
 * Streamed at `now`, status included: a completed stream has streamed its whole deposit, a
 * cancelled one stops at its cancellation.
 * @param {import('./stream_contract.js').Stream} stream
 * @param {bigint} now
 */
export function streamed(stream, now) {
  if (stream.status === STATUS.completed) return stream.depositAmount;
  if (stream.status === STATUS.cancelled) return scheduled(stream, stream.cancelledAt ?? now);
  return scheduled(stream, now);
}
