import type { App } from '../app.js';
import { copyButton } from '../ui/copy_button.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import { HEADER_NAMES, newSecret, type Draft, type DraftField, type Sent, type SigningProblem } from './delivery.js';
import { deliveryOf } from './sample_delivery.js';

const LABELS: Record<DraftField, string> = {
  secret: 'Secret',
  id: 'Delivery id',
  timestamp: 'Timestamp, unix seconds',
  body: 'Body',
};

export interface SenderCard {
  readonly element: HTMLElement;
  /** Shows what came of the draft. */
  draw(outcome: Sent | SigningProblem): void;
}

interface Input {
  readonly element: HTMLElement;
  readonly control: HTMLInputElement | HTMLTextAreaElement;
  readonly problem: HTMLElement;
}

/** A field with a place for what is wrong in it. */
function inputFor(field: DraftField, control: Input['control'], ...beside: HTMLElement[]): Input {
  const id = uniqueId('sign');
  control.id = id;
  control.dataset.field = field;
  const problem = h('p', { class: 'problem', id: `${id}-problem`, hidden: true });
  const line = h('div', { class: 'with-buttons' }, control, ...beside);
  const element = h('div', { class: 'field' }, h('label', { for: id, text: LABELS[field] }), line, problem);
  return { element, control, problem };
}

function showProblem({ control, problem }: Input, text: string | null): void {
  problem.hidden = text === null;
  problem.textContent = text;
  if (text === null) {
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-describedby');
  } else {
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', problem.id);
  }
}

/** Where a payload is composed and signed. `onDraft` hears of each change. */
export function createSenderCard(app: App, first: Draft, onDraft: (draft: Draft) => void): SenderCard {
  const plain = { type: 'text', class: 'mono', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' };
  const button = (text: string, click: () => void) =>
    h('button', { type: 'button', class: 'action', text, on: { click } });
  const put = (changes: Partial<Draft>) => {
    for (const [field, text] of Object.entries(changes)) inputs[field as DraftField].control.value = text;
    tell();
  };
  const newest = () => app.feed.log.items.findLast((item) => item.type === 'entry');
  const latest = button('Newest entry of the feed', () => put(deliveryOf(newest()!.entry)));
  latest.disabled = newest() === undefined;
  app.feed.onEntry.add(() => { latest.disabled = false; });

  const inputs: Record<DraftField, Input> = {
    secret: inputFor('secret', h('input', plain), button('New', () => put({ secret: newSecret() }))),
    id: inputFor('id', h('input', plain)),
    timestamp: inputFor('timestamp', h('input', { ...plain, inputmode: 'numeric' }),
      button('Now', () => put({ timestamp: unixNow() }))),
    body: inputFor('body', h('textarea', { rows: '15', spellcheck: 'false' })),
  };
  const draft = (): Draft => ({
    secret: inputs.secret.control.value,
    id: inputs.id.control.value,
    timestamp: inputs.timestamp.control.value,
    body: inputs.body.control.value,
  });
  const tell = () => onDraft(draft());
  for (const [field, { control }] of Object.entries(inputs)) {
    control.value = first[field as DraftField];
    control.addEventListener('input', tell);
  }

  let headers: Partial<Sent['headers']> = {};
  const values = HEADER_NAMES.map((name) => h('dd', { class: 'mono', 'data-header': name }));
  const list = h('dl', { class: 'signed' }, ...HEADER_NAMES.flatMap((name, i) => {
    const copy = copyButton('Copy', () => headers[name] ?? '', app.announce);
    copy.setAttribute('aria-label', `Copy ${name}`);
    return [h('div', {}, h('dt', { class: 'mono', text: name }), values[i]!, h('dd', { class: 'copy' }, copy))];
  }));
  const all = () => HEADER_NAMES.map((name) => `${name}: ${headers[name] ?? ''}`).join('\n');
  const signed = h('div', { class: 'signed-headers' },
    h('div', { class: 'small-head' }, h('h4', { text: 'Signed headers' }), copyButton('Copy all', all, app.announce)),
    list);

  const title = uniqueId('sender');
  const element = h('section', { class: 'card sender', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Sender' }),
      h('span', { class: 'count', text: 'what the service does' })),
    h('div', { class: 'card-body stack' },
      inputs.secret.element,
      h('p', { class: 'note', text: 'Made in this browser. It never leaves the page, and is gone with it.' }),
      h('div', { class: 'pair' }, inputs.id.element, inputs.timestamp.element),
      inputs.body.element,
      h('div', { class: 'actions' }, latest),
      signed));

  return {
    element,
    draw(outcome) {
      const problem = 'headers' in outcome ? null : outcome;
      for (const [field, input] of Object.entries(inputs)) {
        showProblem(input, problem?.field === field ? `${problem.message} ${problem.code}` : null);
      }
      headers = 'headers' in outcome ? outcome.headers : {};
      HEADER_NAMES.forEach((name, i) => setText(values[i]!, headers[name] ?? '—'));
    },
  };
}

export function unixNow(): string {
  return String(Math.floor(Date.now() / 1000));
}
