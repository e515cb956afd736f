/** The points of a stream's accrual curve: the core's amounts at chosen seconds, placed on a grid by integers alone. */

const STEPS = 96n;
/** The grid that a curve is drawn on, both ways. */
export const GRID = 10_000;

const CENTURY = 100n * 365n * 86_400n;

/** From the start to the end; a stream without a real end is shown until its deposit is used up. */
export function curveRange(core, stream) {
  const from = BigInt(stream.startTime);
  const end = BigInt(stream.endTime);
  if (end > from && end - from < CENTURY) return { from, to: end };
  const deposit = core.amounts.parse(stream.depositAmount);
  const rate = core.amounts.parse(stream.ratePerSecond);
  const seconds = rate > 0n && deposit > 0n ? core.amounts.divideUnits(deposit, rate, 'ceiling') : 1n;
  return { from, to: from + (seconds < CENTURY ? seconds : CENTURY) };
}

/** A time's place from left to right, 0..GRID. */
export function gridX({ from, to }, time) {
  const inside = time < from ? from : time > to ? to : time;
  return Number(((inside - from) * BigInt(GRID)) / (to - from));
}

/** An amount's place from top to bottom, 0..GRID: the whole deposit is at the top. */
export function gridY(units, deposit) {
  if (deposit <= 0n) return GRID;
  const inside = units < 0n ? 0n : units > deposit ? deposit : units;
  return GRID - Number((inside * BigInt(GRID)) / deposit);
}

/**
 * The curve's points, and the place of its checkpoint where there is one after the start. What was streamed before a
 * checkpoint came at earlier rates, which the stream's present terms don't have: no point lies there.
 */
export function curvePoints(core, stream, range) {
  const { from, to } = range;
  const checkpoint = BigInt(stream.checkpointedAt);
  const first = checkpoint > from && checkpoint < to ? checkpoint : from;
  const times = new Set();
  for (let step = 0n; step <= STEPS; step += 1n) times.add(first + ((to - first) * step) / STEPS);
  // Where the curve bends or jumps, to the second.
  const cliff = BigInt(stream.cliffTime);
  const bends = [cliff - 1n, cliff];
  if (stream.cancelledAt !== null && stream.cancelledAt !== undefined) bends.push(BigInt(stream.cancelledAt));
  for (const time of bends) if (time >= first && time <= to) times.add(time);
  const sorted = [...times].sort((a, b) => (a < b ? -1 : 1));
  const deposit = core.amounts.parse(stream.depositAmount);
  // A completed stream counts as wholly streamed at any time; its curve is that of its terms.
  const terms = stream.status === 'completed' ? { ...stream, status: 'active' } : stream;
  const points = core.balancesOver(terms, sorted).map(({ at, streamedUnits }) => ({
    x: gridX(range, at),
    y: gridY(streamedUnits, deposit),
  }));
  return { points, checkpointed: first !== from };
}
