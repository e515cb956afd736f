import type { App } from '../app.js';
import { groupAmount, plainAmount } from '../text/amounts.js';
import { dateTime } from '../text/times.js';
import { h, setText } from '../ui/dom.js';
import type { CurveOfStream } from './curve_drawing.js';
import { CurvePlot } from './curve_plot.js';
import { GRID, gridX, gridY, timeAt } from './curve_points.js';
import type { Moment } from './terms_over_time.js';

const HEIGHT_PX = 300;
/** An arrow key goes so many of these along the curve, a page key ten times as far. */
const STRIDES = 200n;

const READINGS = ['streamed', 'withdrawable', 'paid'] as const;

/** A stream's accrual curve, and what it is exactly at any second of it. */
export class Curve {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #host = h('div', { class: 'plot' });
  readonly #line = h('span', { class: 'reading-line', hidden: true });
  readonly #dot = h('span', { class: 'reading-dot', hidden: true });
  readonly #slider: HTMLElement;
  readonly #when = h('span');
  readonly #at = h('dd');
  readonly #readings = Object.fromEntries(READINGS.map((name) => [name, h('dd', { 'data-reading': name })])) as
    Record<(typeof READINGS)[number], HTMLElement>;
  readonly #keyFuture = h('li', { class: 'key-future', text: 'to come' });
  readonly #keyPaid = h('li', { class: 'key-paid' });
  readonly #keyEarlier = h('li', { class: 'key-earlier', text: 'not known: at earlier terms' });
  readonly #keyPaused = h('li', { class: 'key-paused', text: 'paused' });
  readonly #plot: CurvePlot;
  #curve: CurveOfStream | null = null;
  #second = 0;
  /** The second that is read; null: the present one. */
  #picked: bigint | null = null;
  #drawnAt = -1;

