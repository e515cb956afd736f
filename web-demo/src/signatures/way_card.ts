import { h, uniqueId } from '../ui/dom.js';
import type { Received, Sent } from './delivery.js';
import { TAMPERING_GROUPS, type Tampering } from './tampering.js';

export interface WayCard {
  readonly element: HTMLElement;
  /** Buttons that would change nothing are out of use. */
  draw(sent: Sent | null, received: Received): void;
}

/** What can be done to a delivery on its way. */
export function createWayCard(onTamper: (tampering: Tampering) => void, onReset: () => void): WayCard {
  const buttons = new Map<Tampering, HTMLButtonElement>();
  const groups = TAMPERING_GROUPS.map(({ title, tamperings }) => {
    const id = uniqueId('tamper');
    for (const tampering of tamperings) {
      buttons.set(tampering, h('button', {
        type: 'button',
        class: 'action',
        text: tampering.label,
        'data-tamper': tampering.name,
        on: { click: () => onTamper(tampering) },
      }));
    }
    return h('div', { role: 'group', 'aria-labelledby': id },
      h('h4', { id, text: title }),
      h('div', { class: 'actions' }, ...tamperings.map((tampering) => buttons.get(tampering)!)));
  });
  const reset = h('button', { type: 'button', class: 'action push', text: 'Reset', on: { click: onReset } });
  const title = uniqueId('way');
  const element = h('section', { class: 'card way', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'On its way' }),
      h('span', { class: 'count', text: 'change anything' }), reset),
    h('div', { class: 'card-body stack' }, ...groups));
  return {
    element,
    draw(sent, received) {
      // One that holds already stays in reach of the keyboard: aria-disabled keeps the focus where it is.
      for (const [tampering, button] of buttons) {
        button.disabled = sent === null;
        const isDone = sent !== null && isSame(tampering.apply(received, sent), received);
        button.setAttribute('aria-disabled', String(isDone));
      }
      reset.disabled = sent === null;
    },
  };
}

function isSame(one: Received, other: Received): boolean {
  return one.body === other.body && one.padding === other.padding && one.clock === other.clock &&
    one.secrets === other.secrets && one.requireStandard === other.requireStandard &&
    Object.entries(one.headers).every(([name, value]) => value === other.headers[name as keyof Received['headers']]);
}
