// Tests of the store in C++ (tests/integration/store): a program with a database of its own, and no server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT, serverProgram } from './server_process.js';
import { newDatabase } from './stack.js';

const run = promisify(execFile);
const LIMIT_MS = 240_000;

/** Runs it, of the same build as the server; all its tests have to pass. */
export async function runStoreProgram(name, t) {
  const program = join(serverProgram(), '../../../tests/integration/store', name);
  if (!existsSync(program)) throw new Error(`there is no ${program}: build it (${name})`);
  const db = await newDatabase();
  const env = { ...process.env, DATABASE_URL: db.url };
  const { stdout } = await run(program, [], { env, cwd: PROJECT_ROOT, timeout: LIMIT_MS, maxBuffer: 1 << 24 })
    .catch((error) => assert.fail(`${error.message}\n${error.stdout}`));
  const [, passed] = /\[ {2}PASSED {2}\] ([0-9]+) tests?\./.exec(stdout) ?? [];
  assert.ok(Number(passed) > 0, stdout);
  t.diagnostic(`${passed} tests of the store`);
}
