import { groupAmount, steadyLength } from '../text/amounts.js';
import { h } from './dom.js';

/** Writes a text node only where it is another text. */
function write(node: Text, text: string): void {
  if (node.data !== text) node.data = text;
}

/**
 * An amount that moves with time. The eye sees it tick, the digits that change within the second in a colour of their
 * own. Everything else reads the exact amount of the whole second: it is the element's text for screen readers and its
 * `data-exact`, and `data-at` is the second. All texts that go in are the core's decimals.
 */
export class TickingAmount {
  readonly element: HTMLElement;
  readonly #steady = document.createTextNode('');
  readonly #changing = document.createTextNode('');
  readonly #spoken = document.createTextNode('—');
  #exact = '';
  #next = '';
  /** How many of the characters don't change within the second. */
  #kept = 0;

  /** @param name what amount it is: `data-amount` */
  constructor(name: string) {
    this.element = h('span', { class: 'ticking', 'data-amount': name },
      h('span', { class: 'eye', 'aria-hidden': true }, this.#steady, h('span', { class: 'changing' }, this.#changing)),
      h('span', { class: 'visually-hidden' }, this.#spoken));
    this.clear();
  }

  /** True where the amount is the same at the second and the next: `move` has nothing to do. */
  get rests(): boolean { return this.#exact === this.#next; }

  /** A new second, or new terms: the exact amounts at the second and at the one after it. */
  turn(exact: string, next: string, second: number): void {
    this.element.dataset.at = String(second);
    if (exact === this.#exact && next === this.#next) return;
    this.#exact = exact;
    this.#next = next;
    this.element.dataset.exact = exact;
    const text = groupAmount(exact);
    this.#kept = exact === next ? text.length : steadyLength(text, groupAmount(next));
    write(this.#spoken, text);
    write(this.#steady, text.slice(0, this.#kept));
    write(this.#changing, text.slice(this.#kept));
  }

  /** The amount between this second and the next. */
  move(decimal: string): void {
    write(this.#changing, groupAmount(decimal).slice(this.#kept));
  }

  /** There is no such amount. */
  clear(said = '—'): void {
    this.#exact = '';
    this.#next = '';
    delete this.element.dataset.at;
    delete this.element.dataset.exact;
    write(this.#spoken, said);
    write(this.#steady, said);
    write(this.#changing, '');
  }
}
