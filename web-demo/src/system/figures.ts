import { h, setText } from '../ui/dom.js';

/** A number, with what it is called and what it means. */
export interface Figure {
  readonly element: HTMLElement;
  show(value: string): void;
}

export function createFigure(name: string, label: string, note: string): Figure {
  const value = h('dd', { class: 'value', text: '—', 'data-figure': name });
  const element = h('div', { class: 'figure' },
    h('dt', { text: label }), value, h('dd', { class: 'note', text: note }));
  return { element, show: (text) => setText(value, text) };
}

/** A part of the panel with a heading of its own. */
export function card(heading: string, ...content: HTMLElement[]): HTMLElement {
  return h('section', { class: 'card' },
    h('div', { class: 'section-head' }, h('h3', { text: heading })), h('div', { class: 'card-body' }, ...content));
}

export function figureList(figures: Record<string, Figure>): HTMLElement {
  return h('dl', { class: 'figures' }, ...Object.values(figures).map(({ element }) => element));
}
