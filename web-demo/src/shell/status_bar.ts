import type { FeedState } from '../live/feed_session.js';
import type { Health } from '../live/health_watch.js';
import { indexerText, networkName } from '../text/health.js';
import { byId, setText } from '../ui/dom.js';
import type { App } from '../app.js';
import { troubleText } from './trouble.js';

const TICK_MS = 1_000;

/** How the connection stands, in a few words. */
export function connectionText(state: FeedState, now: number): string {
  switch (state.phase) {
    case 'connecting': return 'Connecting…';
    case 'live': return 'Live';
    case 'refetching': return 'Reading streams…';
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((state.until - now) / 1000));
      return seconds === 0 ? 'Reconnecting…' : `Reconnecting in ${seconds} s`;
    }
    case 'cut': return 'Cut';
    case 'refused': return 'Refused';
  }
}

/** The head of the page: which network, how the indexer and the connection stand, and the service's trouble. */
export function followStatus(app: App): void {
  const connection = byId('connection');
  const showConnection = () => {
    const { state } = app.feed;
    connection.dataset.phase = state.phase;
    setText(connection.querySelector('.pill-text')!, connectionText(state, performance.now()));
  };
  let announced = '';
  app.feed.onState.add((state) => {
    showConnection();
    // Attempts aren't news; what came of them is.
    if (state.phase === 'connecting' || state.phase === announced) return;
    announced = state.phase;
    app.announce(`Connection: ${connectionText(state, performance.now())}`);
  });
  showConnection();
  setInterval(showConnection, TICK_MS);
  const showCursor = () => { connection.dataset.cursor = app.feed.cursor ?? ''; };
  app.feed.onReset.add(showCursor);
  app.feed.onEntry.add(showCursor);

  const indexer = byId('indexer');
  app.health.onHealth.add((health) => showIndexer(indexer, health));

  followTrouble(app);
}

function showIndexer(indexer: HTMLElement, health: Health | null): void {
  const isReorg = health?.indexer.status === 'healthy' && health.indexer.reorgDetected;
  indexer.dataset.status = isReorg ? 'reorg' : health?.indexer.status ?? 'unknown';
  indexer.title = health?.indexer.summary ?? '';
  setText(indexer.querySelector('.pill-text')!, indexerText(health));
  if (health === null) return;
  setText(byId('network'), networkName(health.network ?? ''));
  setText(byId('ledger'), health.indexer.lastLedger > 0 ? health.indexer.lastLedger.toLocaleString('en') : '—');
}

/** The line below the head: there as long as something is wrong, spoken when it changes. */
function followTrouble(app: App): void {
  const banner = byId('trouble');
  let notice: string | null = null;
  let health: Health | null | undefined;
  const show = () => {
    const text = troubleText({ online: navigator.onLine, phase: app.feed.state.phase, health, notice });
    if (banner.textContent === (text ?? '')) return;
    banner.hidden = text === null;
    banner.textContent = text;
    app.announce(text ?? 'The trouble is over.');
  };
  app.feed.onState.add(show);
  app.feed.onService.add(({ event, reason }) => {
    notice = event === 'service.degraded' ? reason : null;
    show();
  });
  app.health.onHealth.add((answer) => {
    health = answer;
    if (answer?.status === 'ok') notice = null;
    show();
  });
  addEventListener('offline', show);
  addEventListener('online', show);
}

/** Nobody waits for the next try when the network or the service is back, or the page is looked at again. */
export function hurryBack(app: App): void {
  const { feed, health } = app;
  const resume = () => { if (feed.state.phase === 'waiting') feed.resume(); };
  const look = () => { void health.look(); };
  // A connection that is lost is the first that the page hears of a service that is away.
  feed.onState.add(({ phase }) => { if (phase === 'waiting' && health.latest !== null) look(); });
  let wasAway = false;
  health.onHealth.add((answer) => {
    const isAway = answer === null || answer.status === 'shutting_down';
    if (wasAway && !isAway) resume();
    wasAway = isAway;
  });
  const hurry = () => {
    look();
    resume();
  };
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) hurry(); });
}
