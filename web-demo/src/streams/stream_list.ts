import type { App } from '../app.js';
import type { Viewer } from '../live/frames.js';
import type { Moving } from '../live/stream_book.js';
import { countText, streamsText } from '../text/counts.js';
import { fileTime } from '../text/times.js';
import { byId, h, setText } from '../ui/dom.js';
import { csv, download } from '../ui/files.js';
import { ORDER_WORDS, SORTS } from './columns.js';
import { Controls } from './controls.js';
import { InsteadOfStreams } from './instead_of_streams.js';
import { isTrying, listState, staleNote, type ListState } from './list_state.js';
import { StreamOrder } from './stream_order.js';
import { StreamTable } from './stream_table.js';
import { streamsTable } from './streams_csv.js';
import { TotalsView } from './totals_view.js';

/** An order that moves is taken again this often. */
const ORDER_EVERY_SECONDS = 5;
/** Of more changed streams than this, all are looked at again. */
const TOUCHED_MAX = 500;
/** Countdowns go by seconds. */
const TICK_MS = 1_000;

/** All streams: their totals, and the table with what one can do with it. */
export class StreamList implements Viewer {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #order: StreamOrder;
  readonly #totals: TotalsView;
  readonly #controls: Controls;
  readonly #table: StreamTable;
  readonly #instead: InsteadOfStreams;
  readonly #staleText = h('span');
  readonly #stale = h('p', { class: 'stale', hidden: true }, this.#staleText);
  readonly #nothing = h('div', { class: 'none', hidden: true });
  readonly #note = h('p', { class: 'how' });
  readonly #streams: HTMLElement;
  #state: ListState = 'loading';
  #ticking: ReturnType<typeof setInterval> | undefined;
  #isChoosing = false;
  /** Streams that entries were about since the order was taken; null: it is to be taken from all. */
  #touched: Set<string> | null = null;
  /** Whether a stream that has its place has changed since the order was taken from all. */
  #isOlder = false;
  #takenAt = -1;
  #endListening: (() => void)[] = [];

