import type { App } from '../app.js';
import { between } from '../live/stream_book.js';
import { shortAddress } from '../text/addresses.js';
import { splitAmount } from '../text/amounts.js';
import { countText, streamsText } from '../text/counts.js';
import { timeOfDay } from '../text/times.js';
import { h, setText } from '../ui/dom.js';
import { TickingAmount } from '../ui/ticking_amount.js';
import { StatusCounts } from './status_counts.js';
import type { Change, Item } from './stream_order.js';
import { TokenGroups, type TokenGroup } from './token_totals.js';

/** Tokens whose totals are shown beside the first one's. */
const OTHERS_MAX = 4;
const LARGEST = (1n << 127n) - 1n;
const TOO_LARGE = 'more than an amount can hold';

function tokenText(token: string | null): string {
  return token === null ? 'a token not known yet' : `token ${shortAddress(token)}`;
}

/** What all streams have streamed together, by token. */
export class TotalsView {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #figure = new TickingAmount('total');
  readonly #token = h('span', { class: 'total-token' });
  readonly #deposits = h('span');
  readonly #time = h('span');
  readonly #places: Record<string, HTMLElement> = {};
  readonly #lines = Array.from({ length: OTHERS_MAX }, () => {
    const label = h('span', { class: 'note' });
    const figure = new TickingAmount('token-total');
    return { element: h('li', {}, label, figure.element), label, figure };
  });
  readonly #more = h('li', { class: 'note' });
  readonly #others = h('ul', { class: 'other-totals', 'aria-label': 'Other tokens' },
    ...this.#lines.map(({ element }) => element), this.#more);
  readonly #figures = [this.#figure, ...this.#lines.map(({ figure }) => figure)];
  readonly #byToken = new TokenGroups();
  readonly #counts = new StatusCounts();
  #groups: TokenGroup[] = [];
  /** The sums at the second, and at the one after it. */
  #now: bigint[] = [];
  #next: bigint[] = [];
  #second = -1;
  /** The book's, when they were made. */
  #revision = -1;

  constructor(app: App) {
    this.#app = app;
    this.element = h('section', { class: 'totals', 'aria-label': 'Totals' },
      h('div', { class: 'total' },
        h('p', { class: 'total-label' }, 'Streamed so far', this.#token),
        h('p', { class: 'total-figure' }, this.#figure.element),
        h('p', { class: 'total-note' }, this.#deposits, this.#time)),
      h('dl', { class: 'counts' }, ...['active', 'scheduled', 'paused', 'finished'].map((name) => {
        const count = this.#places[name] = h('dd', { 'data-count': name, text: '—' });
        return h('div', {}, h('dt', { text: name }), count);
      })),
      this.#others);
  }

  /** The streams are others, or have other places. */
  take(items: readonly Item[], second: number): void {
    this.#byToken.take(items);
    this.#counts.take(items, second);
    this.#showGroups();
  }

  /** Some streams are new, or have other terms; all others are where they were. */
  change(changes: readonly Change[], items: readonly Item[]): void {
    if (!this.#byToken.change(changes)) this.#byToken.take(items);
    this.#counts.change(changes);
    this.#showGroups();
  }

  /** The exact sums at a second. */
  turn(second: number): void {
    const { streams, core: { amounts } } = this.#app;
    const shown = this.#groups.slice(0, this.#figures.length);
    // A second ago the next second was this one.
    const isNext = this.#revision === streams.revision && second === this.#second + 1;
    this.#now = isNext ? this.#next : shown.map(({ rows }) => streams.sum(rows, 'streamed'));
    this.#next = shown.map(({ rows }) => streams.sumNext(rows, 'streamed'));
    this.#second = second;
    this.#revision = streams.revision;
    this.#figures.forEach((figure, i) => {
      const [now, next] = [this.#now[i], this.#next[i]];
      if (now === undefined || next === undefined) figure.clear();
      else if (next > LARGEST) figure.clear(TOO_LARGE);
      else figure.turn(amounts.format(now), amounts.format(next), second);
    });
    this.#counts.turn(second);
    const { completed, cancelled, ...counts } = this.#counts.counts;
    for (const [name, count] of Object.entries({ ...counts, finished: completed + cancelled })) {
      setText(this.#places[name]!, countText(count));
    }
    setText(this.#time, `, exact at ${timeOfDay(second)} UTC`);
  }

  move(milliseconds: number): void {
    this.#figures.forEach((figure, i) => {
      if (figure.rests) return;
      figure.move(this.#app.core.amounts.format(between(this.#now[i]!, this.#next[i]!, milliseconds)));
    });
  }

  #showGroups(): void {
    this.#groups = this.#byToken.all;
    this.#revision = -1;
    const [first, ...others] = this.#groups;
    setText(this.#token, first === undefined ? '' : ` in ${tokenText(first.token)}`);
    this.#token.title = first?.token ?? '';
    setText(this.#deposits, first === undefined ? ''
      : `of ${this.#wholeText(first.deposits)} deposited in ${streamsText(first.rows.length)}`);
    const shown = others.slice(0, OTHERS_MAX);
    const more = others.length - shown.length;
    this.#others.hidden = shown.length === 0;
    this.#more.hidden = more === 0;
    setText(this.#more, `and ${countText(more)} more`);
    this.#lines.forEach(({ element }, i) => { element.hidden = i >= shown.length; });
    shown.forEach(({ token, rows }, i) => {
      const { label } = this.#lines[i]!;
      setText(label, `${tokenText(token)}, ${streamsText(rows.length)}`);
      label.title = token ?? '';
    });
  }

  /** Without what is past two decimals. */
  #wholeText(units: bigint): string {
    return units > LARGEST ? TOO_LARGE : splitAmount(this.#app.core.amounts.format(units))[0];
  }
}
