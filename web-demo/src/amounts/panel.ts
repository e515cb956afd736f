import './amounts.css';

import type { CreatePanel } from '../app.js';
import { h } from '../ui/dom.js';
import { createInputCard } from './input_card.js';
import { createOwnSum } from './own_sum.js';
import { createRoundingTable, createSumTable } from './sum_table.js';

const INTRODUCTION = 'An amount is a whole number of ten-millionths, in 128 bits, and text wherever it travels. Here ' +
  'is what becomes of the same sums in a float, in BigInt by hand, and in the core that the service runs.';

/** The same sums in float, BigInt and the core. */
export const create: CreatePanel = (app) => {
  const element = h('div', { class: 'panel amounts' },
    h('div', { class: 'intro' }, h('h2', { text: 'Amounts' }),
      h('p', { class: 'how', text: INTRODUCTION })),
    createSumTable(app.core),
    h('div', { class: 'two' },
      h('div', { class: 'column' }, createOwnSum(app), createRoundingTable(app.core)),
      createInputCard(app)));
  return { element, title: 'Amounts', show() {}, hide() {} };
};
