// The report: one HTML file that needs no other, light and dark, for wide screens and telephones.
import { readFileSync } from 'node:fs';

import { charts } from './charts.mjs';
import { escape, shortNumber } from './plots.mjs';

const STYLE = readFileSync(new URL('page.css', import.meta.url), 'utf8');
/** Columns of words; all others are of figures. */
const WORDS = ['found', 'expected', 'limit', 'value'];

const ms = (value) => (value === null || value === undefined ? '–' : shortNumber(value));
const cell = (text, kind = 'figure') => `<td class="${kind}">${escape(text)}</td>`;
const words = (text) => cell(text, 'text');
const figures = (...values) => values.map((value) => cell(value)).join('');
const outcome = (met) => `<td class="figure ${met ? 'good' : 'bad'}">${met ? '✓ met' : '✗ missed'}</td>`;
const row = (...cells) => `<tr>${cells.join('')}</tr>`;
const section = (title, note, body) => `<h2>${title}</h2>${note === '' ? '' : `<p class="soft">${note}</p>`}${body}`;

/** @param {string[]} names of the columns behind the first @param {string[]} rows */
function table(names, rows) {
  const heads = names.map((name) => `<th${WORDS.includes(name) ? ' class="text"' : ''}>${escape(name)}</th>`).join('');
  return `<div class="scroll"><table><tr><th></th>${heads}</tr>${rows.join('')}</table></div>`;
}

function thresholds(verdicts) {
  const rows = verdicts.map(({ name, limit, value, met }) =>
    row(words(name), words(limit), words(value), limit === '' ? cell('') : outcome(met)),
  );
  return section('Thresholds', '', table(['limit', 'value', ''], rows));
}

function checks(list) {
  const rows = list.map(({ name, expected, found, met }) =>
    row(words(name), words(expected), words(found), outcome(met)),
  );
  return section('Checks', '', table(['expected', 'found', ''], rows));
}

function requests({ kinds, total }) {
  const one = ([name, { ok, refused, failed, p50, p95, p99, max }]) =>
    row(words(name), figures(ok, refused, failed, ms(p50), ms(p95), ms(p99), ms(max)));
  const sorted = Object.entries(kinds).sort(([, a], [, b]) => b.ok - a.ok);
  const rows = [...sorted, ['all that the thresholds are about', total]].map(one);
  const note =
    'Milliseconds from when a request was due, of those that were answered; read backs and tries again from when they were sent.';
  return section('Requests', note, table(['answered', 'refused', 'failed', 'p50 ms', 'p95', 'p99', 'max'], rows));
}

function phases(list) {
  const rows = list.map(({ name, rate, ok, refused, failed, unsent, p50, p99, lateP99 }) =>
    row(words(name), figures(rate, ok, refused, failed, unsent, ms(p50), ms(p99), ms(lateP99))),
  );
  const names = ['a second', 'answered', 'refused', 'failed', 'not sent', 'p50 ms', 'p99', 'sent late, p99'];
  const note = 'Sent late: what the generator itself adds. Where that is much, it and not the server is at its end.';
  return section('Phases', note, table(names, rows));
}

function errors(counts) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const rows = sorted.map(([name, count]) => row(words(name), figures(count)));
  return section('Refusals and errors', '', rows.length === 0 ? '<p>None.</p>' : table(['times'], rows));
}

function lags(list) {
  const rows = Object.entries(list).map(([name, { count, p50, p99, max }]) =>
    row(words(name), figures(count, ms(p50), ms(p99), ms(max))),
  );
  if (rows.length === 0) return '';
  const note = 'From when a creation was due to when its entry arrived.';
  return section('News', note, table(['times', 'p50 ms', 'p99', 'max'], rows));
}

function tableSizes(tables) {
  if (tables.length === 0) return '';
  const [first, last] = [tables[0], tables[tables.length - 1]];
  const kib = (bytes) => Math.round((bytes ?? 0) / 1024);
  const sorted = Object.entries(last.bytes).sort(([, a], [, b]) => b - a);
  const rows = sorted.map(([name, bytes]) => row(words(name), figures(kib(first.bytes[name]), kib(bytes))));
  const grown = last.seq - first.seq;
  const note = `KiB with indexes, at the first look and at the last; meanwhile the log grew by ${grown} entries.`;
  return section('Tables', note, table(['first', 'last'], rows));
}

function tiles({ figures: { total }, samples }) {
  const last = samples[samples.length - 1];
  const list = [
    ['answered', total.ok.toLocaleString('en')],
    ['refused', total.refused.toLocaleString('en')],
    ['failed', total.failed.toLocaleString('en')],
    ['p50', `${ms(total.p50)} ms`],
    ['p99', `${ms(total.p99)} ms`],
    ...(last?.rssMiB === undefined ? [] : [['memory at the end', `${last.rssMiB.toFixed(1)} MiB`]]),
  ];
  const tile = ([name, value]) => `<div class="tile"><b>${escape(value)}</b><span>${escape(name)}</span></div>`;
  return `<div class="tiles">${list.map(tile).join('')}</div>`;
}

function summary({ met, verdicts, checks: list }) {
  const all = [...verdicts, ...list];
  const missed = all.filter((one) => !one.met).length;
  const text = met
    ? '✓ All thresholds and checks are met.'
    : `✗ ${missed} of ${all.length} thresholds and checks are missed.`;
  return `<p class="verdict ${met ? 'good' : 'bad'}">${text}</p>`;
}

function method({ sampleEverySeconds, samplesMissed }) {
  const failed = samplesMissed === 0 ? '' : ` (${samplesMissed} looks failed)`;
  return section(
    'How it was measured',
    '',
    `<p>Requests are due at random moments (a Poisson process) at the rate given, whether or not earlier ones were
answered. The server's process and <code>/metrics</code> are looked at every ${sampleEverySeconds} s, the database at
every fifth of these looks${failed}. Growth is that of a line through the second half, from its first look to its last:
the half is cut into 20 windows, of each the least value counts, and the line's slope is the median of those between any
two of them (Theil and Sen). All of it shared one machine where the server was the scenario's own.</p>`,
  );
}

/** The whole of it. @param {any} result see scenario.mjs */
export function page(result) {
  const { scenario, figures: measured, machine, target, seed, begun, seconds, followers } = result;
  const title = `Fluxora: ${scenario}`;
  const where = `${target}, ${begun}, ${Math.round(seconds)} s; ${machine}. Seed ${seed}.`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${STYLE}</style></head><body>
<h1>${escape(title)}</h1>
${summary(result)}
<p class="soft">${escape(where)}</p>
${tiles(result)}
${thresholds(result.verdicts)}
${checks(result.checks)}
${section('Over time', '', `<div class="plots">${charts(result)}</div>`)}
${requests(measured)}
${phases(measured.phases)}
${errors(measured.errors)}
${lags(measured.lags)}
${section('Followers', '', `<p>${escape(followers.text)}</p>`)}
${tableSizes(result.tables)}
${method(result)}
</body></html>
`;
}
