// docs/security.md says which test shows each of its sentences: those tests are there, under these names.
import { test } from 'node:test';
import { expectNone, filesMatching, read } from './project_files.mjs';

const DOCUMENT = 'docs/security.md';
/** "file.test.js: title" and "file_test.cpp: Suite.Name", in backticks. */
const NAMED = /`([\w.-]+(?:\.test\.m?js|_test\.cpp)): ([^`]+)`/g;
const CALLERS = ['public', 'partner', 'operator', 'worker'];

/** What a file's tests are called, as patterns: a title's `${…}` stands for anything. @param {string} path */
function titles(path) {
  const text = read(path);
  if (path.endsWith('.cpp')) {
    return [...text.matchAll(/^TEST(?:_F|_P)?\((\w+), (\w+)\)/gm)].map(
      ([, suite, name]) => new RegExp(`^${suite}\\.${name}$`),
    );
  }
  const literal = /\b(?:test|describe|it)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  return [...text.matchAll(literal)].map(([, single, double, template]) => {
    const title = (single ?? double ?? template).replace(/\\(.)/g, '$1');
    const parts = template === undefined ? [title] : title.split(/\$\{[^}]*\}/);
    return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
  });
}

test(`every test that ${DOCUMENT} names exists`, () => {
  const named = [...read(DOCUMENT).matchAll(NAMED)];
  if (named.length < 20) throw new Error(`only ${named.length} tests are named there`);
  const findings = named.flatMap(([, file, title]) => {
    const paths = filesMatching(/^tests\//).filter((path) => path.endsWith(`/${file}`));
    if (paths.length !== 1) return [`${file}: ${paths.length} files have that name`];
    return titles(paths[0]).some((pattern) => pattern.test(title)) ? [] : [`${paths[0]} has no test "${title}"`];
  });
  expectNone(findings, 'named, and not there:');
});

test(`${DOCUMENT} says of every caller what it may and may not do, and what shows it`, () => {
  const section = read(DOCUMENT).split('\n## Callers\n')[1]?.split('\n## ')[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => /^\| [a-z]/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const unshown = rows
    .filter(([, , , shown]) => !new RegExp(NAMED.source).test(shown ?? ''))
    .map((row) => row.slice(0, 3).join(' | '));
  expectNone(
    unshown.filter((row) => !row.startsWith('caller')),
    'said, and shown by no test:',
  );
  const missing = CALLERS.flatMap((caller) =>
    ['may', 'may not']
      .filter((verb) => !rows.some(([who, what]) => who === caller && what === verb))
      .map((verb) => `${caller} ${verb}`),
  );
  expectNone(missing, 'nothing is said of:');
});
