/** Which rows of a long list are in sight. Pixels count from the first row's upper edge; all rows are as high. */

/** Rows from `first` up to, and without, `end`. */
export interface Rows {
  readonly first: number;
  readonly end: number;
}

/** Browsers cut what is higher, Firefox at nearly 18 million. */
const HIGHEST_PX = 16_000_000;

/** How many rows a list can have. */
export function rowsMax(rowHeight: number): number {
  return Math.floor(HIGHEST_PX / rowHeight);
}

/** The rows that have a part between `top` and `top + height`. */
export function rowsInSight(top: number, height: number, rowHeight: number, count: number): Rows {
  const first = Math.min(Math.max(0, Math.floor(top / rowHeight)), count);
  const end = Math.min(Math.max(first, Math.ceil((top + height) / rowHeight)), count);
  return { first, end };
}

/** The same and some more on both sides. */
export function withSpare({ first, end }: Rows, spare: number, count: number): Rows {
  return { first: Math.max(0, first - spare), end: Math.min(count, end + spare) };
}

/** From where a view of some height shows a row whole: from `top` where it does already, else the nearest. */
export function topShowing(index: number, top: number, height: number, rowHeight: number): number {
  return Math.max(Math.min(top, index * rowHeight), (index + 1) * rowHeight - height);
}

/** The row that a key leads to from another; undefined for keys that lead nowhere. `page`: rows of a page. */
export function rowByKey(key: string, index: number, count: number, page: number): number | undefined {
  const to = ({
    ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1,
  } as Record<string, number>)[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), count - 1);
}
