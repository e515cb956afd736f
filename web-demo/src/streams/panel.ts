import './streams.css';

import type { App, CreatePanel, Panel } from '../app.js';
import type { createStreamPage } from '../stream/stream_page.js';
import { shortStreamId } from '../text/addresses.js';
import { byId, h } from '../ui/dom.js';
import { StreamList } from './stream_list.js';

/** The list of all streams, and the page of one: `#/streams` and `#/streams/<id>`. */
class StreamsPanel implements Panel {
  readonly element = h('section', {});
  readonly #app: App;
  readonly #list: StreamList;
  #page: ReturnType<typeof createStreamPage> | null = null;
  /** The stream whose page is, or comes to be, shown; null: the list; undefined: the panel isn't in the page. */
  #shown: string | null | undefined = undefined;
  #listScroll = 0;

  constructor(app: App) {
    this.#app = app;
    this.#list = new StreamList(app);
  }

  get title(): string {
    return typeof this.#shown === 'string' ? `Stream ${shortStreamId(this.#shown)}` : 'Streams';
  }

  show([id]: readonly string[]): void {
    const before = this.#shown;
    if (id === undefined) {
      if (before === null) return;
      this.#leave();
      this.#shown = null;
      this.element.replaceChildren(this.#list.element);
      this.#list.show(before ?? null);
      if (before === undefined) return;
      scrollTo(0, this.#listScroll);
      if (document.activeElement === document.body) byId('main').focus({ preventScroll: true });
    } else {
      this.#leave();
      this.#shown = id;
      void this.#showPage(id, before !== undefined);
    }
  }

  hide(): void {
    this.#leave();
    this.#shown = undefined;
  }

  #leave(): void {
    if (this.#shown === null) {
      this.#listScroll = scrollY;
      this.#list.hide();
    } else if (this.#shown !== undefined) {
      this.#page?.hide();
    }
  }

  /** @param isFromHere whether the list, or another stream, was shown: the focus would be nowhere then */
  async #showPage(id: string, isFromHere: boolean): Promise<void> {
    try {
      this.#page ??= (await import('../stream/stream_page.js')).createStreamPage(this.#app);
    } catch (error) {
      if (this.#shown === id) this.element.replaceChildren(unloaded());
      console.warn(error);
      return;
    }
    if (this.#shown !== id) return;
    this.element.replaceChildren(this.#page.element);
    this.#page.show(id);
    if (!isFromHere) return;
    scrollTo(0, 0);
    byId('main').focus({ preventScroll: true });
  }
}

function unloaded(): HTMLElement {
  const again = () => location.reload();
  return h('section', { class: 'state' },
    h('h2', { text: 'The stream’s page couldn’t be loaded' }),
    h('p', { text: 'The service is away, or has another version of the page by now.' }),
    h('button', { type: 'button', class: 'action primary', text: 'Load the page again', on: { click: again } }));
}

export const create: CreatePanel = (app) => new StreamsPanel(app);
