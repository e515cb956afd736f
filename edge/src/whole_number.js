/** An option's value within its bounds, or a TypeError that names it. */
export function wholeNumber(value, least, most, name) {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name}: not a whole number from ${least} to ${most}.`);
  }
  return value;
}
