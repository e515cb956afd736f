/** A piece of a figure: whether its digits are another figure's too. */
export interface Piece {
  readonly text: string;
  readonly differs: boolean;
}

const A_FIGURE = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;

/** The digit at a place: 0 is the first before the point, -1 the first behind it. What isn't written is zero. */
function digitAt(whole: string, fraction: string, place: number): string {
  const digit = place >= 0 ? whole[whole.length - 1 - place] : fraction[-1 - place];
  return digit ?? '0';
}

/** `shown` in pieces, by whether each of its digits is that of `exact` at the same place. What is no figure differs. */
export function comparedDigits(shown: string, exact: string): Piece[] {
  const [, sign, whole, fraction = ''] = shown.match(A_FIGURE) ?? [];
  const [, exactSign, exactWhole, exactFraction = ''] = exact.match(A_FIGURE) ?? [];
  if (whole === undefined || exactWhole === undefined || sign !== exactSign) {
    return [{ text: shown, differs: shown !== exact }];
  }
  const pieces: { text: string; differs: boolean }[] = [];
  const add = (text: string, differs: boolean) => {
    const last = pieces.at(-1);
    if (last?.differs === differs) last.text += text;
    else pieces.push({ text, differs });
  };
  if (sign !== undefined && sign !== '') add(sign, false);
  for (let i = 0; i < whole.length; i += 1) {
    const place = whole.length - 1 - i;
    add(whole[i]!, whole[i] !== digitAt(exactWhole, exactFraction, place));
  }
  if (fraction !== '') add('.', false);
  for (let i = 0; i < fraction.length; i += 1) {
    add(fraction[i]!, fraction[i] !== digitAt(exactWhole, exactFraction, -1 - i));
  }
  return pieces;
}
