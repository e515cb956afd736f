import './stream.css';

import type { Stream } from '@fluxora/core/feed';

import type { App } from '../app.js';
import type { Viewer } from '../live/frames.js';
import { ServiceError } from '../live/service.js';
import type { Moving } from '../live/stream_book.js';
import { hashOf } from '../shell/panels.js';
import { staleNote, unreachableText } from '../streams/list_state.js';
import { shortStreamId } from '../text/addresses.js';
import { plainAmount } from '../text/amounts.js';
import { statusAt, statusNote } from '../text/streams.js';
import { dateTime } from '../text/times.js';
import { copyButton } from '../ui/copy_button.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import { csv, download } from '../ui/files.js';
import { TickingAmount } from '../ui/ticking_amount.js';
import { Curve } from './curve.js';
import { CurveOfStream } from './curve_drawing.js';
import { curveImage } from './curve_image.js';
import { curveRange } from './curve_points.js';
import { HistoryList } from './history_list.js';
import { pageState, type PageState } from './page_state.js';
import { streamFacts } from './stream_facts.js';
import { termSpans, type Span } from './terms_over_time.js';
import { VerifyCard } from './verify_card.js';

const MOVING: readonly Moving[] = ['streamed', 'withdrawable'];
type Figure = Moving | 'remaining';

/** How long after a failure the service is asked again for a stream that the page doesn't hold. */
const ASK_AGAIN_MS = 3_000;

const READING_HELP = 'Point at the curve, or move along it with the arrow keys (with Shift by a second), '
  + 'to read it at any second.';

export interface StreamPage {
  readonly element: HTMLElement;
  show(id: string): void;
  hide(): void;
}

/** The page of one stream. */
export function createStreamPage(app: App): StreamPage {
  return new Page(app);
}

