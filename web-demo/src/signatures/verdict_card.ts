import type { WebhookVerdict } from '@fluxora/core';

import { h, setText, uniqueId } from '../ui/dom.js';
import { CHECKS, checkStates, decidingFamily, okAlthough, type CheckState } from './checks.js';
import type { Received, Sent, SigningProblem } from './delivery.js';
import type { Difference, DifferencePlace } from './differences.js';

export interface VerdictCard {
  readonly element: HTMLElement;
  /** The verdict in one line, for narrow screens, where the card is out of sight. */
  readonly strip: HTMLElement;
  draw(sent: Sent, received: Received, verdict: WebhookVerdict, found: readonly Difference[]): void;
  /** Nothing was signed, so nothing arrives. */
  drawNothing(problem: SigningProblem): void;
}

const STATE_WORDS: Record<CheckState, string> = {
  passed: 'passed',
  decides: 'decides',
  unreached: 'not reached',
  elsewhere: 'the receiver’s memory says this, not the signature',
};

/** What the core says of what arrives, and how it came to it. */
export function createVerdictCard(onPutBack: (place: DifferencePlace) => void): VerdictCard {
  const code = h('p', { class: 'verdict-code mono', 'data-verdict': '', tabindex: '-1' });
  const status = h('p', { class: 'verdict-status' });
  const strip = h('p', { class: 'verdict-strip', 'aria-hidden': 'true' });
  const meaning = h('p', { class: 'verdict-meaning' });
  const family = h('p', { class: 'note' });
  const changes = h('ul', { class: 'changes', 'aria-label': 'What isn’t as it was sent' });
  const words = CHECKS.map(() => h('span', { class: 'check-word' }));
  const rows = CHECKS.map((check, i) => h('li', { 'data-check': check.code },
    h('span', { class: 'check-mark', 'aria-hidden': 'true' }),
    h('span', { class: 'check-condition' }, check.condition, ' ', words[i]!),
    h('span', { class: 'check-code mono' },
      check.code, ' ', h('span', { class: 'check-status', text: check.status }))));
  const title = uniqueId('verdict');
  const order = uniqueId('order');
  const element = h('section', { class: 'card verdict', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Verdict' }),
      h('span', { class: 'count', text: 'the core’s, as on a server' })),
    h('div', { class: 'card-body stack' },
      h('div', { class: 'verdict-head' }, code, status), meaning, family, changes,
      h('h4', { id: order, text: 'The checks, in their order' }),
      h('ol', { class: 'checks', 'aria-labelledby': order }, ...rows)));

  const head = (outcome: string, name: string, number: string) => {
    for (const place of [element, strip]) place.dataset.outcome = outcome;
    setText(code, name);
    setText(status, number);
    setText(strip, `${name} · ${number}`);
  };
  const mark = (states: readonly CheckState[]) => states.forEach((state, i) => {
    rows[i]!.dataset.state = state;
    setText(words[i]!, STATE_WORDS[state]);
  });
  /** The button goes: the next one is as good a place, or what came of it. */
  const putBack = (place: DifferencePlace) => {
    onPutBack(place);
    (changes.querySelector('button') ?? code).focus();
  };
  return {
    element,
    strip,
    draw(sent, received, verdict, found) {
      head(verdict.ok ? 'ok' : 'refused', verdict.code, `HTTP ${verdict.status}`);
      const although = verdict.ok ? okAlthough(received, found.length > 0, sent.id) : null;
      setText(meaning, although ?? CHECKS.find((check) => check.code === verdict.code)!.meaning);
      setText(family, `The ${decidingFamily(received)} headers decide.`);
      changes.replaceChildren(...found.map(({ place, text }) => h('li', {}, h('span', { text }),
        h('button', {
          type: 'button',
          class: 'link',
          text: 'Put back',
          'aria-label': `Put back: ${text}`,
          on: { click: () => putBack(place) },
        }))));
      mark(checkStates(verdict.code));
    },
    drawNothing({ code: problem, message }) {
      head('nothing', 'Nothing arrives', problem);
      setText(meaning, `The sender can’t sign this. ${message}`);
      setText(family, '');
      changes.replaceChildren();
      mark(CHECKS.map(() => 'unreached'));
    },
  };
}
