import type { App } from '../app.js';
import { ITEMS_MAX, type LoggedItem } from '../live/feed_log.js';
import { EVENT_TITLES } from '../text/entries.js';
import { h, setText } from '../ui/dom.js';
import { brokenCursors } from './broken_cursors.js';
import { isWanted } from './entry_filter.js';
import { createRow, type Row } from './entry_row.js';

/** More rows that come at once are no news that the eye could follow. */
const FRESH_MAX = 30;

/**
 * The log, newest first. New rows come in at the top, unless somebody reads: with the pointer or the focus in the list,
 * or further down. Then they wait behind a button, and only what is known of the rows that are shown is drawn.
 */
export class EntryList {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #rows = new Map<string, Row>();
  readonly #event: HTMLSelectElement;
  readonly #stream: HTMLInputElement;
  readonly #pause: HTMLButtonElement;
  readonly #news: HTMLButtonElement;
  readonly #count = h('span', { class: 'count', 'data-shown': '' });
  readonly #list: HTMLOListElement;
  /** The list and the button above it: who goes to the button still reads. */
  readonly #window: HTMLElement;
  readonly #nothing = h('div', { class: 'feed-nothing' });
  /** What the list is drawn from, oldest first, and the keys of that. */
  #items: readonly LoggedItem[] = [];
  #keys = new Set<string>();
  /** The row that Tab gets to. */
  #current: Row | null = null;
  #isPaused = false;
  #isHovered = false;
  #isDrawn = false;

