import type { App } from '../app.js';
import { h, setText } from '../ui/dom.js';
import { unreachableText, type ListState } from './list_state.js';

const SKELETON_ROWS = 8;

/** What stands in the place of streams: they are being read, can't be, or there are none. */
export class InsteadOfStreams {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #why = h('p');
  readonly #next = h('p');
  readonly #states: Partial<Record<ListState, HTMLElement>>;

  constructor(app: App) {
    this.#app = app;
    const tryNow = () => app.feed.resume(null);
    const lines = Array.from({ length: SKELETON_ROWS }, () => h('div', { class: 'line' }, h('div', { class: 'bar' })));
    this.#states = {
      loading: h('div', { class: 'panel skeleton', 'aria-busy': true },
        h('h2', { class: 'visually-hidden', text: 'Streams are being read' }),
        h('div', { class: 'figure bar' }),
        h('div', { class: 'card' }, ...lines)),
      unreachable: h('div', { class: 'state' },
        h('h2', { text: 'The streams can’t be read' }), this.#why, this.#next,
        h('button', { type: 'button', class: 'action primary', text: 'Try now', on: { click: tryNow } })),
      empty: h('div', { class: 'state' },
        h('h2', { text: 'No streams yet' }),
        h('p', {}, 'The first one appears here by itself, as soon as the service has seen it on the chain, or it is ',
          'created through the API.'),
        h('p', {}, h('a', { href: '../docs#createStream', text: 'How to create one' }))),
    };
    this.element = h('div', {}, ...Object.values(this.#states));
  }

  show(state: ListState): void {
    for (const [name, element] of Object.entries(this.#states)) element.hidden = name !== state;
    if (state !== 'unreachable') return;
    const { why, next } = unreachableText(this.#app.feed.state, performance.now());
    if (why !== '') setText(this.#why, why);
    setText(this.#next, next);
  }
}
