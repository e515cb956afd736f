// What the rules read: the files that git tracks or would track, and their text.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Beside the project; absent where only the repository was cloned. */
export const SHARED_VECTORS = resolve(ROOT, '../shared/vectors');

const TEXT = /\.(c|h|cc|cpp|hpp|js|mjs|cjs|ts|json|jsonl|md|txt|css|html|svg|sh|sql|cmake|yml|yaml)$|(^|\/)(CMakeLists\.txt|\.[a-z-]+|run|test|LICENSE)$/;

let listed;

/** Paths relative to the root, sorted. */
export function allFiles() {
  // A checkout may belong to another user than the one who tests it.
  listed ??= execFileSync('git', ['-c', `safe.directory=${ROOT}`, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .sort();
  return listed;
}

/** @param {RegExp} pattern */
export function filesMatching(pattern) {
  return allFiles().filter((path) => pattern.test(path));
}

export function textFiles() {
  return filesMatching(TEXT);
}

/** @param {string} path */
export function read(path) {
  return readFileSync(join(ROOT, path), 'utf8');
}

/**
 * C, C++ or JavaScript without comments and, on request, without the text of string literals. Lines keep their numbers.
 * @param {string} source
 * @param {{strings?: boolean}} [keep]
 */
export function code(source, { strings = true } = {}) {
  // The quote of 1'000'000 separates digits.
  const pieces = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"([^(\s]{0,16})\([\s\S]*?\)\1"|"(?:[^"\\\n]|\\.)*"|(?<![0-9A-Za-z_])'(?:[^'\\\n]|\\.)*'/g;
  return source.replace(pieces, (piece) => {
    const comment = piece.startsWith('//') || piece.startsWith('/*');
    if (!comment && strings) return piece;
    const lines = piece.replace(/[^\n]/g, '');
    return comment ? ` ${lines}` : `""${lines}`;
  });
}

/**
 * Every line of `text` that matches, as "path:line: text".
 * @param {string} path
 * @param {string} text
 * @param {RegExp} pattern
 */
export function hits(path, text, pattern) {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

/** Fails with one line for each finding. @param {string[]} findings @param {string} rule */
export function expectNone(findings, rule) {
  Error.stackTraceLimit = 0; // where the rule stands is of no interest to who broke it
  if (findings.length > 0) throw new Error(`${rule}\n${findings.join('\n')}`);
}
