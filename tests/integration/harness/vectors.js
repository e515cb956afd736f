// Data from outside the project, read in place.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PROJECT_ROOT } from './server_process.js';

const FOLDER = resolve(process.env.FLUXORA_VECTORS ?? join(PROJECT_ROOT, '../shared/vectors'));

/** The options of a test that reads vectors: it is skipped where there are none. */
export const needsVectors = existsSync(FOLDER) ? {} : { skip: `no vectors: ${FOLDER} does not exist (set FLUXORA_VECTORS)` };

/** @param {string} file */
export const vectorPath = (file) => join(FOLDER, file);

/** The cases of a .jsonl file, counted aloud. @param {string} file @returns {any[]} */
export function readVectors(file) {
  const cases = readFileSync(vectorPath(file), 'utf8').split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
  if (cases.length === 0) throw new Error(`${file} holds no cases`);
  console.log(`vectors: ${file} ${cases.length} cases`);
  return cases;
}
