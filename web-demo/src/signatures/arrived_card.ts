import { dateTime } from '../text/times.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import {
  HEADER_NAMES, receiversTime, type HeaderName, type KnownSecrets, type Received, type Sent,
} from './delivery.js';
import { bodyDifference } from './differences.js';

export interface ArrivedCard {
  readonly element: HTMLElement;
  draw(sent: Sent | null, received: Received): void;
}

const SECRETS: readonly [KnownSecrets, string][] = [
  ['same', 'The sender’s'],
  ['in_grace', 'A new one; the sender’s in its grace'],
  ['past_grace', 'A new one; the sender’s past its grace'],
  ['another', 'Another one'],
  ['none', 'None'],
];
/** How far the clock can be set: a day. */
const CLOCK_MAX_SECONDS = 86_400;
/** Of a long stretch that differs, this much is shown. */
const STRETCH_MAX = 48;

/** Line breaks and the ends of long texts, so that they can be seen. */
function visible(text: string): string {
  const short = text.length > STRETCH_MAX ? `${text.slice(0, STRETCH_MAX)}…` : text;
  return short.replaceAll('\n', '↵').replaceAll(' ', '␣');
}

/** What arrives, and the receiver: everything can be changed by hand. */
export function createArrivedCard(onChange: (change: (received: Received) => Received) => void): ArrivedCard {
  const headers = HEADER_NAMES.map((name) => createHeader(name, onChange));

  const bodyId = uniqueId('body');
  const body = h('textarea', {
    id: bodyId,
    rows: '9',
    spellcheck: 'false',
    on: { input: () => onChange((received) => ({ ...received, body: body.value })) },
  });
  const padding = h('p', { class: 'note', hidden: true });
  const stretch = h('p', { class: 'stretch mono', hidden: true });

  const clockId = uniqueId('clock');
  const clock = h('input', {
    id: clockId,
    type: 'number',
    step: '1',
    min: String(-CLOCK_MAX_SECONDS),
    max: String(CLOCK_MAX_SECONDS),
    on: {
      input: () => {
        // Not its text: "1e3" and "60.0" are whole numbers too.
        const seconds = clock.valueAsNumber;
        const isTaken = clock.checkValidity() && Number.isInteger(seconds);
        clock.setAttribute('aria-invalid', String(!isTaken));
        if (isTaken) onChange((received) => ({ ...received, clock: BigInt(seconds) }));
      },
    },
  });
  const time = h('p', { class: 'note' });

  const secretsId = uniqueId('secrets');
  const secrets = h('select', {
    id: secretsId,
    on: { change: () => onChange((received) => ({ ...received, secrets: secrets.value as KnownSecrets })) },
  }, ...SECRETS.map(([value, text]) => h('option', { value, text })));
  const standard = h('input', {
    type: 'checkbox',
    on: { change: () => onChange((received) => ({ ...received, requireStandard: standard.checked })) },
  });

  const title = uniqueId('arrived');
  const fields = h('fieldset', { class: 'plain stack' },
    h('legend', { class: 'visually-hidden', text: 'What arrives, and the receiver' }),
    h('div', { class: 'header-list' }, ...headers.map(({ element }) => element)),
    h('div', { class: 'field' }, h('label', { for: bodyId, text: 'Body, as received' }), body, stretch, padding),
    h('div', { class: 'pair' },
      h('div', { class: 'field' }, h('label', { for: secretsId, text: 'Secrets it has' }), secrets),
      h('div', { class: 'field' }, h('label', { for: clockId, text: 'Its clock, seconds off' }), clock, time)),
    h('label', { class: 'check' }, standard, h('span', { text: 'Insist on the webhook-* headers' })));
  const element = h('section', { class: 'card arrived', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'What arrives' }),
      h('span', { class: 'count', text: 'or change it by hand' })),
    h('div', { class: 'card-body' }, fields));

  return {
    element,
    draw(sent, received) {
      fields.disabled = sent === null;
      for (const header of headers) header.draw(sent, received);
      // A field that is typed in has that value already.
      if (body.value !== received.body) body.value = received.body;
      if (clock.value !== String(received.clock)) {
        clock.value = String(received.clock);
        clock.setAttribute('aria-invalid', 'false');
      }
      secrets.value = received.secrets;
      standard.checked = received.requireStandard;
      padding.hidden = received.padding === 0;
      setText(padding, `and ${received.padding.toLocaleString('en')} spaces behind it`);
      setText(time, sent === null ? '' : dateTime(String(receiversTime(sent, received))));
      drawStretch(stretch, sent?.body ?? received.body, received.body);
    },
  };
}

interface Header {
  readonly element: HTMLElement;
  draw(sent: Sent | null, received: Received): void;
}

function createHeader(name: HeaderName, onChange: (change: (received: Received) => Received) => void): Header {
  const id = uniqueId('header');
  const state = h('span', { class: 'header-state' });
  const input = h('input', {
    id,
    class: 'mono',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: 'absent',
    'data-received': name,
    on: {
      input: () => onChange((received) => ({ ...received, headers: { ...received.headers, [name]: input.value } })),
    },
  });
  const element = h('div', { class: 'field' },
    h('label', { for: id }, h('span', { class: 'mono', text: name }), ' ', state), input);
  return {
    element,
    draw(sent, received) {
      const value = received.headers[name];
      if (input.value !== value) input.value = value;
      const isChanged = sent !== null && value !== sent.headers[name];
      element.classList.toggle('changed', isChanged);
      setText(state, !isChanged ? '' : value === '' ? 'missing' : 'changed');
    },
  };
}

/** The place where the body isn't what was sent, with a little around it. */
function drawStretch(place: HTMLElement, sent: string, received: string): void {
  const difference = bodyDifference(sent, received);
  place.hidden = difference === null;
  place.replaceChildren();
  if (difference === null) return;
  const { byte, before, was, now, after } = difference;
  const said = (text: string) => h('span', { class: 'visually-hidden', text });
  place.append(
    h('span', { class: 'stretch-at', text: `byte ${byte.toLocaleString('en')}` }), ' ',
    before,
    ...(was === '' ? [] : [said(' was '), h('del', { text: visible(was) })]),
    ...(now === '' ? [] : [said(' is '), h('ins', { text: visible(now) })]),
    after);
}
