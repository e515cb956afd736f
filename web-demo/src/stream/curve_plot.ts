import 'uplot/dist/uPlot.min.css';

import uPlot from 'uplot';

import { GRID, type CurveLines } from './curve_points.js';

/** Something that happens at a time: a line from top to bottom and what it is. */
export interface Mark {
  readonly x: number;
  readonly text: string;
  readonly look: 'now' | 'plain';
}

/** What is drawn, in places on the grid and in texts: the drawing computes nothing of its own. */
export interface Drawing {
  readonly lines: CurveLines;
  readonly marks: readonly Mark[];
  /** Where the stream is now; null where that isn't on the curve. */
  readonly now: { x: number; y: number } | null;
  readonly bands: readonly { from: number; to: number }[];
  /** Texts beside and below the paper, at places on the grid. */
  readonly amounts: readonly { at: number; text: string }[];
  /** So many texts as there is room for. */
  times(count: number): { at: number; text: string }[];
  /** What the line at the top is; empty for none. */
  readonly topText: string;
}

export const NOTHING_DRAWN: Drawing = {
  lines: { x: [], past: [], future: [], paid: [], earlier: [] },
  marks: [], now: null, bands: [], amounts: [], times: () => [], topText: '',
};

/** The page's colours, as they are at the moment. */
export interface Palette {
  card: string;
  ink: string;
  soft: string;
  line: string;
  still: string;
  accent: string;
  wash: string;
  wait: string;
  sans: string;
}

const VARIABLES: Record<keyof Palette, string> = {
  card: '--card', ink: '--ink', soft: '--soft', line: '--line', still: '--still', accent: '--accent',
  wash: '--accent-wash', wait: '--wait', sans: '--sans',
};

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const entries = Object.entries(VARIABLES).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]);
  return Object.fromEntries(entries) as Palette;
}

const TEXT_PX = 11;
const CHARACTER_PX = 6.4;
const LABEL_ROW_PX = 16;
const LABEL_ROWS = 3;
const ROOM_FOR_A_TIME_PX = 150;

function aligned({ x, past, future, paid, earlier }: CurveLines): uPlot.AlignedData {
  return [x, earlier, past, future, paid];
}

/** Draws a stream's curve on a canvas: in the page, or for an image that nothing shows. */
export class CurvePlot {
  readonly plot: uPlot;
  #drawing: Drawing = NOTHING_DRAWN;
  #palette: Palette;

