import type { Rounding } from '@fluxora/core';

import type { App } from '../app.js';
import { h, uniqueId } from '../ui/dom.js';
import { bigintResult } from './bigint_column.js';
import { ROUNDINGS, coreResult } from './core_column.js';
import { floatResult, type Operation } from './float_column.js';
import { outcomeOf } from './outcome.js';
import { outcomeList } from './outcome_view.js';
import { MEANINGS, TEXT_MAX } from './reading.js';

const OPERATIONS: readonly [Operation, string][] =
  [['+', 'plus'], ['−', 'minus'], ['×', 'times'], ['÷', 'divided by']];

/** The reader's own sum, three ways. */
export function createOwnSum({ core, announce }: App): HTMLElement {
  const field = (label: string, control: HTMLElement) => {
    control.id = uniqueId('own');
    return h('div', { class: 'field' }, h('label', { for: control.id, text: label }), control);
  };
  const text = (value: string) => h('input', {
    type: 'text', class: 'mono', value, autocomplete: 'off', spellcheck: 'false', inputmode: 'decimal',
    maxlength: TEXT_MAX,
  });
  const [a, b] = [text('1234567.8901234'), text('0.0000116')];
  const operation = h('select', {},
    ...OPERATIONS.map(([value, name]) => h('option', { value, text: `${value} ${name}` })));
  operation.value = '×';
  const rounding = h('select', {}, ...ROUNDINGS.map((value) => h('option', { value, text: value })));
  rounding.value = 'half_even';
  const result = h('div', { class: 'result' });
  const form = h('div', { class: 'operands' },
    field('a', a), field('Operation', operation), field('b', b), field('Rounding', rounding));

  const draw = () => {
    const chosen = operation.value as Operation;
    rounding.disabled = chosen === '+' || chosen === '−';
    for (const input of [a, b]) {
      input.setAttribute('aria-invalid', String('error' in outcomeOf(() => core.amounts.parse(input.value))));
    }
    const way = rounding.value as Rounding;
    const outcome = outcomeOf(() => coreResult(core, a.value, chosen, b.value, way), core.amounts.format);
    result.replaceChildren(
      outcomeList({
        float: outcomeOf(() => floatResult(a.value, chosen, b.value)),
        bigint: outcomeOf(() => bigintResult(a.value, chosen, b.value)),
        core: outcome,
      }),
      ...('error' in outcome ? [h('p', { class: 'note', text: MEANINGS[outcome.error] ?? '' })] : []));
    return 'error' in outcome ? outcome.error : outcome.figure;
  };
  form.addEventListener('input', () => announce(`The core says ${draw()}`));
  draw();

  const title = uniqueId('own');
  return h('section', { class: 'card', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Your own' })),
    h('div', { class: 'card-body stack' }, form, result));
}
