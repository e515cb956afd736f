import type { Balances, FluxoraCore } from '@fluxora/core';
import type { LogEntry, Stream } from '@fluxora/core/feed';

/** What a stream's terms were from a second on, until the next span's. */
export interface Span {
  readonly from: bigint;
  readonly stream: Stream;
  /** False before the oldest entry that is known: what had been paid out by then isn't. */
  readonly payoutsKnown: boolean;
}

/** The second that an RFC 3339 time lies in. */
function secondOf(time: string): bigint {
  return BigInt(Math.floor(Date.parse(time) / 1000));
}

/** How far back a stream's terms tell what it has streamed: to its checkpoint, or to its start where it has none. */
function toldSince({ checkpointedAt, startTime }: Stream): bigint {
  const [checkpoint, start] = [BigInt(checkpointedAt), BigInt(startTime)];
  return checkpoint > start ? checkpoint : 0n;
}

/**
 * A stream's terms over time, each span later than the one before: those that its standing entries left, oldest first,
 * then the present ones. Before the first span nothing is known. An entry holds from its time on, whatever entries
 * before it say: what is read from the contract's storage enters the log behind entries of later ledgers.
 */
export function termSpans(stream: Stream, standing: readonly LogEntry[]): Span[] {
  const spans: Span[] = [];
  const add = (from: bigint, terms: Stream): void => {
    while (spans.length > 0 && spans.at(-1)!.from >= from) spans.pop();
    spans.push({ from, stream: terms, payoutsKnown: true });
  };
  for (const entry of standing) if (entry.stream) add(secondOf(entry.closedAt), entry.stream);
  const last = spans.at(-1);
  if (last === undefined || last.stream.version < stream.version) add(secondOf(stream.updatedAt), stream);
  const [first] = spans as [Span];
  const since = toldSince(first.stream);
  if (standing[0]?.event === 'stream.created') {
    // Nothing was paid out before its creation.
    spans[0] = { ...first, from: since };
  } else if (since < first.from) {
    // A completed stream counts as wholly streamed at any time; before, it accrued.
    const { status } = first.stream;
    const accruing: Stream = { ...first.stream, status: status === 'completed' ? 'active' : status };
    spans.unshift({ from: since, stream: accruing, payoutsKnown: false });
  }
  return spans;
}

/** The span that a second lies in; null before all of them. */
export function spanAt(spans: readonly Span[], second: bigint): Span | null {
  let [from, to] = [0, spans.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (spans[middle]!.from <= second) from = middle + 1;
    else to = middle;
  }
  return spans[from - 1] ?? null;
}

/** What a stream had, has or will have at a second, as far as that is known. */
export interface Moment {
  readonly at: bigint;
  readonly span: Span;
  readonly balances: Balances;
}

/** The moments among some seconds that are known. */
export function momentsAt(core: FluxoraCore, spans: readonly Span[], seconds: readonly bigint[]): Moment[] {
  const bySpan = new Map<Span, bigint[]>();
  for (const second of seconds) {
    const span = spanAt(spans, second);
    if (span === null) continue;
    const held = bySpan.get(span);
    if (held === undefined) bySpan.set(span, [second]);
    else held.push(second);
  }
  const moments: Moment[] = [];
  for (const [span, held] of bySpan) {
    for (const balances of core.balancesOver(span.stream, held)) moments.push({ at: balances.at, span, balances });
  }
  return moments.sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Spans of time in which the stream was paused; `to` is null where it still is. */
export function pauses(spans: readonly Span[]): { from: bigint; to: bigint | null }[] {
  const found: { from: bigint; to: bigint | null }[] = [];
  let since: bigint | null = null;
  for (const { from, stream: { status }, payoutsKnown } of spans) {
    const isPaused = status === 'paused' && payoutsKnown;
    if (isPaused && since === null) since = from;
    if (!isPaused && since !== null) {
      found.push({ from: since, to: from });
      since = null;
    }
  }
  if (since !== null) found.push({ from: since, to: null });
  return found;
}
