import type { LogEntry } from '@fluxora/core/feed';

import type { App } from '../app.js';
import { ServiceError } from '../live/service.js';
import { changeText, entryTitle } from '../text/entries.js';
import { dateTime } from '../text/times.js';
import { csv, download } from '../ui/files.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import { History } from './history.js';
import { HistoryProblem, HistoryReader, newestEntries } from './history_pages.js';

/** Entries that are read at first. */
const NEWEST = 100;
const SHOWN_AT_FIRST = 12;
const SHOWN_MORE = 100;

/** A stream's log entries, newest first: what was read, and what the feed brings. */
export class HistoryList {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #onChange: () => void;
  readonly #list = h('ol', { class: 'history', reversed: true, tabindex: -1 });
  readonly #count = h('span', { class: 'count' });
  readonly #note = h('p', { class: 'how' });
  readonly #more = this.#button('Show more', () => this.#showMore());
  readonly #earlier = this.#button('Load the earlier ones', () => { void this.#load(() => this.#readAll()); });
  readonly #retry = this.#button('Try again', () => { void this.#load(this.#read); });
  readonly #csv = this.#button('CSV', () => this.#export());
  #history = new History();
  #id = '';
  #shown = SHOWN_AT_FIRST;
  #reading = new AbortController();
  #read: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** What is to be said of reading it; empty where nothing is. */
  #said = '';
  /** It couldn't be read, and may be now. */
  #canRetry = false;

  /** @param onChange more is known of the past */
  constructor(app: App, onChange: () => void) {
    this.#app = app;
    this.#onChange = onChange;
    const title = uniqueId('history');
    this.#csv.setAttribute('aria-label', 'History as CSV');
    this.element = h('section', { class: 'card stream-history', 'aria-labelledby': title },
      h('div', { class: 'section-head' },
        h('h3', { id: title, text: 'History' }), this.#count, h('div', { class: 'actions push' }, this.#csv)),
      this.#list, this.#note,
      h('div', { class: 'actions' }, this.#more, this.#earlier, this.#retry));
  }

  /** What is known of the past. */
  get history(): History { return this.#history; }

  show(id: string): void {
    this.#id = id;
    this.reload();
  }

  /** Reads anew: entries were missed, or what was held of the log isn't good any more. */
  reload(): void {
    this.#history = new History();
    this.#shown = SHOWN_AT_FIRST;
    this.#list.replaceChildren();
    this.#onChange();
    const { service } = this.#app;
    void this.#load(async (signal) => this.#history.add(await newestEntries(service, this.#id, NEWEST, signal)));
  }

  /** An entry of this stream has come. */
  take(entry: LogEntry): void {
    this.#history.add([entry]);
    this.#draw();
    this.#onChange();
  }

  /** Gives up what is being read; what was read stays. */
  stop(): void {
    this.#reading.abort();
  }

  #button(label: string, onClick: () => void): HTMLButtonElement {
    return h('button', { type: 'button', class: 'action', text: label, hidden: true, on: { click: onClick } });
  }

  async #load(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#read = read;
    this.#say('Reading the history…');
    try {
      await read(signal);
      if (signal.aborted) return;
      this.#say('');
      this.#onChange();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HistoryProblem) this.#say(`The earlier entries can’t be shown: ${error.message}`);
      else if (error instanceof ServiceError) this.#say(error.message, true);
      else throw error;
    }
  }

  #say(text: string, canRetry = false): void {
    this.#said = text;
    this.#canRetry = canRetry;
    this.#draw();
  }

  /** From the stream's first entry on. */
  async #readAll(): Promise<void> {
    const { signal } = this.#reading;
    const reader = new HistoryReader<LogEntry>(this.#app.service, this.#id, { withXdr: false, signal });
    for await (const page of reader.pages()) {
      if (signal.aborted) return;
      this.#history.add(page);
      this.#draw();
    }
    this.#shown = SHOWN_MORE;
  }

  #showMore(): void {
    this.#shown += SHOWN_MORE;
    this.#draw();
  }

  #draw(): void {
    const focused = document.activeElement;
    const { size, isWhole, entries } = this.#history;
    const shown = entries.slice(-this.#shown).reverse();
    this.#keep(shown);
    const count = `${size.toLocaleString('en')} ${size === 1 ? 'entry' : 'entries'}${isWhole ? '' : ', the newest'}`;
    setText(this.#count, size === 0 ? '' : count);
    setText(this.#note, this.#said);
    this.#note.hidden = this.#said === '';
    this.#more.hidden = shown.length === size;
    this.#earlier.hidden = size === 0 || isWhole || this.#said !== '';
    this.#retry.hidden = !this.#canRetry;
    this.#csv.hidden = size === 0;
    // A button that goes doesn't take the focus with it.
    const buttons = [this.#more, this.#earlier, this.#retry];
    if (buttons.some((button) => button === focused && button.hidden)) {
      (buttons.find(({ hidden }) => !hidden) ?? this.#list).focus({ preventScroll: true });
    }
  }

  /** The list's items become those of these entries; an item whose entry is the same stays as it is. */
  #keep(entries: readonly LogEntry[]): void {
    const present = [...this.#list.children] as HTMLElement[];
    const items = new Map(present.map((item) => [item.dataset.seq, item]));
    let place: Element | null = present[0] ?? null;
    for (const entry of entries) {
      const undone = this.#history.retractedBy(entry);
      let item = items.get(String(entry.seq));
      if (item !== undefined && item.dataset.retracted !== (undone === null ? undefined : String(undone))) {
        if (item === place) place = item.nextElementSibling;
        item.remove();
        item = undefined;
      }
      item ??= itemOf(entry, undone);
      if (item === place) place = place.nextElementSibling;
      else this.#list.insertBefore(item, place);
    }
    while (place !== null) {
      const next: Element | null = place.nextElementSibling;
      place.remove();
      place = next;
    }
  }

  #export(): void {
    download(`fluxora-history-${this.#id}.csv`, csv(this.#history.csvRows()));
  }
}

function itemOf(entry: LogEntry, undone: number | null): HTMLElement {
  const { seq, closedAt, ledger, txHash, retracts } = entry;
  const facts = [
    `position ${seq}`,
    ledger !== null && `ledger ${ledger.toLocaleString('en')}`,
    undone !== null && `taken back at position ${undone}`,
    typeof retracts === 'number' && `takes back position ${retracts}`,
  ].filter((fact) => fact !== false);
  return h('li', { 'data-seq': seq, 'data-retracted': undone, 'data-event': entry.event },
    h('time', { datetime: closedAt, text: dateTime(Math.floor(Date.parse(closedAt) / 1000)) }),
    h('span', { class: 'what' },
      h('span', { class: 'title', text: entryTitle(entry) }),
      undone !== null && h('span', { class: 'retracted', text: 'retracted' })),
    h('span', { class: 'change', text: changeText(entry) }),
    h('span', { class: 'where' }, facts.join(' · '),
      txHash !== null && ' · transaction ',
      txHash !== null && h('span', { class: 'mono', title: txHash, text: `${txHash.slice(0, 8)}…` })));
}
