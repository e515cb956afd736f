// The whole of scripts/load, a second each: that it works, not how fast.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { serverProgram } from '../integration/harness/server_process.js';

/** @param {string} program @param {string[]} options @param {number} rows */
function checkRows(program, options, rows) {
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

test('every row of the service is measured', () => checkRows('load.mjs', [], 12));
const programs = () => join(dirname(serverProgram()), '../../tests/load');
test('every row of the indexer is measured', () => {
  checkRows('indexer.mjs', ['--indexer', join(programs(), 'fluxora_indexer_load')], 7);
});
test('every row of the feed is measured', () => checkRows('realtime.mjs', ['--programs', programs()], 15));
test('every row of webhooks is measured', () => {
  checkRows('webhooks.mjs', ['--receiver', join(programs(), '../webhooks/receiver/fluxora_webhook_receiver')], 4);
});
