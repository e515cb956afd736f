import type { Moving } from '../live/stream_book.js';
import { statusAt } from '../text/streams.js';
import type { Item } from './stream_order.js';

const HEAD = [
  'id', 'source', 'sender', 'recipient', 'token', 'kind', 'status', 'archived', 'deposit', 'rate_per_second',
  'streamed', 'withdrawable', 'withdrawn', 'settled', 'start', 'cliff', 'end', 'as_of',
];

/**
 * Streams as rows of a table, its head first. Amounts are decimal text, exact at `second`; times are unix seconds.
 * @param texts a balance of all items, in their order
 */
export function streamsTable(
  items: readonly Item[], second: number, texts: (name: Moving) => readonly string[],
): string[][] {
  const [streamed, withdrawable] = [texts('streamed'), texts('withdrawable')];
  return [HEAD, ...items.map(({ stream }, i) => [
    stream.id, stream.source, stream.sender, stream.recipient, stream.token ?? '', stream.kind,
    statusAt(stream, second), String(stream.archived), stream.depositAmount, stream.ratePerSecond, streamed[i]!,
    withdrawable[i]!, stream.withdrawnAmount, stream.settledAmount, String(stream.startTime), String(stream.cliffTime),
    String(stream.endTime), String(second),
  ])];
}
