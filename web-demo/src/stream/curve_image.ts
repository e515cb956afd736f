import uPlot from 'uplot';

import { dateTime } from '../text/times.js';
import type { CurveOfStream } from './curve_drawing.js';
import { CurvePlot, readPalette } from './curve_plot.js';

const SIZE = { width: 1200, height: 600 };
const HEAD_PX = 84;
const MARGIN_PX = 24;

/** The curve as a PNG in the page's present colours, under what it is and when. */
export async function curveImage(curve: CurveOfStream, second: number, figures: string): Promise<Blob> {
  const painter = new CurvePlot({ width: SIZE.width - 2 * MARGIN_PX, height: SIZE.height - HEAD_PX - MARGIN_PX });
  painter.draw(curve.drawing(BigInt(second)));
  // It draws in a microtask of its own.
  await new Promise((done) => { setTimeout(done); });
  const palette = readPalette();
  const ratio = uPlot.pxRatio;
  const canvas = document.createElement('canvas');
  canvas.width = SIZE.width * ratio;
  canvas.height = SIZE.height * ratio;
  const ctx = canvas.getContext('2d')!;
  ctx.fillStyle = palette.card;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const write = (text: string, y: number, size: number, colour: string, weight = 400): void => {
    ctx.font = `${weight} ${size * ratio}px ${palette.sans}`;
    ctx.fillStyle = colour;
    ctx.fillText(text, MARGIN_PX * ratio, y * ratio, (SIZE.width - 2 * MARGIN_PX) * ratio);
  };
  write(`Accrual of stream ${curve.stream.id}`, 34, 18, palette.ink, 600);
  write(figures, 57, 14, palette.ink);
  write(`Exact at ${dateTime(second)}. Fluxora`, 77, 12, palette.soft);
  ctx.drawImage(painter.plot.ctx.canvas, MARGIN_PX * ratio, HEAD_PX * ratio);
  painter.plot.destroy();
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => {
      if (blob === null) fail(new Error('The browser made no image.'));
      else done(blob);
    }, 'image/png');
  });
}