class Page implements StreamPage, Viewer {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #heading = h('h2');
  readonly #status = h('span', { class: 'status' });
  readonly #note = h('span', { class: 'note' });
  readonly #idText = h('span', { class: 'mono' });
  readonly #stale = h('p', { class: 'stale', hidden: true });
  readonly #state = h('div', { class: 'state' });
  readonly #content: HTMLElement;
  readonly #amounts: Record<Figure, TickingAmount> = {
    streamed: new TickingAmount('streamed'),
    withdrawable: new TickingAmount('withdrawable'),
    remaining: new TickingAmount('remaining'),
  };
  readonly #exactAt = h('span');
  readonly #facts = h('dl', { class: 'facts' });
  readonly #curve: Curve;
  readonly #untilNow = h('button', {
    type: 'button', class: 'action', text: 'Until now', 'aria-pressed': false,
    on: { click: () => { this.#endCurveNow(!this.#endsNow); this.#showCurve(); } },
  });
  readonly #history: HistoryList;
  readonly #verify: VerifyCard;
  #id = '';
  #stream: Stream | null = null;
  #spans: readonly Span[] = [];
  #drawn: CurveOfStream | null = null;
  /** The curve ends now, so that what has happened has all the room. */
  #endsNow = false;
  #second: number | null = null;
  /** What is said in place of the stream. */
  #said = '';
  #wasHeld = false;
  #isDenied = false;
  #asking: AbortController | null = null;
  #ends: (() => void)[] = [];

  constructor(app: App) {
    this.#app = app;
    this.#curve = new Curve(app);
    this.#history = new HistoryList(app, () => this.#retell());
    this.#verify = new VerifyCard(app);
    const copy = copyButton('Copy id', () => this.#id, (text) => app.announce(text));
    this.#content = h('div', { class: 'stream-columns', hidden: true },
      this.#curveCard(),
      h('div', { class: 'stream-aside' }, this.#verify.element, this.#factsCard()),
      this.#history.element);
    this.element = h('section', { class: 'panel stream-page' },
      h('div', { class: 'stream-head' },
        h('a', { class: 'back', href: hashOf(['streams']), text: 'All streams' }),
        h('div', { class: 'stream-title' }, this.#heading, this.#status, this.#note),
        h('div', { class: 'stream-id' }, this.#idText, copy)),
      this.#stale, this.#state, this.#content);
  }

  show(id: string): void {
    this.hide();
    this.#begin(id);
    const { feed, frames } = this.#app;
    this.#ends = [
      feed.onState.add(() => this.#showState()),
      feed.onEntry.add(({ entry }) => { if (entry.streamId === this.#id) this.#history.take(entry); }),
      feed.onReset.add(() => { if (this.#wasHeld) this.#history.reload(); }),
    ];
    frames.add(this);
    this.#ends.push(() => frames.remove(this));
    this.changed();
  }

  hide(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#asking?.abort();
    this.#asking = null;
    this.#history.stop();
    this.#verify.stop();
  }

  /** What is held of the stream is another thing, or it came or went. */
  changed(): void {
    const stream = this.#app.streams.get(this.#id) ?? null;
    if (stream !== null && stream !== this.#stream) this.#take(stream);
    this.#stream = stream;
    this.#showState();
  }

  second(second: number): void {
    this.#second = second;
    const stream = this.#stream;
    const row = this.#app.streams.rowOf(this.#id);
    if (stream === null || row === undefined) return;
    const { core, streams } = this.#app;
    const units = MOVING.flatMap((name) => [streams.exact(row, name), streams.exactNext(row, name)]);
    const texts = core.amounts.formatAll(units);
    MOVING.forEach((name, index) => this.#amounts[name].turn(texts[2 * index]!, texts[2 * index + 1]!, second));
    const { remaining } = core.balancesAt(stream, second);
    this.#amounts.remaining.turn(remaining, remaining, second);
    setText(this.#exactAt, dateTime(second));
    const status = statusAt(stream, second);
    this.#status.dataset.status = status;
    setText(this.#status, status);
    setText(this.#note, statusNote(stream, second));
    if (this.#endsNow) {
      this.#showCurve();
    } else {
      this.#offerUntilNow();
      this.#curve.moveTo(second);
    }
  }

  frame(milliseconds: number): void {
    const row = this.#app.streams.rowOf(this.#id);
    if (this.#stream === null || row === undefined) return;
    const moving = MOVING.filter((name) => !this.#amounts[name].rests);
    const units = moving.map((name) => this.#app.streams.moving(row, name, milliseconds));
    const texts = this.#app.core.amounts.formatAll(units);
    moving.forEach((name, index) => this.#amounts[name].move(texts[index]!));
  }

  #begin(id: string): void {
    this.#id = id;
    this.#stream = null;
    this.#drawn = null;
    this.#endCurveNow(false);
    this.#said = '';
    this.#wasHeld = false;
    this.#isDenied = false;
    for (const amount of Object.values(this.#amounts)) amount.clear();
    setText(this.#heading, `Stream ${shortStreamId(id)}`);
    setText(this.#idText, id);
    setText(this.#status, '');
    setText(this.#note, '');
  }

  #take(stream: Stream): void {
    const isFirst = !this.#wasHeld;
    this.#wasHeld = true;
    this.#stream = stream;
    this.#facts.replaceChildren(...streamFacts(this.#app.core, stream).flatMap(({ name, value, look }) =>
      [h('dt', { text: name }), h('dd', { class: look ?? '', text: value })]));
    if (isFirst) {
      this.#verify.show(stream.id, stream.source === 'chain');
      this.#history.show(stream.id);
    }
    this.#retell();
  }

  /** The stream's terms, or what is known of its past, are others. */
  #retell(): void {
    if (this.#stream === null) return;
    this.#spans = termSpans(this.#stream, this.#history.history.standing());
    this.#showCurve();
  }

  #showCurve(): void {
    const [stream, second] = [this.#stream, this.#second];
    if (stream === null) return;
    this.#offerUntilNow();
    const until = this.#endsNow && second !== null ? BigInt(second) : null;
    this.#drawn = new CurveOfStream(this.#app.core, stream, this.#spans, until);
    this.#curve.show(this.#drawn);
    if (second !== null) this.#curve.moveTo(second);
  }

  /** A stream is drawn until now only where it has both a past and a future. */
  #offerUntilNow(): void {
    const [stream, second] = [this.#stream, this.#second];
    if (stream === null || second === null) return;
    const now = BigInt(second);
    const { from, to } = curveRange(this.#app.core, stream);
    const hasBoth = now > from && now < to;
    this.#untilNow.hidden = !hasBoth;
    if (!hasBoth) this.#endCurveNow(false);
  }

  #endCurveNow(endsNow: boolean): void {
    this.#endsNow = endsNow;
    this.#untilNow.setAttribute('aria-pressed', String(endsNow));
  }

  #showState(): void {
    const { feed, streams } = this.#app;
    const state = pageState(feed.state, {
      isHeld: this.#stream !== null, wasHeld: this.#wasHeld, isDenied: this.#isDenied,
    });
    const isStream = state === 'stream';
    const stale = isStream ? staleNote(feed.state, feed.cursor) : '';
    setText(this.#stale, stale);
    this.#stale.hidden = stale === '';
    this.#content.hidden = !isStream;
    this.#state.hidden = isStream;
    this.element.dataset.state = state;
    if ((state === 'loading' || state === 'unreachable') && streams.revision > 0) void this.#ask();
    if (!isStream) this.#say(state);
    else this.#said = '';
  }

  /** What stands in place of a stream. */
  #say(state: Exclude<PageState, 'stream'>): void {
    const { feed } = this.#app;
    const texts: Record<typeof state, [heading: string, ...text: string[]]> = {
      loading: ['', 'Reading the stream…'],
      unreachable: ['The stream can’t be read right now', unreachableText(feed.state, performance.now()).why],
      missing: ['There is no such stream', 'Its id may be mistyped, or the stream may be another network’s.'],
      gone: ['This stream isn’t there any more', 'The chain took back the ledger in which it was created.',
        'If it is created again, it appears here by itself.'],
    };
    const [heading, ...text] = texts[state];
    const said = [state, ...text].join();
    if (said === this.#said) return;
    this.#said = said;
    setText(this.#status, '');
    setText(this.#note, '');
    const again = h('button', {
      type: 'button', class: 'action primary', text: 'Try again', on: { click: () => feed.resume(null) },
    });
    const list = h('p', {}, h('a', { href: hashOf(['streams']), text: 'See all streams' }));
    this.#state.replaceChildren(
      ...(heading === '' ? [] : [h('h3', { text: heading })]),
      ...text.map((line) => h('p', { text: line })),
      ...(state === 'unreachable' ? [again] : []),
      ...(state === 'missing' || state === 'gone' ? [list] : []));
    if (heading !== '') this.#app.announce(heading);
  }

  /** The page holds all streams and not this one: does the service know it? The feed brings it then, soon. */
  async #ask(): Promise<void> {
    if (this.#asking !== null) return;
    const asking = new AbortController();
    this.#asking = asking;
    try {
      await this.#app.service.get(`api/streams/${encodeURIComponent(this.#id)}`, { signal: asking.signal });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (asking.signal.aborted) return;
      if (error.status === 404) {
        this.#isDenied = true;
      } else {
        await new Promise((done) => { setTimeout(done, ASK_AGAIN_MS); });
        if (asking.signal.aborted) return;
        this.#asking = null;
      }
      this.#showState();
    }
  }

  #curveCard(): HTMLElement {
    const title = uniqueId('curve');
    const figure = (name: Figure, label: string): HTMLElement =>
      h('div', { class: name }, h('dt', { text: label }), h('dd', {}, this.#amounts[name].element));
    const button = (text: string, label: string, click: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'action', text, 'aria-label': label, on: { click } });
    return h('section', { class: 'card stream-curve', 'aria-labelledby': title },
      h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Accrual' }),
        h('div', { class: 'actions push' },
          this.#untilNow,
          button('PNG', 'Curve as PNG', () => { void this.#exportImage(); }),
          button('CSV', 'Curve as CSV', () => this.#exportPoints()))),
      h('div', { class: 'card-body' },
        h('dl', { class: 'figures' },
          figure('streamed', 'Streamed'), figure('withdrawable', 'Withdrawable'), figure('remaining', 'Remaining')),
        h('p', { class: 'how' }, 'Exact at ', this.#exactAt, '; between seconds the amounts move evenly to the next.'),
        this.#curve.element,
        h('p', { class: 'how', text: READING_HELP })));
  }

  #factsCard(): HTMLElement {
    const title = uniqueId('terms');
    return h('section', { class: 'card card-body', 'aria-labelledby': title },
      h('h3', { id: title, text: 'Terms' }), this.#facts);
  }

  async #exportImage(): Promise<void> {
    const [curve, second] = [this.#drawn, this.#second];
    if (curve === null || second === null) return;
    const { streamed, withdrawable } = this.#app.core.balancesAt(curve.stream, second);
    const deposit = plainAmount(curve.stream.depositAmount);
    const figures = `${plainAmount(streamed)} of ${deposit} streamed, ${plainAmount(withdrawable)} withdrawable`;
    download(`fluxora-curve-${this.#id}.png`, await curveImage(curve, second, figures));
  }

  #exportPoints(): void {
    if (this.#drawn !== null) download(`fluxora-curve-${this.#id}.csv`, csv(this.#drawn.csvRows()));
  }
}
