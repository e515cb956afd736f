import { h } from './dom.js';

/** How long a browser may take to begin saving what it was handed. */
const KEPT_MS = 60_000;

/** Hands a file to the browser's downloads. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = h('a', { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** What a spreadsheet would take for a formula is told apart by a quote, as text. */
function field(value: string): string {
  const text = /^[=+\-@\t\r]/.test(value) && !/^-?[0-9]+(\.[0-9]+)?$/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV (RFC 4180): CRLF, quotes where they are needed. */
export function csv(rows: Iterable<readonly string[]>): Blob {
  const lines: string[] = [];
  for (const row of rows) lines.push(`${row.map(field).join(',')}\r\n`);
  return new Blob(lines, { type: 'text/csv;charset=utf-8' });
}