  constructor(size: { width: number; height: number }, host?: HTMLElement) {
    this.#palette = readPalette();
    this.plot = new uPlot(this.#options(size), aligned(this.#drawing.lines), host);
  }

  draw(drawing: Drawing): void {
    const hasOtherAxes = drawing.amounts !== this.#drawing.amounts;
    this.#drawing = drawing;
    this.plot.batch(() => {
      this.plot.setData(aligned(drawing.lines), false);
      this.plot.redraw(true, hasOtherAxes);
    });
  }

  /** The theme is another one. */
  recolour(): void {
    this.#palette = readPalette();
    this.plot.redraw(false);
  }

  resize(size: { width: number; height: number }): void {
    this.plot.setSize(size);
  }

  #options(size: { width: number; height: number }): uPlot.Options {
    const font = `${TEXT_PX}px ${this.#palette.sans}`;
    const soft = () => this.#palette.soft;
    const grid = { stroke: () => this.#palette.line, width: 1 };
    const points = { show: false };
    return {
      ...size,
      legend: { show: false },
      cursor: { show: false },
      pxAlign: false,
      padding: [LABEL_ROWS * LABEL_ROW_PX, 40, 0, 8],
      scales: { x: { time: false, auto: false, range: [0, GRID] }, y: { auto: false, range: [0, GRID] } },
      axes: [
        {
          font, stroke: soft, grid: { show: false }, ticks: { ...grid, size: 4 }, gap: 4, size: 28,
          splits: () => this.#times().map(({ at }) => at),
          values: () => this.#times().map(({ text }) => text),
        },
        {
          font, stroke: soft, grid, ticks: { show: false }, gap: 6,
          size: () => 14 + CHARACTER_PX * Math.max(4, ...this.#drawing.amounts.map(({ text }) => text.length)),
          splits: () => this.#drawing.amounts.map(({ at }) => at),
          values: () => this.#drawing.amounts.map(({ text }) => text),
        },
      ],
      series: [
        {},
        { points, spanGaps: true, stroke: () => this.#palette.still, width: 1.25, dash: [1, 4] },
        { points, stroke: () => this.#palette.accent, fill: () => this.#palette.wash, width: 2 },
        { points, stroke: () => this.#palette.still, width: 1.5, dash: [4, 4] },
        { points, stroke: () => this.#palette.wait, width: 1.5, paths: uPlot.paths.stepped!({ align: 1 }) },
      ],
      hooks: { drawClear: [() => this.#drawBands()], draw: [() => this.#drawMarks()] },
    };
  }

  #times(): { at: number; text: string }[] {
    return this.#drawing.times(Math.max(2, Math.floor(this.plot.width / ROOM_FOR_A_TIME_PX)));
  }

  #drawBands(): void {
    const { ctx, bbox } = this.plot;
    ctx.save();
    ctx.fillStyle = this.#palette.wait;
    ctx.globalAlpha = 0.12;
    for (const { from, to } of this.#drawing.bands) {
      const [left, right] = [this.plot.valToPos(from, 'x', true), this.plot.valToPos(to, 'x', true)];
      ctx.fillRect(left, bbox.top, Math.max(right - left, uPlot.pxRatio), bbox.height);
    }
    ctx.restore();
  }

  #drawMarks(): void {
    const { ctx, bbox } = this.plot;
    ctx.save();
    ctx.textBaseline = 'middle';
    ctx.font = `${TEXT_PX * uPlot.pxRatio}px ${this.#palette.sans}`;
    const ends: number[] = [];
    for (const mark of [...this.#drawing.marks].sort((a, b) => a.x - b.x)) this.#drawMark(mark, ends);
    if (this.#drawing.topText !== '') this.#drawTop(ctx, bbox);
    const { now } = this.#drawing;
    if (now !== null) this.#drawDot(now);
    ctx.restore();
  }

  #drawTop(ctx: CanvasRenderingContext2D, { left, top, width }: uPlot.BBox): void {
    const ratio = uPlot.pxRatio;
    ctx.strokeStyle = this.#palette.still;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(left, top);
    ctx.lineTo(left + width, top);
    ctx.stroke();
    const text = this.#drawing.topText;
    // A number that is cut off is another number: a long one is drawn narrower.
    const length = Math.min(ctx.measureText(text).width, width - 16 * ratio);
    ctx.fillStyle = this.#palette.card;
    ctx.fillRect(left + 4 * ratio, top + 4 * ratio, length + 8 * ratio, LABEL_ROW_PX * ratio);
    ctx.fillStyle = this.#palette.soft;
    ctx.textAlign = 'left';
    ctx.fillText(text, left + 8 * ratio, top + 12 * ratio, length);
  }

  /** `ends` has, for each row of labels, how far it is taken. */
  #drawMark({ x, text, look }: Mark, ends: number[]): void {
    const { ctx, bbox: { left, top, width, height } } = this.plot;
    const ratio = uPlot.pxRatio;
    const place = this.plot.valToPos(x, 'x', true);
    const length = ctx.measureText(text).width;
    const begin = Math.min(place + 4 * ratio, left + width + 36 * ratio - length);
    let row = 0;
    while (row < LABEL_ROWS - 1 && (ends[row] ?? -Infinity) > begin) row += 1;
    ends[row] = begin + length + 8 * ratio;
    const y = top - (row + 0.5) * LABEL_ROW_PX * ratio;
    ctx.strokeStyle = look === 'now' ? this.#palette.accent : this.#palette.still;
    ctx.lineWidth = ratio;
    ctx.setLineDash(look === 'now' ? [] : [3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(place, y + (LABEL_ROW_PX / 2) * ratio);
    ctx.lineTo(place, top + height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = look === 'now' ? this.#palette.accent : this.#palette.soft;
    ctx.textAlign = 'left';
    ctx.fillText(text, begin, y);
  }

  #drawDot({ x, y }: { x: number; y: number }): void {
    const { ctx } = this.plot;
    const ratio = uPlot.pxRatio;
    ctx.beginPath();
    ctx.arc(this.plot.valToPos(x, 'x', true), this.plot.valToPos(y, 'y', true), 5 * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = this.#palette.accent;
    ctx.fill();
    ctx.lineWidth = 2.5 * ratio;
    ctx.strokeStyle = this.#palette.card;
    ctx.stroke();
  }
}
