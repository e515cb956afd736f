/** Amounts, times and addresses as people read them. Amounts are text from the core; they are cut, never computed. */

/** "1234567.8901234" → ["1,234,567.89", "01234"]: what is read first, and the rest. */
export function splitAmount(decimal) {
  const [whole, fraction] = decimal.split('.');
  return [`${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction.slice(0, 2)}`, fraction.slice(2)];
}

/** "1,234,567.8901234" */
export function groupAmount(decimal) {
  return splitAmount(decimal).join('');
}

/** Without zeros at the end of the fraction, for sentences: "0.5", "1,000". */
export function plainAmount(decimal) {
  return groupAmount(decimal).replace(/\.?0+$/, '');
}

export function shortAddress(address) {
  return address.length > 12 ? `${address.slice(0, 4)}…${address.slice(-4)}` : address;
}

/** A chain stream by its contract's end and its number, another by its end. */
export function shortStreamId(id) {
  const [, contract, number] = id.match(/^(C[A-Z2-7]{55})-([0-9]+)$/) ?? [];
  return contract === undefined ? `api…${id.slice(-8)}` : `${contract.slice(0, 4)}…-${number}`;
}

const LAST_DATE_SECOND = 8_640_000_000_000;

/** "29 Mar 2026, 09:31:27 UTC". Chain times go past any calendar. */
export function dateTime(seconds) {
  const value = Number(seconds);
  if (value > LAST_DATE_SECOND) return 'beyond any calendar';
  const [date, time] = new Date(value * 1000).toISOString().split('T');
  const [year, month, day] = date.split('-');
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  return `${Number(day)} ${months[Number(month) - 1] ?? month} ${year}, ${time.slice(0, 8)} UTC`;
}

/** The same without what a long span of time has no use for: "29 Mar 2026" or "09:31:27 UTC". */
export function axisTime(seconds, span) {
  const [date, time] = dateTime(seconds).split(', ');
  return span > 2 * 86_400 ? date : time ?? date;
}

export function timeOfDay(seconds) {
  const value = Number(seconds);
  return value > LAST_DATE_SECOND ? '' : new Date(value * 1000).toISOString().slice(11, 19);
}

const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** "3 days", "1 hour", "under a minute". */
export function duration(seconds) {
  const value = Number(seconds);
  for (const [name, length] of UNITS) {
    const count = Math.floor(value / length);
    if (count > 36_500 && name === 'day') return 'over a century';
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'under a minute';
}

/** The status at a time: an active stream before its start is a scheduled one. */
export function statusAt(stream, second) {
  if (stream.status !== 'active' && stream.status !== 'scheduled') return stream.status;
  return second < Number(stream.startTime) ? 'scheduled' : 'active';
}

/** What the status alone doesn't say. */
export function statusNote(stream, second) {
  if (stream.archived) return 'closed on chain';
  const status = statusAt(stream, second);
  if (status === 'scheduled') return `starts in ${duration(Number(stream.startTime) - second)}`;
  if (status !== 'active' && status !== 'paused') return '';
  if (second < Number(stream.cliffTime)) return `cliff in ${duration(Number(stream.cliffTime) - second)}`;
  if (second >= Number(stream.endTime)) return 'ended';
  return status === 'paused' ? 'still accruing' : `ends in ${duration(Number(stream.endTime) - second)}`;
}

export const KIND_NAMES = { linear: 'Linear', cliff_only: 'All at the cliff', cliff_slope: 'Linear from the cliff' };
