/** Amounts as people read them. They are text from the core; it is cut, never computed. */

/** "1234567.8901234" → ["1,234,567.89", "01234"]: what is read first, and the rest. */
export function splitAmount(decimal: string): [string, string] {
  const [whole, fraction] = decimal.split('.') as [string, string];
  return [`${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction.slice(0, 2)}`, fraction.slice(2)];
}

/** "1,234,567.8901234" */
export function groupAmount(decimal: string): string {
  return splitAmount(decimal).join('');
}

/** Without zeros at the end of the fraction, for sentences: "0.5", "1,000". */
export function plainAmount(decimal: string): string {
  return groupAmount(decimal).replace(/\.?0+$/, '');
}

/**
 * How many characters an amount keeps on its way from one text to another, both grouped: those the two begin with, and
 * none where one is longer. Whatever is between the two begins with them too.
 */
export function steadyLength(from: string, to: string): number {
  if (from.length !== to.length) return 0;
  let length = 0;
  while (length < from.length && from[length] === to[length]) length += 1;
  return length;
}
