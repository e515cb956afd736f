const FORMAT = new Intl.NumberFormat('en');

/** "12,345". One formatter for all: making one is what takes time. */
export function countText(count: number): string {
  return FORMAT.format(count);
}

/** "12 streams" */
export function streamsText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'stream' : 'streams'}`;
}
