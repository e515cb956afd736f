/** Quantities as people read them: a number with its unit. None of them is an amount. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const HUNDREDTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function count(value: number): string {
  return WHOLE.format(value);
}

/** "0.6": two figures are enough for a rate. */
export function rate(value: number): string {
  return (value < 10 ? TENTHS : WHOLE).format(value);
}

/** "430 ms", "1.2 s", "2 min 5 s", "3 h 10 min". */
export function elapsed(milliseconds: number): string {
  if (milliseconds < 1_000) return `${WHOLE.format(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${TENTHS.format(milliseconds / 1_000)} s`;
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'min', 's');
  return pair(Math.floor(seconds / 60), 60, 'h', 'min');
}

function pair(value: number, size: number, large: string, small: string): string {
  const rest = value % size;
  return `${WHOLE.format(Math.floor(value / size))} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** "0.35 ms", of microseconds. */
export function microseconds(value: number): string {
  return `${HUNDREDTHS.format(value / 1_000)} ms`;
}

/** "98 KB", "1.4 MB": of a thousand each. */
export function bytes(value: number): string {
  return value < 1_000_000 ? `${WHOLE.format(value / 1_000)} KB` : `${TENTHS.format(value / 1_000_000)} MB`;
}

/** The least of 1, 2, 5, 10, 20, 50, … (times `unit`) that is not below: where a scale ends. */
export function scaleEnd(greatest: number, unit = 1): number {
  for (let end = unit; ; end *= 10) {
    for (const step of [1, 2, 5]) if (greatest <= step * end) return step * end;
  }
}
