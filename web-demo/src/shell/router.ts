import type { App, CreatePanel, Panel } from '../app.js';
import { byId, h } from '../ui/dom.js';
import { PANELS, hashOf, pathOf } from './panels.js';

/** Shows the panel that the address names. */
export class Router {
  readonly #app: App;
  readonly #main = byId('main');
  readonly #panels = new Map<string, Panel>();
  #shown: Panel | null = null;
  /** Which of several quick changes is the last one. */
  #visits = 0;

  constructor(app: App) {
    this.#app = app;
    addEventListener('hashchange', () => { void this.#show(); });
    // Followed, it would change the address, which is the panel's.
    document.querySelector('.skip')!.addEventListener('click', (event) => {
      event.preventDefault();
      this.#main.focus();
    });
  }

  async start(): Promise<void> {
    await this.#show();
  }

  go(path: readonly string[]): void {
    location.hash = hashOf(path);
  }

  async #show(): Promise<void> {
    this.#visits += 1;
    const visit = this.#visits;
    const [name, ...rest] = pathOf(location.hash) as [string, ...string[]];
    this.#markLink(name);
    let create: CreatePanel;
    try {
      ({ create } = await PANELS[name]!());
    } catch (error) {
      if (visit === this.#visits) await this.#fail(error, visit);
      return;
    }
    if (visit !== this.#visits) return;
    const panel = this.#panel(name, create);
    const isAnother = panel !== this.#shown;
    if (isAnother) {
      this.#shown?.hide();
      this.#shown = panel;
      this.#main.replaceChildren(panel.element);
    }
    panel.show(rest);
    this.#name(panel.title);
    if (isAnother && visit > 1) {
      scrollTo(0, 0);
      this.#main.focus({ preventScroll: true });
    }
  }

  #panel(name: string, create: CreatePanel): Panel {
    let panel = this.#panels.get(name);
    if (panel === undefined) {
      panel = create(this.#app);
      this.#panels.set(name, panel);
    }
    return panel;
  }

  /** What the window and the place that gets the focus are called. */
  #name(title: string): void {
    document.title = `${title} — Fluxora`;
    this.#main.setAttribute('aria-label', title);
  }

  /**
   * Code that can't be fetched. Where the service is away, it is fetched when it is back; where it isn't, another
   * version of the page has taken this one's place.
   */
  async #fail(error: unknown, visit: number): Promise<void> {
    console.warn(error);
    const { health } = this.#app;
    await health.look();
    if (visit !== this.#visits) return;
    this.#shown?.hide();
    this.#shown = null;
    const isAway = health.latest === null;
    const text = isAway ? 'The service can’t be reached. As soon as it answers, the page is loaded again.'
      : 'The service has another version of the page by now.';
    const again = () => location.reload();
    const button = h('button',
      { type: 'button', class: 'action primary', text: 'Load the page again', on: { click: again } });
    this.#main.replaceChildren(h('section', { class: 'state', 'data-state': isAway ? 'away' : 'replaced' },
      h('h2', { text: 'This part of the page couldn’t be loaded' }), h('p', { text }), h('p', {}, button)));
    this.#name('Not loaded');
    this.#app.announce(`This part of the page couldn’t be loaded. ${text}`);
    if (!isAway) return;
    const stop = health.onHealth.add((answer) => {
      if (visit !== this.#visits) stop();
      else if (answer !== null) again();
    });
  }

  #markLink(name: string): void {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('#panels a')) {
      if (link.hash === hashOf([name])) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
}
