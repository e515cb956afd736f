import { load } from '../core/src/browser.js';

import {
  ApiError, STREAMS_MAX, feedAddress, fetchEvents, fetchHealth, fetchStream, fetchStreams,
} from './api.js';
import { ChainClock } from './chain_clock.js';
import { EventList } from './event_list.js';
import { Feed, backoffMs } from './feed.js';
import { StreamBook } from './stream_book.js';
import { StreamDetails } from './stream_details.js';
import { StreamTable } from './stream_table.js';
import { shortStreamId } from './text.js';
import { Ticker } from './ticker.js';
import { Totals } from './totals.js';

const HEALTH_EVERY_MS = 10_000;
const HEALTH_PATIENCE_MS = 2_000;
const ANNOUNCE_EVERY_MS = 3_000;

/** Wide enough for the picked stream to stand beside the table. */
const BESIDE = matchMedia('(min-width: 80rem)');

const place = (id) => document.getElementById(id);

/** One calm voice for screen readers: the latest thing worth saying, not each of many. */
const announce = (() => {
  let waiting = null;
  let timer = null;
  const say = () => {
    timer = null;
    if (waiting === null) return;
    place('announcer').textContent = waiting;
    waiting = null;
    timer = setTimeout(say, ANNOUNCE_EVERY_MS);
  };
  return (text) => {
    waiting = text;
    if (timer === null) say();
  };
})();

