import { h } from './dom.js';

const SAID_MS = 2_000;

/** A button that copies what `text` gives at that moment, and says so for a while. */
export function copyButton(label: string, text: () => string, announce: (text: string) => void): HTMLButtonElement {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (said: string) => {
    button.textContent = said;
    announce(said);
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, SAID_MS);
  };
  const copy = async () => {
    try {
      // Over plain http from another machine there is no clipboard at all.
      await navigator.clipboard.writeText(text());
      say('Copied');
    } catch {
      say('Copying isn’t allowed here');
    }
  };
  const button = h('button', { type: 'button', class: 'action', text: label, on: { click: copy } });
  return button;
}
