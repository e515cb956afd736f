import type { FeedState } from '../live/feed_session.js';

/** What there is to see of a stream. */
export type PageState = 'loading' | 'unreachable' | 'missing' | 'gone' | 'stream';

export interface Known {
  /** It is among the streams that the page holds. */
  readonly isHeld: boolean;
  /** It was, since the page was asked for it. */
  readonly wasHeld: boolean;
  /** The service has said that there is no such stream. */
  readonly isDenied: boolean;
}

export function pageState({ phase }: FeedState, { isHeld, wasHeld, isDenied }: Known): PageState {
  if (isHeld) return 'stream';
  if (wasHeld) return 'gone';
  if (isDenied) return 'missing';
  const isAway = phase === 'waiting' || phase === 'cut' || phase === 'refused';
  return isAway ? 'unreachable' : 'loading';
}
