import { FluxoraError } from '@fluxora/core/feed';

import type { App } from '../app.js';
import type { Resumption } from '../live/resumption.js';
import { connectionText } from '../shell/status_bar.js';
import { copyButton } from '../ui/copy_button.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import { brokenCursors } from './broken_cursors.js';
import { entries, outcomeText } from './outcome_text.js';

/** How often a countdown and what isn't told of are written, and how often it is asked how far the log has gone on without the page. */
const TICK_MS = 500;
const BEHIND_MS = 2_000;

const COUNTS = {
  received: 'Entries received',
  replayed: 'Of these replayed',
  again: 'Already here',
  dropped: 'Duplicates dropped',
  filled: 'Missing ones fetched',
  connections: 'Connections',
} as const;

/** Where the page is in the log, what the service said to that, and the means to break it. */
export class PositionCard {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #cursor = h('span', { class: 'feed-cursor', 'data-cursor': '' });
  readonly #state = h('span', { class: 'pill-text' });
  readonly #pill = h('span', { class: 'pill push' }, h('span', { class: 'lamp' }), this.#state);
  readonly #outcome = h('p', { class: 'feed-outcome', 'data-outcome': '' });
  readonly #toggle: HTMLButtonElement;
  readonly #tryNow: HTMLButtonElement;
  readonly #field: HTMLInputElement;
  readonly #refusal: HTMLElement;
  readonly #counts = new Map<keyof typeof COUNTS, HTMLElement>();
  readonly #ends: (() => void)[] = [];
  /** How far the log's newest entry is ahead, while the page doesn't follow it. */
  #behind: bigint | null = null;
  #isLooking = false;
  #told: Resumption | null = null;

