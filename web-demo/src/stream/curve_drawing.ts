/** A stream's curve in places on the grid and in texts, ready to be drawn. */
import type { FluxoraCore } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { plainAmount } from '../text/amounts.js';
import { statusAt } from '../text/streams.js';
import { axisTime, secondsOf } from '../text/times.js';
import type { Drawing, Mark } from './curve_plot.js';
import {
  GRID, axisAmounts, curveLines, curveMoments, curveRange, gridX, gridY, paidOut, shortAmount, timeAt, type TimeRange,
} from './curve_points.js';
import { momentsAt, pauses, type Moment, type Span } from './terms_over_time.js';

/** One stream's curve: what of it doesn't move with time is computed once. */
export class CurveOfStream {
  readonly stream: Stream;
  readonly spans: readonly Span[];
  /** From its start to its end; otherwise from its start to now. */
  readonly isWhole: boolean;
  readonly range: TimeRange;
  readonly moments: readonly Moment[];
  /** The amount at the paper's top. */
  readonly top: bigint;
  readonly #core: FluxoraCore;
  readonly #amounts: Drawing['amounts'];

  /** @param until where the paper ends, with what has been streamed by then at its top; null: the whole stream */
  constructor(core: FluxoraCore, stream: Stream, spans: readonly Span[], until: bigint | null = null) {
    this.#core = core;
    this.stream = stream;
    this.spans = spans;
    this.isWhole = until === null;
    const whole = curveRange(core, stream);
    this.range = until === null ? whole : { from: whole.from, to: until };
    this.moments = curveMoments(core, spans, this.range);
    this.top = until === null ? core.amounts.parse(stream.depositAmount) : this.at(until)?.balances.streamedUnits ?? 0n;
    const amounts = axisAmounts(this.top);
    const texts = core.amounts.formatAll(amounts);
    this.#amounts = amounts.map((units, index) => ({ at: gridY(units, this.top), text: shortAmount(texts[index]!) }));
  }

  /** What is known of a second; null for nothing. */
  at(second: bigint): Moment | null {
    return momentsAt(this.#core, this.spans, [second])[0] ?? null;
  }

  /** What has left the stream under those terms: withdrawn, or paid at a keeper's cancellation. In base units. */
  paidOut(stream: Stream): bigint {
    return paidOut(this.#core, stream);
  }

  drawing(second: bigint): Drawing {
    const now = this.at(second);
    const isInside = second >= this.range.from && second <= this.range.to;
    return {
      lines: curveLines(this.#core, this.moments, this, now),
      marks: this.#marks(isInside ? second : null),
      now: isInside && now !== null
        ? { x: gridX(this.range, second), y: gridY(now.balances.streamedUnits, this.top) } : null,
      bands: pauses(this.spans).map(({ from, to }) =>
        ({ from: gridX(this.range, from), to: gridX(this.range, to ?? second) })),
      amounts: this.#amounts,
      times: (count) => this.#times(count),
      topText: this.isWhole ? `Deposit ${plainAmount(this.stream.depositAmount)}` : '',
    };
  }

  /** The moments that the curve is drawn through, oldest first, under a row of names. Times are unix seconds. */
  * csvRows(): Generator<string[]> {
    yield ['time', 'status', 'streamed', 'withdrawable', 'paid_out'];
    const paid = this.#core.amounts.formatAll(this.moments.map(({ span }) => this.paidOut(span.stream)));
    for (const [index, { at, span, balances }] of this.moments.entries()) {
      const { streamed, withdrawable } = balances;
      const known = span.payoutsKnown ? [withdrawable, paid[index]!] : ['', ''];
      yield [String(at), statusAt(span.stream, secondsOf(String(at))), streamed, ...known];
    }
  }

  #times(count: number): { at: number; text: string }[] {
    const span = secondsOf(String(this.range.to - this.range.from));
    return Array.from({ length: count + 1 }, (_, index) => {
      const at = Math.round((GRID * index) / count);
      return { at, text: axisTime(String(timeAt(this.range, at)), span) };
    });
  }

  #marks(now: bigint | null): Mark[] {
    const { cliffTime, startTime, cancelledAt, checkpointedAt } = this.stream;
    const { from, to } = this.range;
    const marks: Mark[] = [];
    const add = (time: bigint, text: string, look: Mark['look'] = 'plain'): void => {
      if (time >= from && time <= to) marks.push({ x: gridX(this.range, time), text, look });
    };
    if (BigInt(cliffTime) > BigInt(startTime)) add(BigInt(cliffTime), 'Cliff');
    if (BigInt(checkpointedAt) > from) add(BigInt(checkpointedAt), 'Checkpoint');
    for (const pause of pauses(this.spans).slice(-3)) add(pause.from, 'Paused');
    if (cancelledAt !== null) add(BigInt(cancelledAt), 'Cancelled');
    if (now !== null) add(now, 'Now', 'now');
    return marks;
  }
}