  constructor(app: App) {
    this.#app = app;
    this.#order = new StreamOrder(app.streams, app.core.amounts.parse);
    this.#totals = new TotalsView(app);
    this.#controls = new Controls(this.#order, { chosen: () => this.#chosen(), save: () => this.#save() });
    this.#table = new StreamTable(app, this.#order, (by) => this.#controls.sortBy(by));
    this.#instead = new InsteadOfStreams(app);
    const connect = () => app.feed.resume();
    const showAll = () => this.#controls.clear();
    this.#stale.append(h('button', { type: 'button', class: 'action', text: 'Connect now', on: { click: connect } }));
    this.#nothing.append('No stream matches. ',
      h('button', { type: 'button', class: 'action', text: 'Show all', on: { click: showAll } }));
    this.#streams = h('div', { class: 'panel' }, this.#totals.element,
      h('section', { class: 'card', 'aria-label': 'Streams' },
        this.#controls.element, this.#stale, this.#table.element, this.#nothing, this.#note));
    this.element = h('div', {}, this.#instead.element, this.#streams);
  }

  /** Comes into the page. `from`: the stream that was shown before, whose row gets the focus. */
  show(from: string | null): void {
    this.#showState();
    const { feed, frames } = this.#app;
    this.#touched = null;
    this.#endListening = [
      feed.onEntry.add(({ entry: { stream, streamId } }) => this.#touch(stream?.id ?? streamId)),
      feed.onReset.add(() => { this.#touched = null; }),
      feed.onState.add(() => this.#showState()),
    ];
    this.#ticking = setInterval(() => this.#showState(), TICK_MS);
    frames.add(this);
    this.#table.restore(from);
  }

  hide(): void {
    this.#table.leave();
    this.#app.frames.remove(this);
    clearInterval(this.#ticking);
    for (const end of this.#endListening) end();
  }

  changed(): void {
    this.#showState();
  }

  second(second: number): void {
    this.#keepOrder(second);
    this.#table.turn(second);
    this.#totals.turn(second);
  }

  frame(milliseconds: number): void {
    this.#table.move(milliseconds);
    this.#totals.move(milliseconds);
  }

  #touch(id: string | null): void {
    if (id !== null) this.#touched?.add(id);
    if (this.#touched !== null && this.#touched.size > TOUCHED_MAX) this.#touched = null;
  }

  /** Takes what has come into the order, and now and then all of it again. */
  #keepOrder(second: number): void {
    const isDue = second - this.#takenAt >= ORDER_EVERY_SECONDS && (this.#isOlder || this.#order.isMoving);
    const touched = this.#touched;
    if (touched === null || isDue) {
      this.#table.retake(() => this.#take(second));
    } else if (touched.size > 0) {
      this.#table.retake(() => {
        const changes = this.#order.takeIn(touched, second);
        if (changes === null) return this.#take(second);
        this.#isOlder ||= changes.some(({ before }) => before !== null);
        this.#totals.change(changes, this.#order.all);
        this.#taken();
      });
    }
  }

  /** Somebody wants another order. It is taken behind the frame's balances, which fit the streams then. */
  #chosen(): void {
    if (this.#isChoosing) return;
    this.#isChoosing = true;
    requestAnimationFrame(() => {
      this.#isChoosing = false;
      const { streams: { second }, clock } = this.#app;
      if (second === null || !clock.isSet) return;
      this.#take(second);
      this.#table.showOrder();
      this.#app.announce(`${this.#countText()}, ${this.#orderText()}`);
    });
  }

  #take(second: number): void {
    this.#isOlder = false;
    this.#takenAt = second;
    this.#order.take(second);
    this.#totals.take(this.#order.all, second);
    this.#taken();
  }

  #taken(): void {
    this.#touched = new Set();
    const { length } = this.#order.wanted;
    this.#controls.showCount(this.#countText(), length);
    this.#table.element.hidden = length === 0;
    this.#nothing.hidden = length > 0;
    this.#note.hidden = length === 0;
    this.#showNote();
  }

  #countText(): string {
    const [wanted, all] = [this.#order.wanted, this.#order.all].map(({ length }) => countText(length));
    return this.#order.isFiltered ? `${wanted} of ${all}` : all!;
  }

  #orderText(): string {
    const { by, descending } = this.#order.sorting;
    return `by ${SORTS.find((sort) => sort.by === by)!.label.toLowerCase()}, ${ORDER_WORDS[by][descending ? 1 : 0]}`;
  }

  #showNote(): void {
    const { length } = this.#order.wanted;
    const { count } = this.#table;
    setText(this.#note, [
      `In the order ${this.#orderText()}`,
      this.#order.isMoving ? `, taken again every ${ORDER_EVERY_SECONDS} seconds.` : '.',
      length > count ? ` The first ${countText(count)} are in the table; narrow it down to see others.` : '',
      ' The coloured digits are those that change within the second.',
    ].join(''));
  }

  #showState(): void {
    const { feed, streams } = this.#app;
    this.#state = listState(this.#state, feed.state, streams.revision > 0, streams.size);
    this.#instead.show(this.#state);
    this.#streams.hidden = this.#state !== 'streams';
    if (!isTrying(feed.state)) {
      const stale = staleNote(feed.state, feed.cursor);
      this.#stale.hidden = stale === '';
      setText(this.#staleText, stale);
    }
    // A button that was pressed may have gone with its reason.
    if (document.activeElement?.closest('[hidden]')) byId('main').focus({ preventScroll: true });
  }

  /** What is wanted, at the second that is shown. */
  #save(): void {
    const { streams, core } = this.#app;
    const items = this.#order.wanted;
    const second = streams.second!;
    const texts = (name: Moving) => core.amounts.formatAll(items.map(({ row }) => streams.exact(row, name)));
    download(`fluxora-streams-${fileTime(second)}.csv`, csv(streamsTable(items, second, texts)));
    this.#app.announce(`${streamsText(items.length)} saved.`);
  }
}
