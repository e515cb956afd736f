import type { LoggedItem } from '../live/feed_log.js';

/** Which of the log one wants to see. */
export interface EntryFilter {
  /** An event's name; empty: all. */
  readonly event: string;
  /** A part of a stream's id, or of its sender's or recipient's address; empty: all. */
  readonly stream: string;
}

/** Resets are shown whatever is asked for: what stands before one and after it isn't one row of entries. */
export function isWanted(item: LoggedItem, { event, stream }: EntryFilter): boolean {
  if (item.type === 'reset') return true;
  const { entry } = item;
  if (event !== '' && entry.event !== event) return false;
  const part = stream.trim().toLowerCase();
  if (part === '') return true;
  return [entry.streamId, entry.stream?.sender, entry.stream?.recipient]
    .some((text) => text?.toLowerCase().includes(part));
}
