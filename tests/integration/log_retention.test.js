// The log's partitions and their pruning in PostgreSQL, without a server: store/log_retention_test.cpp, with a database
// of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PROJECT_ROOT, serverProgram } from './harness/server_process.js';
import { newDatabase } from './harness/stack.js';

const run = promisify(execFile);
const LIMIT_MS = 240_000;

/** Of the same build as the server. */
function program() {
  const path = join(serverProgram(), '../../../tests/integration/store/fluxora_log_retention_tests');
  if (!existsSync(path)) throw new Error(`there is no ${path}: build it (fluxora_log_retention_tests)`);
  return path;
}

test('the log grows in partitions, and old ones leave exactly what stays', async (t) => {
  const db = await newDatabase();
  const env = { ...process.env, DATABASE_URL: db.url };
  const { stdout } = await run(program(), [], { env, cwd: PROJECT_ROOT, timeout: LIMIT_MS, maxBuffer: 1 << 24 })
    .catch((error) => assert.fail(`${error.message}\n${error.stdout}`));
  const [, passed] = /\[ {2}PASSED {2}\] ([0-9]+) tests?\./.exec(stdout) ?? [];
  assert.ok(Number(passed) > 0, stdout);
  t.diagnostic(`${passed} tests of the store`);
});
