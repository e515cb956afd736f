// Line plots as SVG, small enough to be read on a telephone and without any script.

const WIDTH = 420;
const HEIGHT = 210;
const MARGIN = { left: 46, right: 10, top: 10, bottom: 26 };
const MAX_DRAWN = 420;
/** Labels end where the drawing does. */
const TICKS = 4;

export const escape = (text) =>
  String(text).replace(/[&<>"]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter]);

/** The round numbers from 0 or below `low` to above `high`. */
function ticks(low, high) {
  const raw = (high - low) / TICKS || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const first = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - first) / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, n) => first + n * step);
}

/** @param {number} value */
export function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return `${Number(value.toPrecision(4))}`;
}

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/**
 * Pieces of a line without the moments at which nothing is known.
 * @param {[number, number | null | undefined][]} points
 */
function pieces(points) {
  const all = [[]];
  for (const point of points) {
    if (point[1] === null || point[1] === undefined || Number.isNaN(point[1])) all.push([]);
    else all[all.length - 1].push(point);
  }
  return all.filter((piece) => piece.length > 0);
}

/** Of many points the highest of each group: what stood out stays. @param {[number, any][]} points */
function thinned(points) {
  const size = Math.ceil(points.length / MAX_DRAWN);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, n) =>
    points
      .slice(n * size, (n + 1) * size)
      .reduce((highest, point) => ((point[1] ?? -Infinity) > (highest[1] ?? -Infinity) ? point : highest)),
  );
}

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {[number, number | null | undefined][]} points seconds and values
 * @property {boolean} [dashed] a fit or a limit
 */

/**
 * A figure: title, drawing, and a legend with the last values.
 * @param {object} plot
 * @param {string} plot.title
 * @param {string} [plot.unit]
 * @param {Series[]} plot.series at most six
 * @param {boolean} [plot.fromZero]
 * @param {{at: number, name: string}[]} [plot.marks] moments with a name
 */
export function plot({ title, unit = '', series, fromZero = true, marks = [] }) {
  const drawn = series
    .map((one) => ({ ...one, points: thinned(one.points) }))
    .filter(({ points }) => pieces(points).length > 0);
  if (drawn.length === 0) return '';
  const known = drawn.flatMap(({ points }) => pieces(points).flat());
  const lastX = Math.max(...known.map(([x]) => x), 1);
  const values = known.map(([, y]) => y);
  const yTicks = ticks(fromZero ? 0 : Math.min(...values), Math.max(...values));
  const [low, high] = [yTicks[0], yTicks[yTicks.length - 1]];
  const x = (at) => (MARGIN.left + (at / lastX) * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1);
  const y = (value) =>
    (HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1);
  const grid = yTicks
    .map(
      (value) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text x="${MARGIN.left - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${shortNumber(value)}</text>`,
    )
    .join('');
  const times = Array.from({ length: TICKS + 1 }, (_, n) => (n * lastX) / TICKS)
    .map(
      (at, n) =>
        `<text x="${x(at)}" y="${HEIGHT - 8}" text-anchor="${n === 0 ? 'start' : n === TICKS ? 'end' : 'middle'}">${clock(at)}</text>`,
    )
    .join('');
  const moments = marks
    .map(
      ({ at, name }) =>
        `<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"><title>${escape(name)}</title></line>`,
    )
    .join('');
  const lines = drawn
    .map(({ points, name, dashed }, n) =>
      pieces(points)
        .map((piece) => {
          const path = piece.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
          return `<path class="line c${n + 1}${dashed ? ' dashed' : ''}" d="${path}"><title>${escape(name)}</title></path>`;
        })
        .join(''),
    )
    .join('');
  const legend =
    drawn.length === 1 && !drawn[0].dashed
      ? ''
      : `<ul class="legend">${drawn
          .map(
            ({ name, dashed }, n) =>
              `<li><span class="swatch b${n + 1}${dashed ? ' dashed' : ''}"></span>${escape(name)}</li>`,
          )
          .join('')}</ul>`;
  const label = `${title}${unit === '' ? '' : `, ${unit}`}`;
  return (
    `<figure><figcaption>${escape(title)}${unit === '' ? '' : ` <span class="unit">${escape(unit)}</span>`}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(label)}">${grid}${times}${moments}${lines}</svg>${legend}</figure>`
  );
}
