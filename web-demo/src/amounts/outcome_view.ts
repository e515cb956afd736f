import { h } from '../ui/dom.js';
import { comparedDigits } from './digits.js';
import type { Outcome } from './outcome.js';

/** A figure with the digits marked that aren't the core's, or why there is none. */
export function outcomeText(outcome: Outcome, exact: Outcome): HTMLElement {
  if ('error' in outcome) return h('span', { class: 'outcome refused mono', text: outcome.error });
  const pieces = 'figure' in exact
    ? comparedDigits(outcome.figure, exact.figure)
    : [{ text: outcome.figure, differs: false }];
  return h('span', { class: 'outcome mono' },
    ...pieces.map(({ text, differs }) => (differs ? h('mark', { text }) : text)),
    pieces.some(({ differs }) => differs) && h('span', { class: 'visually-hidden', text: ' (differs)' }));
}

/** The columns, as they are called everywhere in the panel. */
export const COLUMNS = [
  { key: 'float', title: 'float', note: 'JavaScript’s number' },
  { key: 'bigint', title: 'BigInt', note: 'base units, by hand' },
  { key: 'core', title: 'the core', note: '@fluxora/core' },
] as const;

/** One outcome under each column's name, below one another. */
export function outcomeList(outcomes: Readonly<Record<'float' | 'bigint' | 'core', Outcome>>): HTMLElement {
  return h('dl', { class: 'outcomes' }, ...COLUMNS.map(({ key, title }) => h('div', { 'data-column': key },
    h('dt', { text: title }), h('dd', {}, outcomeText(outcomes[key], outcomes.core), unitsText(outcomes[key])))));
}

/** How many base units a figure is, where it was computed in them. */
function unitsText(outcome: Outcome): HTMLElement | null {
  if ('error' in outcome || outcome.units === undefined) return null;
  return h('span', { class: 'note', text: ` ${outcome.units} base units` });
}