  constructor(app: App) {
    this.#app = app;
    this.#toggle = h('button', { type: 'button', class: 'action', on: { click: () => this.#cutOrResume() } });
    this.#tryNow = h('button', {
      type: 'button', class: 'action', text: 'Try now', hidden: true, on: { click: () => this.#resume() },
    });
    const problem = uniqueId('cursor-problem');
    this.#refusal = h('p', { class: 'problem', id: problem, 'data-refusal': '' });
    this.#field = h('input', {
      class: 'mono', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true,
      placeholder: 'epoch-position', 'aria-describedby': problem,
    });
    this.element = h('section', { class: 'card feed-position' },
      h('div', { class: 'section-head' }, h('h2', { text: 'Feed' }), this.#pill),
      h('div', { class: 'card-body' },
        this.#position(),
        h('div', { class: 'actions' }, this.#toggle, this.#tryNow),
        this.#outcome,
        this.#anyCursor(),
        this.#countList()));
  }

  show(): void {
    const tick = setInterval(() => this.draw(), TICK_MS);
    const look = setInterval(() => { void this.#lookBehind(); }, BEHIND_MS);
    this.#ends.push(() => clearInterval(tick), () => clearInterval(look));
  }

  hide(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#behind = null;
  }

  draw(): void {
    const { feed } = this.#app;
    setText(this.#cursor, feed.cursor ?? '—');
    this.#drawState();
    for (const [name, place] of this.#counts) setText(place, feed.counts[name].toLocaleString('en'));
  }

  #position(): HTMLElement {
    const { feed, announce } = this.#app;
    return h('div', { class: 'feed-at' },
      h('span', { class: 'note', text: 'Cursor: the log goes on from here' }),
      h('div', { class: 'feed-cursor-line' }, this.#cursor,
        copyButton('Copy', () => feed.cursor ?? '', announce)));
  }

  #anyCursor(): HTMLElement {
    const label = uniqueId('broken');
    const form = h('form', { class: 'feed-from', on: { submit: (event) => this.#submit(event) } },
      h('label', { class: 'field' }, 'Resume from any cursor', this.#field),
      h('button', { type: 'submit', class: 'action', text: 'Resume from it' }));
    const choices = brokenCursors({ epoch: 'x', seq: 0n }).map(({ name, label: text }) => h('button', {
      type: 'button', class: 'action', 'data-broken': name, text, on: { click: () => this.#breakIt(name) },
    }));
    return h('div', { class: 'feed-break' },
      form, this.#refusal,
      h('p', { class: 'note', id: label, text: 'Or break the cursor:' }),
      h('div', { class: 'actions', role: 'group', 'aria-labelledby': label }, ...choices));
  }

  #countList(): HTMLElement {
    const rows = Object.entries(COUNTS).map(([name, text]) => {
      const place = h('dd', { 'data-count': name, text: '0' });
      this.#counts.set(name as keyof typeof COUNTS, place);
      return h('div', {}, h('dt', { text }), place);
    });
    return h('dl', { class: 'feed-counts' }, ...rows);
  }

  #isOff(): boolean {
    return ['cut', 'refused'].includes(this.#app.feed.state.phase);
  }

  #cutOrResume(): void {
    if (this.#isOff()) this.#resume();
    else {
      this.#app.feed.cut();
      void this.#lookBehind();
    }
  }

  /** Where the button goes, the other one is as good a place. */
  #showTryNow(isShown: boolean): void {
    if (!isShown && document.activeElement === this.#tryNow) this.#toggle.focus();
    this.#tryNow.hidden = !isShown;
  }

  #resume(): void {
    this.#forgetRefusal();
    this.#app.feed.resume();
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    this.#resumeFrom(this.#field.value.trim());
  }

  #breakIt(name: string): void {
    const { core, feed } = this.#app;
    if (feed.cursor === null) return;
    const broken = brokenCursors(core.cursor.parse(feed.cursor)).find((choice) => choice.name === name)!;
    this.#field.value = broken.cursor;
    this.#resumeFrom(broken.cursor);
  }

  #resumeFrom(cursor: string): void {
    this.#forgetRefusal();
    try {
      this.#app.feed.resume(cursor);
    } catch (error) {
      if (!(error instanceof FluxoraError)) throw error;
      this.#field.setAttribute('aria-invalid', 'true');
      const text = `${error.code}: the client refuses “${cursor}”, as it is no cursor. Nothing was sent; all is as it was.`;
      setText(this.#refusal, text);
      this.#app.announce(text);
    }
  }

  #forgetRefusal(): void {
    this.#field.removeAttribute('aria-invalid');
    setText(this.#refusal, '');
  }

  #drawState(): void {
    const { state, resumption } = this.#app.feed;
    this.#pill.dataset.phase = state.phase;
    setText(this.#state, connectionText(state, performance.now()));
    const isOff = this.#isOff();
    if (state.phase !== 'cut') this.#behind = null;
    setText(this.#toggle, isOff ? 'Resume' : 'Cut the connection');
    this.#toggle.classList.toggle('primary', isOff);
    this.#showTryNow(state.phase === 'waiting');
    this.#outcome.dataset.answer = state.phase === 'live' ? resumption?.answer ?? '' : '';
    setText(this.#outcome, this.#words());
    this.#tell();
  }

  /** How things stand, in a sentence or two. */
  #words(): string {
    const { state, resumption, cursor } = this.#app.feed;
    switch (state.phase) {
      case 'waiting':
        return `There is no connection to the service. The page tries again by itself, and goes on ${cursor === null ? 'from the start' : `from ${cursor}`}.`;
      case 'cut': {
        const still = 'You cut the connection. The page keeps its position.';
        if (this.#behind === null) return still;
        return `${still} ${this.#behind === 0n ? 'The log stands where it was.' : `The log has gone on without it: ${entries(this.#behind)} so far.`}`;
      }
      case 'refused':
        return `${state.code}: ${state.message}`;
      case 'connecting':
        return cursor === null ? 'Asking for all streams.' : `Asking for what follows ${cursor}.`;
      default:
        return resumption === null ? '' : outcomeText(resumption);
    }
  }

  /** Once what was asked for is here, it is said. */
  #tell(): void {
    const { state, resumption, cursor } = this.#app.feed;
    if (state.phase !== 'live' || resumption === null || cursor === null) return;
    if (!resumption.isCaughtUp(this.#app.core.cursor.parse(cursor).seq)) return;
    if (resumption === this.#told) return;
    this.#told = resumption;
    this.#app.announce(outcomeText(resumption));
  }

  async #lookBehind(): Promise<void> {
    const { core, feed, service } = this.#app;
    if (feed.state.phase !== 'cut' || document.hidden || this.#isLooking) return;
    this.#isLooking = true;
    const head = await service.head().catch(() => null);
    this.#isLooking = false;
    if (head === null || feed.cursor === null) return;
    const [ours, theirs] = [core.cursor.parse(feed.cursor), core.cursor.parse(head)];
    this.#behind = ours.epoch === theirs.epoch && theirs.seq >= ours.seq ? theirs.seq - ours.seq : null;
    this.#drawState();
  }
}
