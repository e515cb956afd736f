import type { StreamKind, StreamStatus } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { duration, secondsOf } from './times.js';

export const KIND_NAMES: Record<StreamKind, string> = {
  linear: 'Linear',
  cliff_only: 'All at the cliff',
  cliff_slope: 'Linear from the cliff',
};

/** The status at a time: an active stream before its start is a scheduled one. */
export function statusAt(stream: Stream, second: number): StreamStatus {
  if (stream.status !== 'active' && stream.status !== 'scheduled') return stream.status;
  return second < secondsOf(stream.startTime) ? 'scheduled' : 'active';
}

/** What the status alone doesn't say. */
export function statusNote(stream: Stream, second: number): string {
  if (stream.archived) return 'closed on chain';
  const status = statusAt(stream, second);
  const until = (time: number | string) => duration(secondsOf(time) - second);
  if (status === 'scheduled') return `starts in ${until(stream.startTime)}`;
  if (status !== 'active' && status !== 'paused') return '';
  if (second < secondsOf(stream.cliffTime)) return `cliff in ${until(stream.cliffTime)}`;
  if (second >= secondsOf(stream.endTime)) return 'ended';
  return status === 'paused' ? 'still accruing' : `ends in ${until(stream.endTime)}`;
}
