import type { Health } from '../live/health_watch.js';
import { networkName } from '../text/health.js';
import { timeOfDay } from '../text/times.js';
import { h, setText } from '../ui/dom.js';
import { card, createFigure, figureList } from './figures.js';
import { count, elapsed } from './quantities.js';
import { verdictOf } from './verdict.js';

type Known = { readonly health: Health; readonly at: number } | null;

/** How the service is, in one word and a few sentences. */
export function createVerdictCard() {
  const parts = ['title', 'text', 'impact', 'action'] as const;
  const places = {
    title: h('p', { class: 'verdict-title', 'data-verdict': '' }),
    text: h('p', { class: 'verdict-text' }),
    impact: h('p', { class: 'how' }),
    action: h('p', { class: 'how' }),
  };
  const facts = h('dl', { class: 'facts' });
  const version = fact(facts, 'Version');
  const network = fact(facts, 'Network');
  const asOf = fact(facts, 'Last answer');
  const element = h('section', { class: 'card verdict', 'aria-label': 'Verdict' },
    h('div', {}, ...Object.values(places)), facts);

  const show = (health: Health | null | undefined, known: Known) => {
    const verdict = verdictOf(health);
    element.dataset.tone = verdict.tone;
    for (const part of parts) setText(places[part], verdict[part]);
    setText(version, known?.health.version ?? '—');
    setText(network, known === null ? '—' : networkName(known.health.network ?? '') || 'none');
    setText(asOf, known === null ? 'none yet' : `${timeOfDay(Math.floor(known.at / 1000))} UTC`);
  };
  return { element, show };
}

function fact(list: HTMLElement, label: string): HTMLElement {
  const value = h('dd');
  list.append(h('dt', { text: label }), value);
  return value;
}

/** The indexer's and the server's figures, of the last answer that there was. */
export function createIndexerCard() {
  const figures = {
    last: createFigure('last-ledger', 'Last ledger', 'The newest one whose events are in the log.'),
    safe: createFigure('safe-ledger', 'Last safe ledger', 'The chain’s newest, less a margin for forks.'),
    behind: createFigure('behind', 'Still to index', 'Ledgers between the two: the ledger lag.'),
    sync: createFigure('since-sync', 'Since the last sync', ''),
    connections: createFigure('connections', 'Connections', 'WebSocket clients of this instance, this page too.'),
  };
  const limit = figures.sync.element.querySelector('.note')!;
  const element = card('Indexer and feeds', figureList(figures));

  const show = (known: Known) => {
    if (known === null) return;
    const { indexer, wsConnections } = known.health;
    figures.connections.show(count(wsConnections));
    if (indexer.status === 'not_configured') {
      setText(limit, 'No chain is followed.');
      return;
    }
    const { lastLedger, lastSafeLedger } = indexer;
    figures.last.show(count(lastLedger));
    figures.safe.show(lastSafeLedger === 0 ? '—' : count(lastSafeLedger));
    figures.behind.show(lastSafeLedger === 0 ? '—' : count(Math.max(0, lastSafeLedger - lastLedger)));
    figures.sync.show(elapsed(indexer.lagMs));
    setText(limit, `Over ${elapsed(indexer.thresholdMs)} it counts as stalled.`);
  };
  return { element, show };
}

const DEPENDENCIES = {
  postgres: ['PostgreSQL', 'The log and the streams'],
  rpc: ['Stellar RPC', 'Where ledgers and events come from'],
  horizon: ['Horizon', 'A witness to what the RPC says'],
  redis: ['Redis', 'What several instances share'],
} as const;

const STATES = { healthy: 'healthy', unhealthy: 'unhealthy', not_configured: 'not used' };

/** What the service itself depends on. */
export function createDependenciesCard() {
  const states = Object.fromEntries(Object.keys(DEPENDENCIES)
    .map((name) => [name, h('span', { class: 'dependency-state' })]));
  const rows = Object.entries(DEPENDENCIES).map(([name, [title, purpose]]) => h('li', { 'data-dependency': name },
    h('span', {}, h('span', { class: 'first', text: title }), h('span', { class: 'note', text: purpose })),
    states[name]!));
  const element = card('What it depends on', h('ul', { class: 'dependencies' }, ...rows));

  const show = (known: Known) => {
    for (const [name, place] of Object.entries(states)) {
      const state = known?.health.dependencies[name as keyof typeof DEPENDENCIES];
      place.dataset.state = state ?? 'unknown';
      setText(place, state === undefined ? 'unknown' : STATES[state]);
    }
  };
  show(null);
  return { element, show };
}
