import type { Resumption } from '../live/resumption.js';

function counted(count: bigint | number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${String(count) === '1' ? one : many}`;
}

export const entries = (count: bigint | number): string => counted(count, 'entry', 'entries');
export const streams = (count: number): string => counted(count, 'stream', 'streams');

/** "entries 51 to 80", or "entry 51". */
export function range({ from, to }: { from: number; to: number }): string {
  return from === to ? `entry ${from.toLocaleString('en')}`
    : `entries ${from.toLocaleString('en')} to ${to.toLocaleString('en')}`;
}

/** What a gap's entries were, in a sentence. */
function pruned(gap: { from: number; to: number }): string {
  return `${range(gap)} of the log ${gap.from === gap.to ? 'was' : 'were'} pruned`;
}

/** What had to be read again, and where it goes on. */
function afterReset({ reset }: Resumption): string {
  if (reset === null) return 'All streams are being read again.';
  return `${reset.streams === 1 ? 'The one stream was' : `All ${streams(reset.streams)} were`} read again, and the log goes on from ${reset.cursor}.`;
}

function resumed(resumption: Resumption): string {
  const { from, head, replayed, again } = resumption;
  if (resumption.skipped !== null) {
    return `Resumed from ${from}, ${entries(resumption.skipped)} ahead of this page. ${afterReset(resumption)}`;
  }
  const missed = replayed - again;
  if (again > 0n) {
    const known = missed > 0n ? `${missed.toLocaleString('en')} missed, ${again.toLocaleString('en')} that the balances held already`
      : 'all of them in the balances already';
    return `Resumed from ${from}: ${entries(replayed)} replayed, ${known}. No stream went back, and no row is doubled.`;
  }
  if (missed > 0n) return `Resumed from ${from}: ${missed === 1n ? '1 missed entry' : `${missed.toLocaleString('en')} missed entries`} replayed, none twice.`;
  return head === null ? `Resumed from ${from}.` : `Resumed from ${from}: nothing was missed.`;
}

/** What the service answered, and what it came to. */
export function outcomeText(resumption: Resumption): string {
  const { answer, from, reset } = resumption;
  switch (answer) {
    case 'start':
      return reset === null ? 'Reading all streams.' : `Began with ${streams(reset.streams)}, and follows the log from ${reset.cursor}.`;
    case 'live':
      return 'Follows the log from now on.';
    case 'resumed':
      return resumed(resumption);
    case 'gap':
      return `${from} lies before what is kept: ${reset?.gap ? pruned(reset.gap) : 'older entries were pruned'}. ${afterReset(resumption)}`;
    case 'epoch_changed':
      return `${from} is no position of this log: of another one, or never reached. ${afterReset(resumption)}`;
    case 'inconsistent':
      return `Entries were missing, or contradicted each other. ${afterReset(resumption)}`;
  }
}
