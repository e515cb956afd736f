import type { App } from '../app.js';
import { card, createFigure, figureList } from './figures.js';
import { bytes, count, elapsed, microseconds, rate } from './quantities.js';

/** Only Chromium tells. */
interface Memory { usedJSHeapSize: number }

function usedHeap(): string {
  const { memory } = performance as { memory?: Memory };
  return memory === undefined ? 'not told' : bytes(memory.usedJSHeapSize);
}

/** What the page's own files weigh on their way here, from now on too: the browser's list of them has an end. */
function watchTransfer(): () => string {
  const folder = new URL('.', document.baseURI).href;
  let total = 0;
  const observer = new PerformanceObserver((news) => {
    for (const file of news.getEntries() as PerformanceResourceTiming[]) {
      if (file.name.startsWith(folder)) total += file.encodedBodySize;
    }
  });
  for (const type of ['navigation', 'resource']) observer.observe({ type, buffered: true });
  return () => bytes(total);
}

/** What this page holds and needs, as far as it knows. */
export function createPageCard({ streams, feed, frames }: App) {
  const figures = {
    streams: createFigure('streams', 'Streams held', 'Their balances are computed here, not fetched.'),
    entries: createFigure('entries', 'Log entries', 'Came with the feed since the page was opened.'),
    rate: createFigure('frame-rate', 'Frames a second', 'While balances were last drawn.'),
    median: createFigure('frame-median', 'Script time a frame', 'Half of those frames needed less.'),
    most: createFigure('frame-p99', 'The slowest hundredth', 'Of 100 frames one needed more.'),
    paint: createFigure('paint', 'First paint', 'After the page was asked for.'),
    files: createFigure('files', 'Page’s files', 'Scripts, styles and the core so far, as they were sent.'),
    heap: createFigure('heap', 'Memory of its scripts', 'As the browser tells it.'),
  };
  const element = card('This page', figureList(figures));
  const transferred = watchTransfer();

  const show = () => {
    const times = frames.times.summary();
    figures.streams.show(count(streams.size));
    figures.entries.show(count(feed.counts.received));
    figures.rate.show(times.perSecond === null ? 'none yet' : rate(times.perSecond));
    figures.median.show(times.frames === 0 ? 'none yet' : microseconds(times.medianUs));
    figures.most.show(times.frames === 0 ? 'none yet' : microseconds(times.p99Us));
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    figures.paint.show(paint === undefined ? 'not told' : elapsed(paint.startTime));
    figures.files.show(transferred());
    figures.heap.show(usedHeap());
  };
  return { element, show };
}
