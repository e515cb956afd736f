import type { StreamStatus } from '@fluxora/core';

import { h, setText } from '../ui/dom.js';
import { ORDER_WORDS, SORTS } from './columns.js';
import { STATUSES, type SortName, type StreamOrder } from './stream_order.js';

interface Wishes {
  /** The order's filter or sorting was changed. */
  chosen(): void;
  /** What is shown is wanted as a file. */
  save(): void;
}

/** What one can do with the table: find, narrow, sort, save. */
export class Controls {
  readonly element: HTMLElement;
  readonly #order: StreamOrder;
  readonly #wishes: Wishes;
  readonly #count = h('span', { class: 'count', 'data-count': 'shown' });
  readonly #find = h('input', {
    type: 'search', placeholder: 'Address or id', 'aria-label': 'Find by address or id', autocomplete: 'off',
    spellcheck: 'false',
  });
  readonly #status = h('select', { 'aria-label': 'Status' }, h('option', { value: '', text: 'Every status' }),
    ...STATUSES.map((status) => h('option', { value: status, text: `Only ${status}` })));
  readonly #sort = h('select', { 'aria-label': 'Sort by' },
    ...SORTS.map(({ by, label }) => h('option', { value: by, text: `By ${label.toLowerCase()}` })));
  readonly #direction = h('button', { type: 'button', class: 'action' });
  readonly #save = h('button', { type: 'button', class: 'action', text: 'Save as CSV' });

  constructor(order: StreamOrder, wishes: Wishes) {
    this.#order = order;
    this.#wishes = wishes;
    this.#find.addEventListener('input', () => this.#narrow());
    this.#status.addEventListener('change', () => this.#narrow());
    this.#sort.addEventListener('change', () => this.#sortBy(SORTS[this.#sort.selectedIndex]!.by));
    this.#direction.addEventListener('click', () => this.sortBy(order.sorting.by));
    this.#save.addEventListener('click', () => wishes.save());
    this.element = h('div', { class: 'section-head stream-controls' },
      h('h2', { text: 'Streams' }), this.#count,
      h('div', { class: 'push finding' }, this.#find),
      h('div', { class: 'actions' }, this.#status, this.#save),
      h('div', { class: 'actions sorting' }, this.#sort, this.#direction));
    this.#showSorting();
  }

  /** How many streams are shown, in words too. */
  showCount(text: string, shown: number): void {
    setText(this.#count, text);
    this.#save.disabled = shown === 0;
  }

  /** Sorts by a column: the same one again the other way round. */
  sortBy(by: SortName): void {
    const { sorting } = this.#order;
    if (sorting.by !== by) return this.#sortBy(by);
    this.#order.sorting = { by, descending: !sorting.descending };
    this.#sorted();
  }

  /** All streams again. */
  clear(): void {
    this.#find.value = '';
    this.#status.value = '';
    this.#narrow();
    this.#find.focus();
  }

  #sortBy(by: SortName): void {
    this.#order.sorting = { by, descending: SORTS.find((sort) => sort.by === by)!.descending };
    this.#sorted();
  }

  #sorted(): void {
    this.#showSorting();
    this.#wishes.chosen();
  }

  #narrow(): void {
    this.#order.filter = { text: this.#find.value, status: this.#status.value as StreamStatus | '' };
    this.#wishes.chosen();
  }

  #showSorting(): void {
    const { by, descending } = this.#order.sorting;
    this.#sort.value = by;
    setText(this.#direction, ORDER_WORDS[by][descending ? 1 : 0]);
    this.#direction.title = 'The other way round';
  }
}
