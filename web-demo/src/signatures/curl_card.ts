import type { App } from '../app.js';
import { copyButton } from '../ui/copy_button.js';
import { h, setText, uniqueId } from '../ui/dom.js';
import { curlCommand } from './curl.js';
import type { Received } from './delivery.js';

const HINT = 'Give your receiver the secret from above. A delivery is good for five minutes: ' +
  'press Now beside the timestamp, then copy.';
/** Where the examples of receivers listen (edge/examples). */
const FIRST_URL = 'http://127.0.0.1:8080/webhooks';

export interface CurlCard {
  readonly element: HTMLElement;
  draw(received: Received | null): void;
}

/** The command that sends what arrives here to somebody's own receiver. */
export function createCurlCard(app: App): CurlCard {
  let shown: Received | null = null;
  const id = uniqueId('url');
  const url = h('input', {
    id,
    class: 'mono',
    type: 'url',
    value: FIRST_URL,
    autocomplete: 'off',
    spellcheck: 'false',
    on: { input: () => draw(shown) },
  });
  const command = h('code', {});
  const copy = copyButton('Copy', () => command.textContent ?? '', app.announce);
  copy.setAttribute('aria-label', 'Copy the command');
  copy.classList.add('push');
  const block = h('pre', { class: 'command', tabindex: '0', role: 'group', 'aria-label': 'Command' }, command);
  const cannot = h('p', { class: 'note', hidden: true });
  const title = uniqueId('curl');
  const element = h('section', { class: 'card curl', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Send it yourself' }),
      h('span', { class: 'count', text: 'with what you changed' }), copy),
    h('div', { class: 'card-body stack' },
      h('div', { class: 'field' }, h('label', { for: id, text: 'Your receiver’s address' }), url),
      block, cannot,
      h('p', { class: 'note', text: HINT })));

  function draw(received: Received | null): void {
    shown = received;
    const text = received === null ? null : curlCommand(url.value, received);
    block.hidden = text === null;
    copy.disabled = text === null;
    cannot.hidden = text !== null;
    setText(command, text ?? '');
    setText(cannot, received === null ? 'Nothing is signed.' : 'The body is too long for a command line, or has a zero byte in it.');
  }
  return { element, draw };
}
