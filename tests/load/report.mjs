// What both parts of scripts/load do with their figures: one markdown table on stdout, the samples in a file, the table
// in the docs, and the exit status.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { version } from './programs.mjs';

const ROOT = resolve(fileURLToPath(new URL('.', import.meta.url)), '../..');
const DOCUMENT = join(ROOT, 'docs/performance.md');

export function parseOptions(more = {}) {
  const { values } = parseArgs({
    options: {
      server: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean' },
      check: { type: 'boolean' },
      smoke: { type: 'boolean' },
      ...more,
    },
  });
  return values;
}

export function postgresVersion({ programs }) {
  return version(join(programs, 'postgres'), ['--version']);
}

function markdown(list, notes, versions) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const programs = Object.entries(versions).map(([name, number]) => `${name} ${number}`).join(', ');
  return [
    line(['', 'here', 'the other', 'ratio', 'aim', '']),
    line(['---', '---', '---', '---', '---', '---']),
    ...list.map(({ cells }) => line(cells)),
    '',
    `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus()[0].model.trim()}, ${cpus().length} cores, Linux ${release()}; ${programs}.`,
    '',
    notes,
  ].join('\n');
}

function writeDocument(part, table) {
  const [begins, ends] = [`<!-- figures: scripts/load ${part} --write -->`, `<!-- ${part} figures end -->`];
  const text = readFileSync(DOCUMENT, 'utf8');
  const begin = text.indexOf(begins);
  const end = text.indexOf(ends);
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no place between "${begins}" and "${ends}"`);
  writeFileSync(DOCUMENT, `${text.slice(0, begin)}${begins}\n${table}\n${text.slice(end)}`);
}

/** `list`: the rows; `part`: service or indexer. */
export function report({ results, list, notes, part, versions, options }) {
  const table = markdown(list, notes, versions);
  console.log(table);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.write) writeDocument(part, table);
  const missed = list.filter(({ met }) => !met);
  if (options.check && missed.length > 0) {
    console.error(`missed: ${missed.map(({ what }) => what).join('; ')}`);
    process.exitCode = 1;
  }
}
