import type { App } from '../app.js';
import { entryKey, type LoggedEntry, type LoggedItem, type LoggedReset } from '../live/feed_log.js';
import { hashOf } from '../shell/panels.js';
import { shortStreamId } from '../text/addresses.js';
import { changeText, entryTitle } from '../text/entries.js';
import { timeOfDay } from '../text/times.js';
import { copyButton } from '../ui/copy_button.js';
import { h, uniqueId } from '../ui/dom.js';
import { range, streams } from './outcome_text.js';

/** An item of the list. */
export interface Row {
  readonly element: HTMLLIElement;
  /** The row's one stop for the keyboard. */
  readonly focus: HTMLElement;
  /** What it says of the item may have changed. */
  draw(): void;
  toggle(): void;
}

function resetText({ reason, gap, streams: count, cursor }: LoggedReset): string {
  const all = count === 1 ? 'the one stream was' : `all ${streams(count)} were`;
  switch (reason) {
    case 'start': return `Here ${all} read, as of ${cursor}`;
    case 'gap': return `Gap: ${gap === null ? 'older entries' : range(gap)} pruned; ${all} read again, as of ${cursor}`;
    case 'epoch_changed': return `Another log, or no position of this one; ${all} read again, as of ${cursor}`;
    case 'inconsistent': return `Entries missing, or contradicting each other; ${all} read again, as of ${cursor}`;
  }
}

function resetRow(item: LoggedReset): Row {
  const focus = h('p', { class: 'entry-reset', text: resetText(item), tabindex: '-1' });
  return {
    element: h('li', { class: 'entry', 'data-reset': item.reason }, focus),
    focus,
    draw() {},
    toggle() {},
  };
}

class EntryRow implements Row {
  readonly element: HTMLLIElement;
  readonly focus: HTMLButtonElement;
  readonly #item: LoggedEntry;
  readonly #announce: App['announce'];
  readonly #badges = h('span', { class: 'entry-badges' });
  readonly #onVisit: (key: string, seq: number) => void;
  #details: HTMLElement | null = null;
  #drawn = '';

  /** @param onVisit another entry is asked for */
  constructor(item: LoggedEntry, announce: App['announce'], onVisit: (key: string, seq: number) => void) {
    this.#item = item;
    this.#announce = announce;
    this.#onVisit = onVisit;
    const { entry } = item;
    this.focus = h('button', {
      type: 'button', class: 'entry-title', text: entryTitle(entry), tabindex: '-1', 'aria-expanded': false,
    });
    this.element = h('li', { class: 'entry', 'data-seq': entry.seq, 'data-event': entry.event },
      h('div', { class: 'entry-line' },
        h('span', { class: 'entry-seq', text: entry.seq.toLocaleString('en') }),
        h('time', { datetime: entry.closedAt, title: entry.closedAt, text: timeOfDay(Date.parse(entry.closedAt) / 1000) }),
        h('span', { class: 'entry-what' }, this.focus, this.#badges),
        this.#stream(),
        h('span', { class: 'entry-change' }, this.#undoing(), changeText(entry)),
        h('span', { class: 'entry-ledger' }, entry.ledger === null ? null
          : h('span', { class: 'visually-hidden', text: 'ledger ' }), entry.ledger?.toLocaleString('en') ?? null)));
    this.element.addEventListener('click', ({ target }) => {
      const hit = target as Element;
      if (hit.closest('.entry-title') !== null
        || (hit.closest('.entry-line') !== null && hit.closest('a, button') === null)) this.toggle();
    });
  }

  draw(): void {
    const { isReplayed, times, undoneBy } = this.#item;
    const state = `${isReplayed} ${times} ${undoneBy}`;
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.element.toggleAttribute('data-replayed', isReplayed);
    this.element.toggleAttribute('data-undone', undoneBy !== null);
    const badges: Node[] = [];
    if (isReplayed) badges.push(h('span', { class: 'badge', 'data-badge': 'replayed', text: 'replayed' }));
    if (times > 1) badges.push(h('span', { class: 'badge', 'data-badge': 'again', text: `came ${times} times` }));
    if (undoneBy !== null) badges.push(this.#link('undone', `undone by ${undoneBy.toLocaleString('en')}`, undoneBy));
    this.#badges.replaceChildren(...badges);
  }

  toggle(): void {
    this.#details ??= this.#makeDetails();
    this.#details.hidden = !this.#details.hidden;
    this.focus.setAttribute('aria-expanded', String(!this.#details.hidden));
  }

  #stream(): HTMLElement {
    const { streamId } = this.#item.entry;
    return h('span', { class: 'entry-stream' }, streamId === null ? null
      : h('a', { href: hashOf(['streams', streamId]), title: streamId, tabindex: '-1', text: shortStreamId(streamId) }));
  }

  /** What a retraction undoes. */
  #undoing(): HTMLElement | null {
    const { retracts } = this.#item.entry;
    if (typeof retracts !== 'number') return null;
    return this.#link('undoes', `undoes ${retracts.toLocaleString('en')}`, retracts);
  }

  #link(name: string, text: string, seq: number): HTMLButtonElement {
    return h('button', {
      type: 'button', class: 'badge', 'data-badge': name, tabindex: '-1', text,
      on: { click: () => this.#onVisit(entryKey(this.#item.log, seq), seq) },
    });
  }

  /** As it was received: the members in their order. */
  #makeDetails(): HTMLElement {
    const json = JSON.stringify(this.#item.entry, null, 2);
    const id = uniqueId('entry');
    const details = h('div', { class: 'entry-details', id, hidden: true },
      h('pre', { class: 'mono', text: json }), copyButton('Copy the entry', () => json, this.#announce));
    this.focus.setAttribute('aria-controls', id);
    this.element.append(details);
    return details;
  }
}

export function createRow(item: LoggedItem, announce: App['announce'], onVisit: (key: string, seq: number) => void): Row {
  return item.type === 'reset' ? resetRow(item) : new EntryRow(item, announce, onVisit);
}
