import './system.css';

import type { CreatePanel } from '../app.js';
import { h } from '../ui/dom.js';
import { card } from './figures.js';
import { createMinutesCards } from './minutes_card.js';
import { createPageCard } from './page_card.js';
import { createDependenciesCard, createIndexerCard, createVerdictCard } from './service_cards.js';

/** Who looks here wants to know sooner than the rest of the page does. */
const LOOK_EVERY_MS = 2_000;

const LINKS = [
  ['health', 'Health', 'What is shown here, as JSON'],
  ['metrics', 'Metrics', 'For Prometheus'],
  ['docs', 'API', 'Its description, to read'],
  ['openapi.json', 'OpenAPI', 'The same for machines'],
] as const;

export const create: CreatePanel = (app) => {
  const { health } = app;
  const verdict = createVerdictCard();
  const indexer = createIndexerCard();
  const dependencies = createDependenciesCard();
  const minutes = createMinutesCards(app.vitals);
  const page = createPageCard(app);
  const links = h('ul', { class: 'links' }, ...LINKS.map(([path, title, what]) => h('li', {},
    h('a', { href: new URL(path, app.service.root).href, text: title }), h('span', { class: 'note', text: what }))));
  const element = h('div', { class: 'panel system' },
    h('h2', { class: 'visually-hidden', text: 'System' }), verdict.element, indexer.element, dependencies.element,
    ...minutes.elements, page.element, card('To read elsewhere', links));

  let hasAnswer = health.known !== null;
  const showService = () => {
    verdict.show(hasAnswer ? health.latest : undefined, health.known);
    indexer.show(health.known);
    dependencies.show(health.known);
    showPage();
  };
  const showPage = () => {
    minutes.show();
    page.show();
  };
  health.onHealth.add(() => {
    hasAnswer = true;
    if (timer !== undefined) showService();
  });

  // The streams have come: the page's figures are others at once.
  app.feed.onReset.add(() => { if (timer !== undefined) showPage(); });

  let timer: ReturnType<typeof setInterval> | undefined;
  const look = () => {
    if (document.hidden) return;
    showPage();
    void health.look();
  };
  return {
    element,
    title: 'System',
    show() {
      showService();
      look();
      timer ??= setInterval(look, LOOK_EVERY_MS);
    },
    hide() {
      clearInterval(timer);
      timer = undefined;
    },
  };
};