class Page {
  #core;
  #clock = new ChainClock();
  #book;
  #ticker;
  #table;
  #details;
  #totals;
  #events;
  #feed;
  #picked = null;
  #drawn = -1;
  #loads = 0;
  #tries = 0;
  #losses = 0;
  #still = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(core) {
    this.#core = core;
    this.#book = new StreamBook(core, STREAMS_MAX);
    this.#ticker = new Ticker(this.#book);
    this.#table = new StreamTable(core, place('streams'), (id) => this.#choose(id));
    this.#details = new StreamDetails(core, place('details'));
    this.#totals = new Totals(core, place('totals'));
    this.#events = new EventList(place('events'), (id) => this.#choose(id));
    this.#feed = new Feed({ address: feedAddress, parseCursor: core.cursor.parse }, {
      onState: (state) => this.#showConnection(state),
      onEntry: (entry) => this.#receive(entry),
      onService: (message) => this.#showService(message),
      onLost: (message) => this.#lose(message),
    });

    place('disconnect').addEventListener('click', () => {
      this.#feed.stop();
      place('resume').focus();
    });
    place('resume').addEventListener('click', () => {
      this.#feed.resume();
      place('disconnect').focus();
    });
    place('try-again').addEventListener('click', () => this.loadState());
    place('find').addEventListener('input', ({ target }) => {
      this.#table.find(target.value);
      this.#showCounts();
    });
    addEventListener('online', () => this.#feed.retryNow());
  }

  async start() {
    // The server's clock comes with its health; a health that is slow to come doesn't hold up the streams.
    await Promise.race([this.#followHealth(), new Promise((done) => { setTimeout(done, HEALTH_PATIENCE_MS); })]);
    await this.loadState();
    const frame = () => {
      requestAnimationFrame(frame);
      this.#draw();
    };
    requestAnimationFrame(frame);
  }

  /** Reads the streams as of one log position, and follows the log from there. */
  async loadState() {
    this.#loads += 1;
    const load = this.#loads;
    this.#show('loading');
    try {
      const { streams, hasMore, cursor } = await fetchStreams((loaded) => {
        place('loading-text').textContent = loaded === 0 ? 'Reading streams…' : `Reading streams… ${loaded}`;
      });
      if (load !== this.#loads) return;
      this.#book.replaceAll(streams);
      for (const stream of streams) this.#clock.observeClose(stream.asOf);
      place('more').hidden = !hasMore;
      this.#tries = 0;
      if (this.#picked === null || this.#book.get(this.#picked) === undefined) this.#pick(streams[0]?.id ?? null);
      this.#show(streams.length === 0 ? 'empty' : 'ready');
      this.#feed.start(cursor);
      if (cursor !== null) await this.#showLatestEvents(cursor);
    } catch (error) {
      if (load !== this.#loads) return;
      if (!(error instanceof ApiError)) throw error;
      this.#show('failed', error.message);
      const pause = backoffMs(this.#tries, Math.random);
      this.#tries += 1;
      setTimeout(() => {
        if (load === this.#loads) this.loadState();
      }, pause);
    }
  }

  async #showLatestEvents(cursor) {
    const { epoch, seq } = this.#core.cursor.parse(cursor);
    const count = BigInt(this.#events.length);
    const after = this.#core.cursor.format({ epoch, seq: seq > count ? seq - count : 0n });
    try {
      const entries = await fetchEvents(after, this.#events.length);
      // The feed may have brought newer ones already: those stay on top.
      if (place('events').children.length === 0) for (const entry of entries) this.#events.add(entry);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    this.#showCounts();
  }

  async #receive(entry) {
    this.#clock.observeClose(Date.parse(entry.closedAt) / 1000);
    this.#events.add(entry);
    this.#showCursor();
    if (entry.stream) {
      this.#put(entry.stream);
    } else if (entry.event === 'stream.retracted' && entry.streamId) {
      // What a rollback leaves of a stream whose creation it took back is for the service to say.
      const stream = await fetchStream(entry.streamId).catch(() => undefined);
      if (stream === null) this.#remove(entry.streamId);
      else if (stream !== undefined) this.#put(stream);
    }
  }

  #put(stream) {
    if (this.#book.put(stream) !== 'added') return;
    announce(`New stream ${shortStreamId(stream.id)}`);
    if (this.#picked === null) this.#pick(stream.id);
    this.#show('ready');
  }

  #remove(id) {
    this.#book.remove(id);
    if (this.#picked === id) this.#pick(this.#book.all()[0]?.id ?? null);
    if (this.#book.size === 0) this.#show('empty');
  }

  /** The feed can't go on from where it was: state is fetched again. */
  #lose({ resume }) {
    announce(resume === 'gap' ? 'Some history was pruned. Reading streams again.'
      : 'The log was replaced. Reading streams again.');
    if (resume === 'epoch_changed') this.#clock.reset();
    this.#events.clear();
    // At once the first time; a service that keeps refusing what it just gave isn't asked in a loop.
    const pause = this.#losses === 0 ? 0 : backoffMs(this.#losses, Math.random);
    this.#losses += 1;
    setTimeout(() => this.loadState(), pause);
  }

  /** What a person picks is brought into sight where it isn't beside the table. */
  #choose(id) {
    if (this.#book.get(id) === undefined) return;
    this.#pick(id);
    if (BESIDE.matches) return;
    requestAnimationFrame(() => place('details').scrollIntoView({ behavior: this.#still.matches ? 'auto' : 'smooth' }));
  }

  #pick(id) {
    this.#picked = id;
    this.#drawn = -1;
  }

  #draw() {
    if (this.#book.revision !== this.#drawn) {
      this.#drawn = this.#book.revision;
      this.#table.update(this.#book);
      this.#table.pick(this.#picked);
      this.#details.show(this.#picked === null ? null : this.#book.get(this.#picked) ?? null);
      if (this.#clock.isSet && this.#ticker.second !== null) this.#details.showExact(this.#ticker.second);
      this.#showCounts();
    }
    if (!this.#clock.isSet || this.#book.size === 0) return;
    const now = this.#clock.nowMs();
    const second = Math.floor(now / 1000);
    const isNewSecond = this.#ticker.turnTo(second);
    if (isNewSecond) {
      this.#table.showExact(this.#ticker);
      this.#totals.showExact(this.#book, this.#ticker);
      this.#details.showExact(second);
    }
    if (this.#still.matches) return;
    this.#table.showMoving(this.#ticker, now % 1000);
    this.#totals.showMoving(now % 1000);
  }

  #show(state, message = '') {
    document.body.dataset.state = state;
    place('loading').hidden = state !== 'loading' || this.#book.size > 0;
    place('empty').hidden = state !== 'empty';
    place('failed').hidden = state !== 'failed';
    place('failed-text').textContent = message;
    place('content').hidden = this.#book.size === 0;
    if (state === 'failed') announce(message);
  }

  #showCounts() {
    const shown = this.#table.shown;
    const all = this.#book.size;
    const streams = `${all.toLocaleString('en')} stream${all === 1 ? '' : 's'}`;
    place('count').textContent = shown === all ? streams : `${shown.toLocaleString('en')} of ${streams}`;
    place('none-found').hidden = shown > 0 || all === 0;
    place('no-events').hidden = place('events').children.length > 0;
  }

  #showCursor() {
    const { cursor } = this.#feed;
    place('cursor').textContent = cursor ?? '—';
  }

  #showConnection(state) {
    const texts = {
      connecting: 'Connecting…',
      live: 'Live',
      reconnecting: `Reconnecting, try ${state.tries}`,
      stopped: 'Disconnected',
    };
    const pill = place('connection');
    if (state.phase === 'live') this.#losses = 0;
    const changed = pill.dataset.phase !== state.phase;
    pill.dataset.phase = state.phase;
    pill.querySelector('.pill-text').textContent = texts[state.phase];
    place('disconnect').hidden = state.phase === 'stopped';
    place('resume').hidden = state.phase !== 'stopped';
    this.#showCursor();
    if (changed && state.phase !== 'connecting') announce(`Connection: ${texts[state.phase]}`);
  }

  #showService({ event, reason = '' }) {
    const why = reason.replace(/\.$/, '');
    const texts = {
      'service.degraded': `The service has trouble: ${why}. Figures go on from the last state it knows.`,
      error: `The feed answered: ${why}.`,
    };
    const text = texts[event] ?? '';
    place('degraded').hidden = text === '';
    place('degraded').textContent = text;
    if (text !== '') announce(text);
    if (event === 'service.recovered') announce('The service has recovered.');
  }

  async #followHealth() {
    const look = async () => {
      if (!document.hidden) await this.#showHealth();
      setTimeout(look, HEALTH_EVERY_MS);
    };
    await look();
  }

  async #showHealth() {
    const pill = place('indexer');
    try {
      const health = await fetchHealth();
      this.#clock.observeServer(Date.parse(health.timestamp));
      const { status, summary, lastLedger } = health.indexer;
      pill.dataset.status = status;
      pill.title = summary ?? '';
      pill.querySelector('.pill-text').textContent = status === 'not_configured' ? 'No indexer'
        : `Indexer ${status}`;
      place('ledger').textContent = lastLedger > 0 ? lastLedger.toLocaleString('en') : '—';
      place('network').textContent = networkName(health.network);
      if (health.status === 'ok') {
        this.#showService({ event: 'service.ok' });
      } else if (place('degraded').hidden) {
        this.#showService({ event: 'service.degraded', reason: summary ?? health.status });
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      pill.dataset.status = 'unknown';
      pill.querySelector('.pill-text').textContent = 'Indexer unknown';
    }
  }
}

/** "Public Global Stellar Network ; September 2015" without its date. */
function networkName(passphrase) {
  return passphrase?.split(' ; ')[0] ?? '';
}

try {
  await new Page(await load()).start();
} catch (error) {
  place('loading').hidden = true;
  place('failed').hidden = false;
  place('failed-text').textContent = `The page could not start: ${error.message}`;
  throw error;
}
