/** The points of a stream's accrual curve: the core's amounts at chosen seconds, placed on a grid by integers alone. */
import type { FluxoraCore } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { plainAmount } from '../text/amounts.js';
import { momentsAt, type Moment, type Span } from './terms_over_time.js';

/** The grid that a curve is drawn on, both ways. */
export const GRID = 1_000_000;
const STEPS = 120n;
/** Changes whose very second is on the curve; of more, the newest. */
const CHANGES_MAX = 300;
const CENTURY = 100n * 365n * 86_400n;

export interface TimeRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** From the start to the end; a stream without a real end is shown until its deposit is used up. */
export function curveRange(core: FluxoraCore, stream: Stream): TimeRange {
  const from = BigInt(stream.startTime);
  const end = BigInt(stream.endTime);
  if (end > from && end - from < CENTURY) return { from, to: end };
  const deposit = core.amounts.parse(stream.depositAmount);
  const rate = core.amounts.parse(stream.ratePerSecond);
  const seconds = rate > 0n && deposit > 0n ? core.amounts.divideUnits(deposit, rate, 'ceiling') : 1n;
  return { from, to: from + (seconds < CENTURY ? seconds : CENTURY) };
}

/** A time's place from left to right, 0..GRID. */
export function gridX({ from, to }: TimeRange, time: bigint): number {
  const inside = time < from ? from : time > to ? to : time;
  return Number(((inside - from) * BigInt(GRID)) / (to - from));
}

/** The second at a place from left to right. */
export function timeAt({ from, to }: TimeRange, x: number): bigint {
  return from + ((to - from) * BigInt(Math.round(Math.min(Math.max(x, 0), GRID)))) / BigInt(GRID);
}

/** An amount's place from bottom to top, 0..GRID. */
export function gridY(units: bigint, top: bigint): number {
  if (top <= 0n || units <= 0n) return 0;
  return Number(((units > top ? top : units) * BigInt(GRID)) / top);
}

/** The seconds that a curve is drawn through: evenly spaced ones, and those where it bends or jumps. */
function seconds(spans: readonly Span[], { from, to }: TimeRange): bigint[] {
  const times = new Set<bigint>();
  for (let step = 0n; step <= STEPS; step += 1n) times.add(from + ((to - from) * step) / STEPS);
  const bends = spans.slice(-CHANGES_MAX).flatMap((span) => [span.from - 1n, span.from]);
  const { cliffTime, cancelledAt } = spans.at(-1)!.stream;
  bends.push(BigInt(cliffTime) - 1n, BigInt(cliffTime));
  if (cancelledAt !== null) bends.push(BigInt(cancelledAt));
  for (const time of bends) if (time >= from && time <= to) times.add(time);
  return [...times].sort((a, b) => (a < b ? -1 : 1));
}

/** The moments that a stream's curve is drawn through. */
export function curveMoments(core: FluxoraCore, spans: readonly Span[], range: TimeRange): Moment[] {
  return momentsAt(core, spans, seconds(spans, range));
}

/** What a curve is drawn from: places on the grid, from left to right, and null where a line isn't. */
export interface CurveLines {
  x: number[];
  past: (number | null)[];
  future: (number | null)[];
  paid: (number | null)[];
  /** From nothing at the start to where knowledge begins: what lies between isn't known. */
  earlier: (number | null)[];
}

/** The paper's edges: when it begins and ends, and the amount, in base units, at its top. */
export interface Frame {
  readonly range: TimeRange;
  readonly top: bigint;
}

/** The moments up to now as the past, those behind it as the future; `now` belongs to both. */
export function curveLines(
  core: FluxoraCore, moments: readonly Moment[], { range, top }: Frame, now: Moment | null,
): CurveLines {
  const lines: CurveLines = { x: [], past: [], future: [], paid: [], earlier: [] };
  const second = now?.at ?? 0n;
  const add = ({ at, span, balances }: Moment): void => {
    const y = gridY(balances.streamedUnits, top);
    lines.x.push(gridX(range, at));
    lines.past.push(at <= second ? y : null);
    lines.future.push(at >= second ? y : null);
    lines.paid.push(at <= second && span.payoutsKnown ? gridY(paidOut(core, span.stream), top) : null);
    lines.earlier.push(null);
  };
  const isInside = now !== null && now.at >= range.from && now.at <= range.to;
  const drawn = isInside ? [...moments.filter(({ at }) => at !== now.at), now] : [...moments];
  drawn.sort((a, b) => (a.at < b.at ? -1 : 1)).forEach(add);
  if (drawn.length > 0 && drawn[0]!.at > range.from) {
    const first = lines.past[0] ?? lines.future[0] ?? null;
    for (const line of [lines.past, lines.future, lines.paid]) line.unshift(null);
    lines.x.unshift(0);
    lines.earlier.unshift(0);
    lines.earlier[1] = first;
  }
  return lines;
}

/** What has left the stream: withdrawn, or paid at a keeper's cancellation. */
export function paidOut(core: FluxoraCore, stream: Stream): bigint {
  return core.amounts.add(core.amounts.parse(stream.withdrawnAmount), core.amounts.parse(stream.settledAmount));
}

/** Round amounts up to the one at the top, at most five and zero, for the axis. In base units. */
export function axisAmounts(top: bigint): bigint[] {
  if (top <= 0n) return [0n];
  let power = 1n;
  while (power * 50n < top) power *= 10n;
  const step = [power, power * 2n, power * 5n, power * 10n].find((size) => top / size <= 5n)!;
  const amounts: bigint[] = [];
  for (let amount = 0n; amount <= top; amount += step) amounts.push(amount);
  return amounts;
}

const SUFFIXES: readonly [exponent: number, suffix: string][] = [[12, ' tn'], [9, ' bn'], [6, ' M']];

/** A round amount in little room, exact: "2.5", "40,000", "1.5 M", "2×10^24". Takes the core's decimal text. */
export function shortAmount(decimal: string): string {
  const plain = decimal.replace(/\.?0+$/, '');
  if (plain.length < 7 || plain.includes('.')) return plainAmount(decimal);
  const digits = plain.replace(/0+$/, '');
  const mantissa = (behind: number): string => {
    const padded = digits.padEnd(plain.length - behind, '0');
    const fraction = padded.slice(plain.length - behind);
    return `${padded.slice(0, plain.length - behind)}${fraction === '' ? '' : `.${fraction}`}`;
  };
  if (plain.length > 15) return `${mantissa(plain.length - 1)}×10^${plain.length - 1}`;
  const [exponent, suffix] = SUFFIXES.find(([size]) => plain.length > size)!;
  return `${mantissa(exponent)}${suffix}`;
}
