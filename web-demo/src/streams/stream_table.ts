import type { App } from '../app.js';
import type { Moving } from '../live/stream_book.js';
import { byId, h } from '../ui/dom.js';
import { COLUMNS } from './columns.js';
import { rowByKey, rowsInSight, rowsMax, topShowing, withSpare, type Rows } from './row_window.js';
import type { SortName, StreamOrder } from './stream_order.js';
import { StreamRow } from './stream_row.js';

/** Rows that are kept beyond either edge, so that scrolling finds them drawn. */
const SPARE_ROWS = 6;
const MOVING: readonly Moving[] = ['streamed', 'withdrawable'];

/**
 * The table of streams: as many rows as there are streams, of which those in sight are in the page. One of them is in
 * the tab order; the arrows, page and end keys lead to the others, in the page or not.
 */
export class StreamTable {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #order: StreamOrder;
  readonly #scroller = h('div', { class: 'scroller' });
  readonly #head: HTMLElement;
  readonly #body = h('div', { class: 'rows', role: 'rowgroup' });
  /** As high as a row, for whatever height the styles give it. */
  readonly #sample = h('div', { class: 'row sample', 'aria-hidden': true });
  readonly #rows = new Map<string, StreamRow>();
  #rowHeight = 1;
  #viewHeight = 0;
  #inSight: Rows = { first: 0, end: 0 };
  /** The stream whose row has, or had last, the focus. */
  #active: string | null = null;
  /** The stream under the mouse. */
  #hovered: string | null = null;
  #top = 0;
  /** Whether the order's rows are those of the book's balances. */
  #isCurrent = false;

