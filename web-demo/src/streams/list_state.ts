import type { FeedState } from '../live/feed_session.js';

/** What there is to see: rows, or what stands in their place. */
export type ListState = 'loading' | 'unreachable' | 'empty' | 'streams';

/** While another try is on its way, what was said of the one before still holds. */
export const isTrying = ({ phase }: FeedState) => phase === 'connecting' || phase === 'refetching';

/**
 * @param before what there was to see: another try is no news
 * @param wasRead whether the streams were read once
 * @param count how many there are
 */
export function listState(before: ListState, state: FeedState, wasRead: boolean, count: number): ListState {
  if (wasRead) return count === 0 ? 'empty' : 'streams';
  return isTrying(state) ? before : 'unreachable';
}

/** What is wrong with the connection, where streams are shown nevertheless; empty where nothing is. */
export function staleNote(state: FeedState, cursor: string | null): string {
  const asKnown = `The figures go on from what was known at ${cursor}.`;
  switch (state.phase) {
    case 'cut': return `The connection is cut. ${asKnown}`;
    case 'waiting': return `The connection is lost, and tried again by itself. ${asKnown}`;
    case 'refused': return `The service refuses the connection: ${state.message} ${asKnown}`;
    case 'connecting':
    case 'refetching':
    case 'live': return '';
  }
}

/** Why there is nothing yet, empty while another try is on its way, and what comes next. `now`: performance.now(). */
export function unreachableText(state: FeedState, now: number): { why: string; next: string } {
  switch (state.phase) {
    case 'waiting': {
      const seconds = Math.ceil(Math.max(0, state.until - now) / 1000);
      return { why: state.cause, next: seconds === 0 ? 'Trying again…' : `The next try is in ${seconds} s.` };
    }
    case 'refused': return { why: state.message, next: 'No other try will be made by itself.' };
    case 'cut': return { why: 'The connection is cut.', next: '' };
    case 'connecting':
    case 'refetching':
    case 'live': return { why: '', next: 'Trying again…' };
  }
}
