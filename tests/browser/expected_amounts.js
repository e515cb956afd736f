// What a stream has paid out at a second, from the simulated contract's storage alone: SPEC section 2 in BigInt,
// nothing of the core's and nothing of the page's.
import { KIND, STATUS } from '../chain-sim/src/accrual.js';

const I128_MAX = (1n << 127n) - 1n;
const least = (...values) => values.reduce((a, b) => (b < a ? b : a));
const clamp = (value, deposit) => (value < 0n ? 0n : least(value, deposit));

function byTerms(stream, now) {
  const { depositAmount: deposit, ratePerSecond: rate } = stream;
  if (now < stream.cliffTime || deposit <= 0n) return 0n;
  if (stream.kind === KIND.cliffOnly) return deposit;
  const until = least(now, stream.endTime);
  const seconds = (from) => (until > from ? until - from : 0n);
  if (stream.kind === KIND.cliffSlope) return clamp(least(seconds(stream.cliffTime) * rate, I128_MAX), deposit);
  if (rate < 0n) return 0n;
  if (stream.checkpointedAt >= stream.endTime) return clamp(stream.checkpointedAmount, deposit);
  return clamp(stream.checkpointedAmount + seconds(stream.checkpointedAt) * rate, deposit);
}

/** Seven decimals. */
export function decimal(units) {
  const digits = String(units < 0n ? -units : units).padStart(8, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -7)}.${digits.slice(-7)}`;
}

/** @param {any} stream of the simulator's contractStorage() @param {number} second */
export function expectedAmounts(stream, second) {
  const now = BigInt(second);
  let streamed = byTerms(stream, stream.status === STATUS.cancelled ? least(now, stream.cancelledAt) : now);
  if (stream.status === STATUS.completed) streamed = stream.depositAmount;
  const due = streamed - stream.withdrawnAmount;
  const closed = stream.status === STATUS.completed || (stream.status === STATUS.paused && now < stream.endTime);
  return { streamed, withdrawable: closed || due < 0n ? 0n : due };
}
