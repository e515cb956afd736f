import type { Position } from '../live/feed_log.js';

/** A cursor that one wouldn't have by following the log. */
export interface BrokenCursor {
  readonly name: string;
  readonly label: string;
  readonly cursor: string;
}

const BACK = 50n;
const AHEAD = 1_000_000n;

/** Ways to break the cursor of a position, and what the page does then is to be seen. */
export function brokenCursors({ epoch, seq }: Position): BrokenCursor[] {
  const other = (epoch.startsWith('x') ? 'y' : 'x') + epoch.slice(1);
  const back = seq > BACK ? seq - BACK : 0n;
  return [
    { name: 'back', label: '50 entries back', cursor: `${epoch}-${back}` },
    { name: 'first', label: 'The log’s beginning', cursor: `${epoch}-0` },
    { name: 'ahead', label: 'Far ahead', cursor: `${epoch}-${seq + AHEAD}` },
    { name: 'epoch', label: 'Of another log', cursor: `${other}-${seq}` },
    { name: 'none', label: 'No cursor at all', cursor: `${epoch}+${seq}` },
  ];
}
