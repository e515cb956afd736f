import { shortStreamId } from '../text/addresses.js';
import type { ChainClock } from './chain_clock.js';
import type { Arrival, FeedSession, Reset } from './feed_session.js';
import type { StreamBook } from './stream_book.js';

/** Keeps the book and the clock by what the feed brings. */
export function keepBook(feed: FeedSession, streams: StreamBook, clock: ChainClock, announce: (text: string) => void): void {
  feed.onReset.add(({ reason, state }: Reset) => {
    if (reason === 'epoch_changed') clock.reset();
    streams.replaceAll(state);
    for (const { asOf } of state) if (typeof asOf === 'number') clock.observeClose(asOf);
    if (reason === 'gap') announce('Some history was pruned. The streams were read again.');
    if (reason === 'epoch_changed') announce('The log was replaced. The streams were read again.');
  });
  feed.onEntry.add(({ entry: { closedAt, stream, streamId, event }, isAgain }: Arrival) => {
    clock.observeClose(Date.parse(closedAt) / 1000);
    // Of an entry that is in the book already, nothing may go back to what it was then.
    if (isAgain) return;
    if (stream) {
      if (streams.put(stream)) announce(`New stream ${shortStreamId(stream.id)}`);
    } else if (event === 'stream.retracted' && stream === null && streamId !== null) {
      streams.remove(streamId);
    }
  });
}
