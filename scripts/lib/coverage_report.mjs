// One table of the lines that the tests reach: gcovr's of C++ and Node's (lcov) of the npm packages.
// usage: coverage_report.mjs FOLDER "AREA PERCENT FOLDER..."...
// Reads FOLDER/native.json and FOLDER/packages.info, writes FOLDER/index.html and areas.txt. Ends with status 1 where an area is below its gate.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const MAIN_FILES = /\.(cpp|hpp|js)$/;

const [folder, ...gates] = process.argv.slice(2);
const files = new Map([...nativeFiles(join(folder, 'native.json')), ...packageFiles(join(folder, 'packages.info'))]);
const areas = gates.map((gate) => {
  const [name, atLeast, ...roots] = gate.split(' ');
  return { name, atLeast: Number(atLeast), roots, ...sum(roots) };
});

const summary = areas.map((area) =>
  `    ${area.name.padEnd(8)}${percent(area.reached, area.lines).padStart(7)} % of ${area.lines} lines (at least ${area.atLeast} %)\n`).join('');
writeFileSync(join(folder, 'areas.txt'), summary);
process.stdout.write(summary);
for (const { name, unseen } of areas) {
  for (const file of unseen) console.log(`${name}: no test loads ${file}`);
}
writeFileSync(join(folder, 'index.html'), page());
const below = areas.filter(isBelow);
for (const { name, roots, atLeast } of below) {
  console.log(`${name} is below ${atLeast} %. Its files with the most lines that nothing reaches:`);
  for (const [file, { lines, reached }] of filesOf(roots).sort(byMissing).slice(0, 20)) {
    console.log(`  ${lines - reached} of ${lines}  ${file}`);
  }
}
process.exit(below.length > 0 ? 1 : 0);

/** gcovr's summary: only what was compiled for coverage, and only lines that have code. */
function nativeFiles(path) {
  return JSON.parse(readFileSync(path, 'utf8')).files
    .map(({ filename, line_total: lines, line_covered: reached }) => [filename, { lines, reached }]);
}

/** Node's counters: SF is a file, LF and LH its lines and those reached. */
function packageFiles(path) {
  return readFileSync(path, 'utf8').split('end_of_record').flatMap((record) => {
    const value = (key) => new RegExp(`^${key}:(.*)$`, 'm').exec(record)?.[1];
    if (value('SF') === undefined) return [];
    const name = relative(process.cwd(), join(process.cwd(), relative(process.cwd(), value('SF')))).split(sep).join('/');
    return [[name, { lines: Number(value('LF')), reached: Number(value('LH')) }]];
  });
}

function filesOf(roots) {
  return [...files].filter(([name]) => roots.some((root) => name.startsWith(`${root}/`)));
}

/** A file that is there and was never loaded has no counters: all its lines count as missed. */
function sum(roots) {
  const unseen = roots.flatMap(jsFiles).filter((name) => !files.has(name));
  for (const name of unseen) files.set(name, { lines: readFileSync(name, 'utf8').split('\n').length, reached: 0 });
  const found = filesOf(roots).map(([, counts]) => counts);
  const total = (key) => found.reduce((amount, counts) => amount + counts[key], 0);
  return { lines: total('lines'), reached: total('reached'), unseen };
}

function jsFiles(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js') && MAIN_FILES.test(entry.name))
    .map((entry) => join(entry.path, entry.name).split(sep).join('/'))
    .filter((name) => !name.includes('node_modules'));
}

function isBelow({ lines, reached, atLeast }) {
  return lines === 0 || reached * 100 < atLeast * lines;
}

function percent(reached, lines) {
  return lines === 0 ? 'none' : (Math.floor((reached * 10_000) / lines) / 100).toFixed(2);
}

function byMissing([, a], [, b]) {
  return b.lines - b.reached - (a.lines - a.reached);
}

function page() {
  const row = (name, { lines, reached }, rest = '') =>
    `<tr><td>${name}<td>${lines}<td>${reached}<td>${percent(reached, lines)}${rest}</tr>`;
  const table = (head, rows) => `<table><tr><th>${head}<th>lines<th>reached<th>%<th></tr>${rows.join('\n')}</table>`;
  const gatesRows = areas.map((area) => row(area.name, area, `<td>${isBelow(area) ? 'below' : 'at least'} ${area.atLeast}`));
  const fileRows = areas.flatMap(({ roots }) => filesOf(roots).sort(byMissing).map(([name, counts]) => row(name, counts, '<td>')));
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Lines that the tests reach</title>
<style>:root{color-scheme:light dark}body{font:15px system-ui;margin:2rem}td,th{padding:.2rem .8rem;text-align:right}
td:first-child,th:first-child{text-align:left}</style>
<h1>Lines that the tests reach</h1>
${table('area', gatesRows)}
<p>C++ line by line: <a href="native.html">native.html</a>. Files by what is missing:</p>
${table('file', fileRows)}
</html>
`;
}