  /** @param onSort a header was pressed */
  constructor(app: App, order: StreamOrder, onSort: (by: SortName) => void) {
    this.#app = app;
    this.#order = order;
    const headers = COLUMNS.map(({ name, label, sort }) => h('div', {
      class: `cell ${name}`, role: 'columnheader', 'data-sort': sort?.by,
    }, sort === undefined ? label : h('button', { type: 'button', text: label, on: { click: () => onSort(sort.by) } })));
    this.#head = h('div', { class: 'heads', role: 'rowgroup' },
      h('div', { class: 'row', role: 'row', 'aria-rowindex': 1 }, ...headers));
    this.#scroller.append(this.#head, this.#sample, this.#body);
    this.element = h('div', {
      class: 'stream-table', role: 'table', 'aria-label': 'Streams', 'aria-colcount': COLUMNS.length,
    }, this.#scroller);

    this.#scroller.addEventListener('scroll', () => {
      this.#top = this.#scroller.scrollTop;
      this.#draw();
    }, { passive: true });
    this.#body.addEventListener('keydown', (event) => this.#followKey(event));
    this.#body.addEventListener('focusin', ({ target }) => {
      this.#active = rowId(target);
      this.#setTabStop();
    });
    this.#body.addEventListener('pointerover', ({ target, pointerType }) => {
      this.#hovered = pointerType === 'mouse' ? rowId(target) : null;
    });
    this.#body.addEventListener('pointerleave', () => { this.#hovered = null; });
    new ResizeObserver(() => this.#measure()).observe(this.#scroller);
    this.#showSorting();
  }

  /** How many of the streams that are wanted have a row. */
  get count(): number {
    return Math.min(this.#order.wanted.length, rowsMax(this.#rowHeight));
  }

  /** Leaves the page. The order that it has isn't the book's any more when it comes back. */
  leave(): void {
    this.#isCurrent = false;
  }

  /** Comes into the page again: where it was, with the focus on the stream that was left for. */
  restore(focused: string | null): void {
    this.#scroller.scrollTop = this.#top;
    this.#measure();
    if (focused !== null && this.#order.indexOf(focused) >= 0) this.#focus(this.#order.indexOf(focused));
  }

  /** Shows an order that somebody has chosen: from its beginning. */
  showOrder(): void {
    this.#isCurrent = true;
    this.#active = null;
    this.#hovered = null;
    this.#showSorting();
    this.#resize();
    this.#scrollTo(0);
    this.#draw();
  }

  /** Takes an order that time has brought: the row under the mouse, or the focus, stays where it is. */
  retake(take: () => void): void {
    const anchor = this.#anchor();
    const offset = anchor === null ? 0 : this.#order.indexOf(anchor) * this.#rowHeight - this.#top;
    take();
    this.#isCurrent = true;
    this.#resize();
    const index = anchor === null ? -1 : this.#order.indexOf(anchor);
    if (index >= 0) this.#scrollTo(index * this.#rowHeight - offset);
    this.#draw();
  }

  /** The second is a new one, or streams have new terms: the exact amounts of the rows. */
  turn(second: number): void {
    this.#turnRows([...this.#rows.values()], second);
  }

  /** Moves the amounts of the rows in sight. */
  move(milliseconds: number): void {
    const places: StreamRow['moving'][Moving][] = [];
    const units: bigint[] = [];
    for (let index = this.#inSight.first; index < this.#inSight.end; index += 1) {
      const row = this.#rows.get(this.#order.wanted[index]!.id);
      if (row === undefined) continue;
      for (const name of MOVING) {
        if (row.moving[name].rests) continue;
        places.push(row.moving[name]);
        units.push(this.#app.streams.moving(row.item.row, name, milliseconds));
      }
    }
    this.#app.core.amounts.formatAll(units).forEach((text, i) => places[i]!.move(text));
  }

  #turnRows(rows: readonly StreamRow[], second: number): void {
    const { streams, core } = this.#app;
    const units = rows.flatMap(({ item: { row } }) =>
      MOVING.flatMap((name) => [streams.exact(row, name), streams.exactNext(row, name)]));
    const texts = core.amounts.formatAll(units);
    rows.forEach((row, i) => {
      row.showStatus(second);
      MOVING.forEach((name, j) => {
        const at = 2 * (MOVING.length * i + j);
        row.moving[name].turn(texts[at]!, texts[at + 1]!, second);
      });
    });
  }

  #showSorting(): void {
    const { by, descending } = this.#order.sorting;
    for (const header of this.#head.querySelectorAll<HTMLElement>('[data-sort]')) {
      const isSorted = header.dataset.sort === by;
      header.setAttribute('aria-sort', isSorted ? (descending ? 'descending' : 'ascending') : 'none');
    }
  }

  #measure(): void {
    const { height } = this.#sample.getBoundingClientRect();
    // Out of the page nothing has a height.
    if (height === 0) return;
    const first = this.#top / this.#rowHeight;
    const isOther = height !== this.#rowHeight;
    this.#rowHeight = height;
    this.#viewHeight = this.#scroller.clientHeight - this.#head.getBoundingClientRect().height;
    this.#resize();
    if (isOther) this.#scrollTo(first * height);
    this.#draw();
  }

  #resize(): void {
    this.element.setAttribute('aria-rowcount', String(this.#order.wanted.length + 1));
    this.#body.style.height = `${this.count * this.#rowHeight}px`;
  }

  #scrollTo(top: number): void {
    this.#scroller.scrollTop = top;
    this.#top = this.#scroller.scrollTop;
  }

  /** The stream whose row shouldn't move: in sight, and looked at. */
  #anchor(): string | null {
    const inSight = this.#order.wanted.slice(this.#inSight.first, this.#inSight.end).map(({ id }) => id);
    const focused = this.#hasFocus ? this.#active : null;
    const lookedAt = [focused, this.#hovered].find((id) => id !== null && inSight.includes(id));
    return lookedAt ?? (this.#top > 0 ? inSight[0] ?? null : null);
  }

  get #hasFocus(): boolean {
    return this.#body.contains(document.activeElement);
  }

  /** Puts rows where the list is looked at; what has the focus keeps its row wherever that is. */
  #draw(): void {
    const count = this.count;
    this.#inSight = rowsInSight(this.#top, this.#viewHeight, this.#rowHeight, count);
    const { first, end } = withSpare(this.#inSight, SPARE_ROWS, count);
    const indexes = Array.from({ length: end - first }, (_, i) => first + i);
    const hadFocus = this.#hasFocus ? document.activeElement : null;
    const focused = hadFocus !== null && this.#active !== null ? this.#order.indexOf(this.#active) : -1;
    if (focused >= 0 && focused < count) {
      if (focused < first) indexes.unshift(focused);
      else if (focused >= end) indexes.push(focused);
    }
    this.#assign(indexes);
    this.#setTabStop();
    if (hadFocus === null || (focused >= 0 && hadFocus === document.activeElement)) return;
    // A row that had to change its place among the others has lost it; one whose stream has gone leaves it to the first.
    const heir = focused >= 0 ? this.#active : this.#order.wanted[this.#inSight.first]?.id;
    (this.#rows.get(heir ?? '')?.link ?? byId('main')).focus({ preventScroll: true });
  }

  /** Makes the rows those of these places, in their order. A stream that has a row keeps it. */
  #assign(indexes: readonly number[]): void {
    const items = indexes.map((index) => this.#order.wanted[index]!);
    const wanted = new Set(items.map(({ id }) => id));
    const free: StreamRow[] = [];
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      this.#rows.delete(id);
      free.push(row);
    }
    const added: StreamRow[] = [];
    const isFree = new Set<Element | null>(free.map(({ element }) => element));
    const pastFree = (place: Element | null) => {
      let next = place;
      while (isFree.has(next)) next = next!.nextElementSibling;
      return next;
    };
    let place = pastFree(this.#body.firstElementChild);
    items.forEach((item, i) => {
      let row = this.#rows.get(item.id);
      if (row === undefined) {
        row = free.pop() ?? new StreamRow(item);
        this.#rows.set(item.id, row);
        added.push(row);
      }
      row.show(item, indexes[i]!, this.#rowHeight);
      if (row.element === place) place = pastFree(place.nextElementSibling);
      else this.#body.insertBefore(row.element, place);
    });
    for (const row of free) row.element.remove();
    const { second } = this.#app.streams;
    if (second !== null && this.#isCurrent) this.#turnRows(added, second);
  }

  /** One row is in the page's tab order: the active one where it is in the page, else the first in sight. */
  #setTabStop(): void {
    const stop = this.#active !== null && this.#rows.has(this.#active)
      ? this.#active : this.#order.wanted[this.#inSight.first]?.id;
    for (const [id, { link }] of this.#rows) {
      const tabIndex = id === stop ? 0 : -1;
      if (link.tabIndex !== tabIndex) link.tabIndex = tabIndex;
    }
  }

  #followKey(event: KeyboardEvent): void {
    const id = rowId(event.target);
    if (id === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.#viewHeight / this.#rowHeight) - 1);
    const index = rowByKey(event.key, this.#order.indexOf(id), this.count, page);
    if (index === undefined) return;
    event.preventDefault();
    this.#focus(index);
  }

  #focus(index: number): void {
    this.#scrollTo(topShowing(index, this.#top, this.#viewHeight, this.#rowHeight));
    this.#draw();
    this.#rows.get(this.#order.wanted[index]!.id)?.link.focus({ preventScroll: true });
  }
}

/** The stream of the row that something belongs to. */
function rowId(target: EventTarget | null): string | null {
  return (target as Element | null)?.closest<HTMLElement>('[data-id]')?.dataset.id ?? null;
}
