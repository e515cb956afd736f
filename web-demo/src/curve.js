import { GRID, curvePoints, curveRange, gridX, gridY } from './curve_points.js';
import { axisTime, dateTime, plainAmount, splitAmount } from './text.js';

const SVG = 'http://www.w3.org/2000/svg';

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function mark(className, text) {
  const element = document.createElement('span');
  element.className = `mark ${className}`;
  const label = document.createElement('span');
  label.textContent = text;
  element.append(label);
  return element;
}

/** The accrual curve of one stream: what it has streamed, what it will, and where it is now. */
export class Curve {
  #core;
  #root;
  #plot;
  #stream = null;
  #range = null;
  #deposit = 0n;
  #past = null;
  #nowLine = null;
  #dot = null;

  /** @param {HTMLElement} root */
  constructor(core, root) {
    this.#core = core;
    this.#root = root;
    this.#plot = root.querySelector('.plot');
  }

  /** Draws the curve of a stream, or nothing for null. */
  show(stream) {
    this.#stream = stream;
    this.#plot.replaceChildren();
    this.#root.hidden = stream === null;
    if (stream === null) return;
    this.#range = curveRange(this.#core, stream);
    this.#deposit = this.#core.amounts.parse(stream.depositAmount);
    const { points, checkpointed } = curvePoints(this.#core, stream, this.#range);
    const line = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('');

    const svg = shape('svg', { viewBox: `0 0 ${GRID} ${GRID}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const clip = shape('clipPath', { id: 'curve-past' });
    this.#past = shape('rect', { x: 0, y: -GRID, width: 0, height: 3 * GRID });
    clip.append(this.#past);
    svg.append(clip);
    const last = points.at(-1);
    svg.append(shape('path', {
      class: 'area', d: `${line}L${last.x} ${GRID}L${points[0].x} ${GRID}Z`, 'clip-path': 'url(#curve-past)',
    }));
    const withdrawn = gridY(this.#core.amounts.parse(stream.withdrawnAmount), this.#deposit);
    if (withdrawn < GRID) {
      svg.append(shape('path', { class: 'withdrawn', d: `M0 ${withdrawn}L${GRID} ${withdrawn}` }));
    }
    if (checkpointed) {
      svg.append(shape('path', { class: 'earlier', d: `M0 ${GRID}L${points[0].x} ${points[0].y}` }));
    }
    svg.append(shape('path', { class: 'future', d: line }));
    svg.append(shape('path', { class: 'past', d: line, 'clip-path': 'url(#curve-past)' }));
    this.#plot.append(svg);

    this.#nowLine = mark('now', 'Now');
    this.#dot = document.createElement('span');
    this.#dot.className = 'dot';
    this.#plot.append(this.#nowLine, this.#dot);
    this.#at('cliff', 'Cliff', stream.cliffTime, stream.cliffTime !== stream.startTime);
    this.#at('cancelled', 'Cancelled', stream.cancelledAt, stream.cancelledAt !== null);

    const text = (selector, value) => {
      this.#root.querySelector(selector).textContent = value;
    };
    text('.axis-top', splitAmount(stream.depositAmount)[0]);
    const span = this.#range.to - this.#range.from;
    text('.axis-start', axisTime(this.#range.from, span));
    text('.axis-end', axisTime(this.#range.to, span));
    this.#root.querySelector('.key-withdrawn').hidden = withdrawn === GRID;
    this.#root.querySelector('.key-earlier').hidden = !checkpointed;
  }

  /** Moves the now-marker to a second and the amount that is exact there. */
  moveTo(second, streamed) {
    if (this.#stream === null) return;
    const now = BigInt(second);
    const x = gridX(this.#range, now);
    this.#past.setAttribute('width', x);
    const inside = now >= this.#range.from && now <= this.#range.to;
    this.#nowLine.hidden = !inside;
    this.#nowLine.style.left = `${x / (GRID / 100)}%`;
    this.#nowLine.classList.toggle('flip', x > GRID * 0.85);
    this.#dot.style.left = `${x / (GRID / 100)}%`;
    this.#dot.style.top = `${gridY(this.#core.amounts.parse(streamed), this.#deposit) / (GRID / 100)}%`;
    this.#plot.setAttribute('aria-label', `Accrual from ${dateTime(this.#range.from)} to ${dateTime(this.#range.to)}: `
      + `${plainAmount(streamed)} of ${plainAmount(this.#stream.depositAmount)} streamed`);
  }

  #at(className, text, time, shown) {
    if (!shown) return;
    const moment = BigInt(time);
    if (moment < this.#range.from || moment > this.#range.to) return;
    const x = gridX(this.#range, moment);
    const element = mark(className, text);
    element.style.left = `${x / (GRID / 100)}%`;
    element.classList.toggle('flip', x > GRID * 0.75);
    this.#plot.append(element);
  }
}
