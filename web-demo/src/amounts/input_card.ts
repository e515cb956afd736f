import type { App } from '../app.js';
import { h, uniqueId } from '../ui/dom.js';
import { outcomeList } from './outcome_view.js';
import { MEANINGS, MINUS_SIGN_5, SAMPLES, TEXT_MAX, read, type Place, type Refusal } from './reading.js';

/** A sample's name on its button. */
function sampleLabel(text: string): string {
  if (text === '') return '(nothing)';
  if (text === MINUS_SIGN_5) return `${text} with a minus sign, not a hyphen`;
  return text.length > 45 ? `${text.length} digits` : text.replaceAll(' ', '␣');
}

/** Where in the text the core stopped. */
function placeText({ before, at, after, byte }: Place): HTMLElement {
  return h('p', { class: 'place mono' }, before,
    h('mark', at === '' ? { class: 'missing', text: '␣' } : { text: at.replace(' ', '␣') }), after,
    h('span', { class: 'note', text: at === '' ? `a digit is missing at byte ${byte}` : `byte ${byte}` }));
}

function refusalText({ code, message, place }: Refusal): HTMLElement {
  return h('div', { class: 'refusal' },
    h('p', { class: 'refusal-code mono', text: code }),
    place === null ? null : placeText(place),
    h('p', { text: message }),
    h('p', { class: 'note', text: MEANINGS[code] ?? '' }));
}

/** A text, as each of the three reads it, and the core's code where it is no amount. */
export function createInputCard({ core, announce }: App): HTMLElement {
  const id = uniqueId('input');
  const input = h('input', {
    id, type: 'text', class: 'mono', value: SAMPLES[0], maxlength: TEXT_MAX,
    autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    on: { input: () => say() },
  });
  const result = h('div', { class: 'result' });
  const draw = () => {
    const reading = read(core, input.value);
    const { refusal } = reading;
    input.setAttribute('aria-invalid', String(refusal !== null));
    result.replaceChildren(
      outcomeList(reading),
      refusal === null ? h('p', { class: 'note', text: 'An amount, and written like this.' }) : refusalText(refusal));
    return 'error' in reading.core ? reading.core.error : reading.core.figure;
  };
  const say = () => announce(`The core says ${draw()}`);
  draw();

  const pick = (text: string) => {
    input.value = text;
    say();
  };
  const samples = h('div', { class: 'samples', role: 'group', 'aria-label': 'Samples' }, ...SAMPLES.map((text) =>
    h('button', { type: 'button', class: 'action mono', text: sampleLabel(text), on: { click: () => pick(text) } })));
  const title = uniqueId('bad');
  return h('section', { class: 'card', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Bad input' }),
      h('span', { class: 'count', text: 'each kind has its code' })),
    h('div', { class: 'card-body stack' },
      h('div', { class: 'field' }, h('label', { for: id, text: 'An amount, as it comes in' }), input),
      samples, result));
}