  constructor(app: App) {
    this.#app = app;
    this.#slider = h('div', {
      class: 'reader', role: 'slider', tabindex: 0, 'aria-label': 'Time on the curve',
      on: {
        keydown: (event: KeyboardEvent) => this.#onKey(event),
        focus: () => this.#pick(this.#picked ?? BigInt(this.#second)),
        blur: () => this.#pick(null),
        pointermove: (event: PointerEvent) => this.#onPointer(event),
        pointerdown: (event: PointerEvent) => this.#onPointer(event),
        pointerleave: () => { if (document.activeElement !== this.#slider) this.#pick(null); },
      },
    }, this.#line, this.#dot);
    const pair = (name: HTMLElement | string, value: HTMLElement): HTMLElement =>
      h('div', {}, h('dt', {}, name), value);
    this.element = h('div', { class: 'curve' },
      this.#host,
      h('dl', { class: 'readings' },
        pair(this.#when, this.#at), pair('Streamed', this.#readings.streamed),
        pair('Withdrawable', this.#readings.withdrawable), pair('Paid out', this.#readings.paid)),
      h('ul', { class: 'keys' },
        h('li', { class: 'key-past', text: 'streamed' }),
        this.#keyFuture, this.#keyPaid, this.#keyEarlier, this.#keyPaused));
    this.#plot = new CurvePlot({ width: 320, height: HEIGHT_PX }, this.#host);
    this.#plot.plot.over.append(this.#slider);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width > 0) this.#plot.resize({ width, height: HEIGHT_PX });
      this.#showReading();
    }).observe(this.#host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.recolour());
  }

  /** Another stream, or other terms. The next `moveTo` draws it. */
  show(curve: CurveOfStream): void {
    if (curve.stream.id !== this.#curve?.stream.id) this.#picked = null;
    this.#curve = curve;
    this.#drawnAt = -1;
    const hasSettled = this.#app.core.amounts.parse(curve.stream.settledAmount) > 0n;
    setText(this.#keyPaid, hasSettled ? 'withdrawn and paid at the cancellation' : 'withdrawn');
    this.#keyFuture.hidden = !curve.isWhole;
    this.#keyEarlier.hidden = !curve.moments[0] || curve.moments[0].at <= curve.range.from;
    this.#slider.setAttribute('aria-valuemin', String(curve.range.from));
    this.#slider.setAttribute('aria-valuemax', String(curve.range.to));
  }

  /** The present second. */
  moveTo(second: number): void {
    this.#second = second;
    const curve = this.#curve;
    if (curve === null) return;
    const x = gridX(curve.range, BigInt(second));
    // Where a line would move by less than a pixel it may stay where it is.
    const { width } = this.#plot.plot.bbox;
    if (this.#drawnAt < 0 || Math.abs(x - this.#drawnAt) * width >= GRID) {
      const drawing = curve.drawing(BigInt(second));
      this.#keyPaused.hidden = drawing.bands.length === 0;
      this.#plot.draw(drawing);
      this.#drawnAt = x;
    }
    this.#showReading();
  }

  #pick(second: bigint | null): void {
    const curve = this.#curve;
    if (curve === null) return;
    const { from, to } = curve.range;
    this.#picked = second === null ? null : second < from ? from : second > to ? to : second;
    this.#showReading();
  }

  #onPointer(event: PointerEvent): void {
    const box = this.#slider.getBoundingClientRect();
    if (this.#curve === null || box.width === 0) return;
    this.#pick(timeAt(this.#curve.range, ((event.clientX - box.left) * GRID) / box.width));
  }

  #onKey(event: KeyboardEvent): void {
    const curve = this.#curve;
    if (curve === null || event.ctrlKey || event.altKey || event.metaKey) return;
    const { from, to } = curve.range;
    const stride = (to - from) / STRIDES || 1n;
    const step = event.shiftKey ? 1n : stride;
    const now = this.#picked ?? BigInt(this.#second);
    const aims: Record<string, bigint> = {
      ArrowRight: now + step, ArrowUp: now + step, ArrowLeft: now - step, ArrowDown: now - step,
      PageUp: now + stride * 10n, PageDown: now - stride * 10n, Home: from, End: to, Escape: BigInt(this.#second),
    };
    const aim = aims[event.key];
    if (aim === undefined) return;
    event.preventDefault();
    this.#pick(aim);
  }

  #showReading(): void {
    const curve = this.#curve;
    if (curve === null) return;
    const at = this.#picked ?? BigInt(this.#second);
    const moment = curve.at(at);
    const texts = this.#texts(curve, moment);
    const isAhead = at > BigInt(this.#second);
    setText(this.#when, this.#picked === null ? 'Now' : isAhead ? 'At, if nothing changes' : 'At');
    setText(this.#at, dateTime(String(at)));
    for (const name of READINGS) {
      setText(this.#readings[name], texts[name]);
      this.#readings[name].dataset.at = String(at);
    }
    const { from, to } = curve.range;
    this.#slider.setAttribute('aria-valuenow', String(at < from ? from : at > to ? to : at));
    const said = moment === null ? 'not known'
      : `${plainAmount(moment.balances.streamed)} streamed, ${texts.withdrawable} withdrawable`;
    this.#slider.setAttribute('aria-valuetext', `${dateTime(String(at))}: ${said}`);
    this.#placeMarker(curve, at, moment);
  }

  #texts(curve: CurveOfStream, moment: Moment | null): Record<(typeof READINGS)[number], string> {
    if (moment === null) return { streamed: 'not known', withdrawable: 'not known', paid: 'not known' };
    const { balances, span } = moment;
    const streamed = groupAmount(balances.streamed);
    if (!span.payoutsKnown) return { streamed, withdrawable: 'not known', paid: 'not known' };
    const paid = groupAmount(this.#app.core.amounts.format(curve.paidOut(span.stream)));
    return { streamed, withdrawable: groupAmount(balances.withdrawable), paid };
  }

  #placeMarker(curve: CurveOfStream, at: bigint, moment: Moment | null): void {
    this.#line.hidden = this.#picked === null;
    this.#dot.hidden = this.#picked === null || moment === null;
    if (this.#picked === null) return;
    const percent = (places: number): string => `${places / (GRID / 100)}%`;
    this.#line.style.left = percent(gridX(curve.range, at));
    this.#dot.style.left = this.#line.style.left;
    if (moment !== null) this.#dot.style.bottom = percent(gridY(moment.balances.streamedUnits, curve.top));
  }
}
