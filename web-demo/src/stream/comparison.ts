/** Two accounts of the same stream, member by member and digit by digit. */

export interface Member {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  readonly isEqual: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const NOTHING = '(not there)';

function textOf(value: unknown): string {
  if (value === undefined) return NOTHING;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** All members that either has. Values are equal where their types are, too. */
export function compareMembers(ours: Json, theirs: Json): Member[] {
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  return names.map((name) => ({
    name,
    ours: textOf(ours[name]),
    theirs: textOf(theirs[name]),
    isEqual: JSON.stringify(ours[name]) === JSON.stringify(theirs[name]),
  }));
}

/** A piece of a text that is equal to, or differs from, what stands at its place in the other one. */
export interface Run {
  readonly text: string;
  readonly differs: boolean;
}

export const isAmount = (text: string): boolean => /^-?[0-9]+\.[0-9]{7}$/.test(text);

/**
 * What of a text stands otherwise in another one. Amounts are set below each other by their points, texts by their
 * first characters.
 */
export function runs(text: string, other: string): Run[] {
  const shift = isAmount(text) && isAmount(other) ? other.length - text.length : 0;
  const found: { text: string; differs: boolean }[] = [];
  [...text].forEach((character, index) => {
    const differs = other[index + shift] !== character;
    const last = found.at(-1);
    if (last?.differs === differs) last.text += character;
    else found.push({ text: character, differs });
  });
  return found;
}
