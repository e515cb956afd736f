import type { FluxoraCore } from '@fluxora/core';

import { h, uniqueId } from '../ui/dom.js';
import { ROUNDINGS } from './core_column.js';
import { comparedDigits } from './digits.js';
import { COLUMNS, outcomeText } from './outcome_view.js';
import { roundedQuotients, sums } from './sums.js';

/** The sums, a row each, with what each of the three makes of them. Roles are named: narrow screens lay it out anew. */
export function createSumTable(core: FluxoraCore): HTMLElement {
  const title = uniqueId('sums');
  const head = h('tr', { role: 'row' }, h('th', { role: 'columnheader', scope: 'col', text: 'Sum' }),
    ...COLUMNS.map((column) => h('th', { role: 'columnheader', scope: 'col' },
      column.title, ' ', h('span', { class: 'note', text: column.note }))));
  const rows = sums(core).map((sum) => h('tr', { role: 'row' },
    h('th', { role: 'rowheader', scope: 'row' },
      h('span', { class: 'sum-title', text: sum.title }), h('span', { class: 'note', text: sum.remark })),
    ...COLUMNS.map(({ key, title: name }) => h('td', { role: 'cell', 'data-column': key },
      h('span', { class: 'narrow-only note', 'aria-hidden': 'true', text: name }), outcomeText(sum[key], sum.core)))));
  return h('section', { class: 'card', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'The same sums, three ways' }),
      h('span', { class: 'count' }, 'digits that aren’t the core’s are ', h('mark', { text: 'marked' }))),
    h('table', { class: 'sums', role: 'table', 'aria-labelledby': title },
      h('thead', { role: 'rowgroup' }, head), h('tbody', { role: 'rowgroup' }, ...rows)));
}

const TOWARDS_ZERO = ROUNDINGS.indexOf('down');

/** What each way of rounding makes of quotients that no amount is. */
export function createRoundingTable(core: FluxoraCore): HTMLElement {
  const title = uniqueId('roundings');
  return h('section', { class: 'card', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Rounding is always said' }),
      h('span', { class: 'count', text: 'tinted where it went away from zero' })),
    h('div', { class: 'scroller', tabindex: '0', role: 'group', 'aria-labelledby': title },
      h('table', { class: 'roundings' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col', text: 'Quotient' }),
        ...ROUNDINGS.map((rounding) => h('th', { scope: 'col', class: 'mono', text: rounding })))),
      h('tbody', {}, ...roundedQuotients(core).map(({ title: quotient, figures }) => h('tr', {},
        h('th', { scope: 'row', class: 'mono', text: quotient }),
        ...figures.map((figure) => h('td', { class: 'mono' },
          ...comparedDigits(figure, figures[TOWARDS_ZERO]!).map(({ text, differs }) => (
            differs ? h('span', { class: 'rounded', text }) : text.replace('-', '−')))))))))));
}
