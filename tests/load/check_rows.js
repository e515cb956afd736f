// A part of scripts/load as a smoke run, a second each: that it works, not how fast.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { serverProgram } from '../integration/harness/server_process.js';

/** That it prints a table of so many rows, each with a figure. @param {string} program @param {string[]} options @param {number} rows */
export function checkRows(program, options, rows) {
  const args = ['--test-reporter=dot', '--test-reporter-destination=/dev/null',
    fileURLToPath(new URL(program, import.meta.url)), '--server', serverProgram(), ...options, '--smoke'];
  // Without what tells a test file that it is one.
  const { NODE_TEST_CONTEXT: unused, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  const cells = stdout.split('\n').filter((line) => line.startsWith('| ')).slice(2).map((line) => line.split('|')[2].trim());
  assert.equal(cells.length, rows, stdout);
  for (const cell of cells) assert.match(cell, /[1-9]/, stdout);
}
