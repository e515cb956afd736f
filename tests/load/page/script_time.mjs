// How long scripts ran in each frame of a page, read from Chromium's trace.

/** What the trace calls work that scripts do. Several may lie within one another. */
const SCRIPT = new Set(['FireAnimationFrame', 'FunctionCall', 'EvaluateScript', 'TimerFire', 'EventDispatch', 'RunMicrotasks',
  'v8.callFunction', 'MinorGC', 'MajorGC']);
const FRAME = 'FireAnimationFrame';

export const TRACED = ['devtools.timeline', 'v8'];

/** Microseconds that events cover from `from` to `to`, each instant once. Events ascend by their beginning. */
function covered(events, from, to) {
  let sum = 0;
  let until = from;
  for (const { ts, dur } of events) {
    const begin = Math.max(ts, until);
    const end = Math.min(ts + dur, to);
    if (end <= begin) continue;
    sum += end - begin;
    until = end;
  }
  return sum;
}

/**
 * Script time of each frame, in microseconds: from a frame's callback up to the next frame's, on the thread that has
 * most of them.
 * @param {{traceEvents: any[]}} trace
 */
export function scriptTimes(trace) {
  const events = trace.traceEvents.filter(({ ph, name, dur }) => ph === 'X' && dur > 0 && SCRIPT.has(name));
  const [main] = byThread(events).sort((a, b) => frames(b).length - frames(a).length);
  if (main === undefined || frames(main).length < 2) throw new Error('the trace has no frames');
  main.sort((a, b) => a.ts - b.ts);
  const starts = frames(main).map(({ ts }) => ts);
  return {
    perFrame: starts.slice(0, -1).map((from, i) => covered(main.filter(({ ts, dur }) => ts + dur > from && ts < starts[i + 1]), from, starts[i + 1])),
    framesPerSecond: ((starts.length - 1) * 1e6) / (starts.at(-1) - starts[0]),
  };
}

const frames = (events) => events.filter(({ name }) => name === FRAME);

function byThread(events) {
  const threads = new Map();
  for (const event of events) {
    const thread = `${event.pid}-${event.tid}`;
    if (!threads.has(thread)) threads.set(thread, []);
    threads.get(thread).push(event);
  }
  return [...threads.values()];
}
