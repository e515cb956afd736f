import { byId, h } from '../ui/dom.js';

/** What browsers report as an error and is none: an observer's news came a frame later. */
const HARMLESS = /^ResizeObserver loop/;

/** Shows what nobody expected, once, with a way out. The browser's console has it whole. */
export function showFault(error: unknown, announce: (text: string) => void): void {
  const place = byId('fault');
  if (!place.hidden) return;
  const said = error instanceof Error ? error.message : String(error);
  const text = `Something in this page went wrong: ${said.replace(/\.?$/, '.')} What it shows may be out of date.`;
  const reload = () => location.reload();
  const hide = () => { place.hidden = true; };
  place.replaceChildren(
    h('p', { text }),
    h('p', { class: 'actions' },
      h('button', { type: 'button', class: 'action', text: 'Load the page again', on: { click: reload } }),
      h('button', { type: 'button', class: 'action', text: 'Hide this', on: { click: hide } })));
  place.hidden = false;
  announce(text);
}

/** From now on. */
export function watchFaults(announce: (text: string) => void): void {
  addEventListener('error', ({ error, message }) => {
    if (!HARMLESS.test(message)) showFault(error ?? message, announce);
  });
  addEventListener('unhandledrejection', ({ reason }) => showFault(reason, announce));
}
