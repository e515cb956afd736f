// A row of `streams` as an answer shows it, computed in BigInt.
import { balancesAt, formatAmount, formatSeconds } from '../../integration/harness/independent_fold.js';

const SOURCES = ['chain', 'api'];
const KINDS = ['linear', 'cliff_only', 'cliff_slope'];
const STATUSES = ['active', 'paused', 'completed', 'cancelled'];
const CONTRACT_ID_LENGTH = 56;

export const COLUMNS = `s.id, s.source, s.kind, s.status, s.archived, s.sender, s.recipient, s.token, s.deposit, s.rate_per_second,
  s.withdrawn, s.settled, s.start_time, s.cliff_time, s.end_time, s.cancelled_at, s.checkpoint_amount, s.checkpoint_at,
  s.created_at_ms, s.updated_at_ms, s.version, s.created_seq, s.ledger, s.tx_hash`;

const millis = (text) => new Date(Number(text)).toISOString();

/** SPEC section 2: what the balances are computed for. */
export function asOf(row) {
  const indexed = BigInt(row.closed_at ?? Math.floor(Date.now() / 1000));
  const changed = BigInt(row.updated_at_ms) / 1000n;
  return indexed > changed ? indexed : changed;
}

export function streamJson(row, now) {
  const stream = {
    kind: KINDS[row.kind],
    status: STATUSES[row.status],
    deposit: BigInt(row.deposit),
    rate: BigInt(row.rate_per_second),
    withdrawn: BigInt(row.withdrawn),
    settled: BigInt(row.settled),
    start: BigInt(row.start_time),
    cliff: BigInt(row.cliff_time),
    end: BigInt(row.end_time),
    cancelledAt: row.cancelled_at === null ? null : BigInt(row.cancelled_at),
    checkpointAmount: BigInt(row.checkpoint_amount),
    checkpointAt: BigInt(row.checkpoint_at),
  };
  const { streamed, withdrawable, remaining } = balancesAt(stream, now);
  return {
    id: row.id,
    source: SOURCES[row.source],
    sender: row.sender,
    recipient: row.recipient,
    token: row.token,
    depositAmount: formatAmount(stream.deposit),
    ratePerSecond: formatAmount(stream.rate),
    withdrawnAmount: formatAmount(stream.withdrawn),
    settledAmount: formatAmount(stream.settled),
    streamedAmount: formatAmount(streamed),
    withdrawableAmount: formatAmount(withdrawable),
    remainingAmount: formatAmount(remaining),
    asOf: formatSeconds(now),
    startTime: formatSeconds(stream.start),
    cliffTime: formatSeconds(stream.cliff),
    endTime: formatSeconds(stream.end),
    cancelledAt: stream.cancelledAt === null ? null : formatSeconds(stream.cancelledAt),
    checkpointedAmount: formatAmount(stream.checkpointAmount),
    checkpointedAt: formatSeconds(stream.checkpointAt),
    kind: stream.kind,
    status: stream.status === 'active' && now < stream.start ? 'scheduled' : stream.status,
    archived: row.archived,
    version: Number(row.version),
    createdAt: millis(row.created_at_ms),
    updatedAt: millis(row.updated_at_ms),
    ledger: row.ledger === null ? null : Number(row.ledger),
    txHash: row.tx_hash?.toString('hex') ?? null,
    contractId: SOURCES[row.source] === 'chain' ? row.id.slice(0, CONTRACT_ID_LENGTH) : null,
  };
}
