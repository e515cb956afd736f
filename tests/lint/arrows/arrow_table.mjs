// The table of CONTRIBUTING.md, "Arrows": which folder may include what.
import { read } from '../project_files.mjs';

/** What a name in the table's right column allows: our own headers by their first folders, others by pattern. */
const OUTSIDE = new Map([
  ['the standard library', []],
  ['libsodium', [/^sodium(\.h|\/)/]],
  ['libpqxx', [/^pqxx\//]],
  ['libpq', [/^libpq-fe\.h$/]],
  ['hiredis', [/^hiredis\//]],
  ['libcurl', [/^curl\//]],
  ['Boost', [/^boost\//]],
  ['OpenSSL', [/^openssl\//]],
  ['zlib', [/^zlib\.h$/]],
  ['prometheus-cpp', [/^prometheus\//]],
]);

/** Every library outside of the standard one that some folder may include. */
export const OUTSIDE_PATTERNS = [...OUTSIDE.values()].flat();

/**
 * @returns {Map<string, {folders: Set<string>, outside: RegExp[], everything: boolean}>} by folder: the folders of ours
 *   it may include (itself among them), and patterns of other libraries' headers
 */
export function arrowTable() {
  const rows = read('CONTRIBUTING.md')
    .split('\n## Arrows\n')[1]
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) => line.split('|').slice(1, 3).map((cell) => cell.trim()));
  const table = new Map();
  for (const [left, right] of rows) {
    for (const folder of left.match(/`[^`]+`/g).map((name) => name.slice(1, -1))) {
      table.set(folder, { folders: new Set([folder]), outside: [], everything: right === 'everything' });
    }
  }
  const byName = new Map([...table.keys()].map((folder) => [folder.split('/').pop(), folder]));
  for (const [left, right] of rows) {
    for (const name of right.split(';')[0].split(',').map((part) => part.trim())) {
      for (const folder of left.match(/`[^`]+`/g).map((quoted) => quoted.slice(1, -1))) {
        const entry = table.get(folder);
        if (byName.has(name)) entry.folders.add(byName.get(name));
        else if (OUTSIDE.has(name)) entry.outside.push(...OUTSIDE.get(name));
        else if (name !== 'everything') throw new Error(`CONTRIBUTING.md allows ${folder} "${name}", which no rule knows`);
      }
    }
  }
  return table;
}

/** "core/error.hpp" → "core": the folder that a header under fluxora/ belongs to. @param {string} header @param {Map<string, unknown>} table */
export function folderOfHeader(header, table) {
  const name = header.split('/')[0];
  return [...table.keys()].find((folder) => folder.split('/').pop() === name);
}

/** The folder of the table that a file lies in. @param {string} path @param {Map<string, unknown>} table */
export function folderOfFile(path, table) {
  return [...table.keys()].find((folder) => path.startsWith(`${folder}/`));
}
