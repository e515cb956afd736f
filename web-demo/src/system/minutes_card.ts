import { STEPS, STEP_SECONDS, type Vitals } from '../live/vitals.js';
import { h, setText } from '../ui/dom.js';
import { card } from './figures.js';
import { elapsed, rate } from './quantities.js';
import { createStepChart } from './step_chart.js';

/** How many of the last steps are called "the last minute". */
const MINUTE_STEPS = 60 / STEP_SECONDS;

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** Now is what was told of in the last two steps: a step that has just begun may hold nothing yet. */
export function lagText(lags: readonly (number | null)[]): string {
  const known = lags.filter((value) => value !== null);
  if (known.length === 0) return 'nothing is known of it yet.';
  const now = lags.slice(-2).findLast((value) => value !== null) ?? null;
  return `${now === null ? 'unknown' : elapsed(now)} now, at most ${elapsed(Math.max(...known))} in the last five minutes.`;
}

/** The last five minutes, drawn: what came with the feed, and how far the service was behind the chain. */
export function createMinutesCards(vitals: Vitals) {
  const perSecond = (value: number) => `${rate(value)} a second`;
  const entries = { chart: createStepChart(1, perSecond), text: h('p', { class: 'how' }) };
  const lag = { chart: createStepChart(100, elapsed), text: h('p', { class: 'how' }) };
  const elements = [
    card('Log entries a second', entries.chart.element, entries.text),
    card('Lag of the indexer', lag.chart.element, lag.text),
  ];

  const show = () => {
    const rates = vitals.entries().map((value) => (value === null ? null : value / STEP_SECONDS));
    const lately = sum(vitals.entries().slice(STEPS - MINUTE_STEPS));
    const came = `${lately} ${lately === 1 ? 'entry' : 'entries'} came with the feed in the last minute`;
    const most = Math.max(0, ...rates.map((value) => value ?? 0));
    setText(entries.text, `${came}.`);
    entries.chart.show(rates, `Log entries a second over the last five minutes: at most ${rate(most)}. ${came}.`);

    const lags = vitals.lag();
    const said = lagText(lags);
    setText(lag.text, `Time since the indexer was last level with the chain: ${said}`);
    lag.chart.show(lags, `Lag of the indexer over the last five minutes: ${said}`);
  };
  return { elements, show };
}
