import { STEPS } from '../live/vitals.js';
import { h, setText } from '../ui/dom.js';
import { scaleEnd } from './quantities.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 40;
/** Of a step's width; the rest keeps it from the next. */
const BAR_WIDTH = 0.72;

export interface StepChart {
  readonly element: HTMLElement;
  /** Draws the steps, the oldest first. Null: nothing is known of that one. `summary` is for who doesn't see them. */
  show(values: readonly (number | null)[], summary: string): void;
}

/** Bars over the last five minutes. `scale` is the least end of the scale; `unit` says a value in words. */
export function createStepChart(scale: number, inWords: (value: number) => string): StepChart {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${STEPS} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const bars = Array.from({ length: STEPS }, (_, step) => {
    const bar = document.createElementNS(SVG, 'rect');
    bar.setAttribute('x', String(step + (1 - BAR_WIDTH) / 2));
    bar.setAttribute('width', String(BAR_WIDTH));
    svg.append(bar);
    return bar;
  });
  const top = h('span', { class: 'note top-value' });
  const times = h('div', { class: 'note times', 'aria-hidden': true },
    h('span', { text: '5 min ago' }), h('span', { text: 'now' }));
  const element = h('div', { class: 'step-chart' }, top, svg, times);

  const show = (values: readonly (number | null)[], summary: string) => {
    const end = scaleEnd(Math.max(0, ...values.map((value) => value ?? 0)), scale);
    bars.forEach((bar, step) => {
      const value = values[step] ?? null;
      const height = value === null ? 0 : Math.max((value / end) * HEIGHT, 0.5);
      bar.setAttribute('y', String(HEIGHT - height));
      bar.setAttribute('height', String(height));
    });
    setText(top, inWords(end));
    svg.setAttribute('aria-label', summary);
  };
  return { element, show };
}