  constructor(app: App) {
    this.#app = app;
    const redraw = () => this.draw();
    this.#event = h('select', { on: { change: redraw } }, h('option', { value: '', text: 'All events' }),
      ...[...EVENT_TITLES].map(([name, title]) => h('option', { value: name, text: title })));
    this.#stream = h('input', {
      type: 'search', placeholder: 'Stream or address', autocomplete: 'off', spellcheck: 'false', on: { input: redraw },
    });
    this.#pause = h('button', {
      type: 'button', class: 'action', 'aria-pressed': false, text: 'Pause the list',
      on: { click: () => this.#pauseOrNot() },
    });
    this.#news = h('button', {
      type: 'button', class: 'action primary feed-news', hidden: true, on: { click: (event) => this.#showNews(event) },
    });
    this.#list = this.#createList();
    this.#window = this.#createWindow();
    this.element = h('section', { class: 'card feed-log' },
      h('div', { class: 'section-head' },
        h('h3', { text: 'Log' }), this.#count, h('span', { class: 'push' }),
        h('label', {}, h('span', { class: 'visually-hidden', text: 'Event' }), this.#event),
        h('label', {}, h('span', { class: 'visually-hidden', text: 'Stream or address' }), this.#stream),
        this.#pause),
      this.#window, this.#nothing,
      h('p', { class: 'how', text: `The newest ${ITEMS_MAX} are kept. Rows stand still while the pointer or the focus is among them; up and down move between rows, Enter opens one.` }));
  }

  draw(): void {
    const { log } = this.#app.feed;
    const newest = log.items;
    if (!this.#isHeld()) this.#take(newest);
    const filter = { event: this.#event.value, stream: this.#stream.value };
    const wanted = this.#items.filter((item) => isWanted(item, filter)).reverse();
    this.#reconcile(wanted);
    const waiting = newest.filter((item) => !this.#keys.has(item.key) && isWanted(item, filter)).length;
    this.#news.hidden = waiting === 0;
    setText(this.#news, `${waiting.toLocaleString('en')} new`);
    setText(this.#count, wanted.length === newest.length ? `${newest.length}` : `${wanted.length} of ${newest.length}`);
    this.#drawNothing(wanted);
    this.#isDrawn = true;
  }

  hide(): void {
    this.#isHovered = false;
    this.#isDrawn = false;
  }

  #createList(): HTMLOListElement {
    const list = h('ol', { class: 'feed-list', reversed: true, 'aria-label': 'Log, newest first' });
    list.addEventListener('focusin', ({ target }) => {
      const row = this.#rowOf(target as Element);
      if (row !== undefined) this.#makeCurrent(row);
    });
    list.addEventListener('scroll', () => { if (list.scrollTop === 0) this.draw(); }, { passive: true });
    list.addEventListener('keydown', (event) => this.#move(event));
    return list;
  }

  #createWindow(): HTMLElement {
    const window = h('div', { class: 'feed-window' }, this.#news, this.#list);
    // A list that comes to lie under a pointer isn't read yet.
    window.addEventListener('pointermove', ({ pointerType }) => { this.#isHovered = pointerType === 'mouse'; });
    window.addEventListener('pointerleave', () => {
      this.#isHovered = false;
      this.draw();
    });
    window.addEventListener('focusout', ({ relatedTarget }) => {
      if (!window.contains(relatedTarget as Node | null)) requestAnimationFrame(() => this.draw());
    });
    return window;
  }

  /** Somebody reads. */
  #isHeld(): boolean {
    if (this.#isPaused) return true;
    return this.#isDrawn
      && (this.#isHovered || this.#list.scrollTop > 0 || this.#window.contains(document.activeElement));
  }

  #take(items: readonly LoggedItem[]): void {
    this.#items = items;
    this.#keys = new Set(items.map(({ key }) => key));
  }

  #pauseOrNot(): void {
    this.#isPaused = !this.#isPaused;
    this.#pause.setAttribute('aria-pressed', String(this.#isPaused));
    this.draw();
  }

  /** The button goes: who pressed it by keyboard is at the first new row then. */
  #showNews({ detail }: MouseEvent): void {
    this.#take(this.#app.feed.log.items);
    this.#list.scrollTop = 0;
    this.draw();
    if (detail === 0) this.#rowOf(this.#list.firstElementChild)?.focus.focus({ preventScroll: true });
  }

  /** Rows that stay are left where they are: what has the focus keeps it. */
  #reconcile(wanted: readonly LoggedItem[]): void {
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
      if (row === this.#current) this.#current = null;
    }
    const isNews = this.#isDrawn && wanted.length - this.#rows.size <= FRESH_MAX;
    let next = this.#list.firstElementChild;
    for (const item of wanted) {
      const row = this.#rows.get(item.key) ?? this.#create(item, isNews);
      row.draw();
      if (row.element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(row.element, next);
    }
    const first = this.#rowOf(this.#list.firstElementChild);
    if (this.#current === null || !this.#list.contains(document.activeElement)) {
      if (first !== undefined) this.#makeCurrent(first);
    } else this.#makeCurrent(this.#current);
  }

  #create(item: LoggedItem, isNews: boolean): Row {
    const row = createRow(item, this.#app.announce, (key, seq) => this.#visit(key, seq));
    row.element.dataset.key = item.key;
    row.element.classList.toggle('fresh', isNews);
    this.#rows.set(item.key, row);
    return row;
  }

  #rowOf(element: Element | null): Row | undefined {
    const key = element?.closest<HTMLElement>('.entry')?.dataset.key;
    return key === undefined ? undefined : this.#rows.get(key);
  }

  #makeCurrent(row: Row): void {
    if (this.#current !== null && this.#current !== row) this.#setStops(this.#current, '-1');
    this.#setStops(row, '0');
    this.#current = row;
  }

  #setStops(row: Row, tabIndex: string): void {
    for (const stop of row.element.querySelectorAll('[tabindex]')) stop.setAttribute('tabindex', tabIndex);
  }

  #move(event: KeyboardEvent): void {
    const row = this.#rowOf(event.target as Element);
    if (row === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const { element } = row;
    const targets: Record<string, Element | null> = {
      ArrowDown: element.nextElementSibling,
      ArrowUp: element.previousElementSibling,
      Home: this.#list.firstElementChild,
      End: this.#list.lastElementChild,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.#rowOf(target)?.focus.focus();
  }

  /** Goes to another entry's row, also where it is filtered away or waits. */
  #visit(key: string, seq: number): void {
    if (this.#app.feed.log.entry(key) === undefined) {
      this.#app.announce(`Entry ${seq.toLocaleString('en')} is not among the newest ${ITEMS_MAX}.`);
      return;
    }
    if (!this.#rows.has(key)) {
      this.#event.value = '';
      this.#stream.value = '';
      this.#take(this.#app.feed.log.items);
      this.draw();
    }
    const row = this.#rows.get(key)!;
    row.element.scrollIntoView({ block: 'nearest' });
    row.focus.focus({ preventScroll: true });
  }

  #drawNothing(wanted: readonly LoggedItem[]): void {
    const { feed } = this.#app;
    const hasEntries = wanted.some(({ type }) => type === 'entry');
    const isFiltered = this.#event.value !== '' || this.#stream.value !== '';
    const state = hasEntries ? 'some' : isFiltered ? 'filtered' : feed.state.phase === 'live' ? 'quiet' : 'none';
    if (state === this.#nothing.dataset.state) return;
    this.#nothing.dataset.state = state;
    this.#nothing.hidden = state === 'some';
    const text = {
      some: '', filtered: 'No entry among these is of that event and stream.',
      quiet: 'Entries appear here as ledgers close.', none: 'Nothing has come yet.',
    }[state];
    this.#nothing.replaceChildren(h('p', { text }));
    if (state === 'quiet') {
      this.#nothing.append(h('button', {
        type: 'button', class: 'action', text: 'Replay the last 50', on: { click: () => this.#replaySome() },
      }));
    }
  }

  #replaySome(): void {
    const { core, feed } = this.#app;
    if (feed.cursor === null) return;
    const back = brokenCursors(core.cursor.parse(feed.cursor)).find(({ name }) => name === 'back')!;
    feed.resume(back.cursor);
  }
}
