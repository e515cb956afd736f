/** Times in unix seconds, as JSON carries them: text above 2^53 - 1. Chain times go past any calendar. */
export type Seconds = number | string;

const LAST_DATE_SECOND = 8_640_000_000_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time as a number: above 2^53 - 1 it is beyond any calendar anyway. */
export function secondsOf(time: Seconds): number {
  return typeof time === 'number' ? time : Number(time);
}

/** "29 Mar 2026, 09:31:27 UTC". */
export function dateTime(time: Seconds): string {
  const seconds = secondsOf(time);
  if (seconds > LAST_DATE_SECOND) return 'beyond any calendar';
  const date = new Date(seconds * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${date.toISOString().slice(-13, -5)} UTC`;
}

/** The same without what a long span of time has no use for: "29 Mar 2026" or "09:31:27 UTC". Past any calendar: empty. */
export function axisTime(time: Seconds, span: number): string {
  if (secondsOf(time) > LAST_DATE_SECOND) return '';
  const [date, clock] = dateTime(time).split(', ');
  return span > 2 * 86_400 ? date! : clock!;
}

/** "09:31:27". */
export function timeOfDay(time: Seconds): string {
  const seconds = secondsOf(time);
  return seconds > LAST_DATE_SECOND ? '' : new Date(seconds * 1000).toISOString().slice(-13, -5);
}

const UNITS: readonly [string, number][] = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** "3 days", "1 hour", "under a minute". */
export function duration(seconds: number): string {
  for (const [name, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count > 36_500 && name === 'day') return 'over a century';
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'under a minute';
}

/** "2026-03-29T093127Z": a time in a file's name. */
export function fileTime(time: Seconds): string {
  const seconds = secondsOf(time);
  return seconds > LAST_DATE_SECOND ? String(time) : new Date(seconds * 1000).toISOString().replace(/:|\.000/g, '');
}
