// `fluxora-server health`: what an image's health check asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../integration/harness/postgres_cluster.js';
import { ServerProcess, runCommand } from '../integration/harness/server_process.js';
import { newDatabase } from '../integration/harness/stack.js';

const onlyObject = ({ stdout }) => JSON.parse(stdout); // throws where there is more, or less

test('a service that runs says how it is, whatever address it listens on', async () => {
  const db = await newDatabase();
  for (const HOST of ['127.0.0.1', '0.0.0.0']) {
    const env = { HOST, PORT: String(await freePort()), DATABASE_URL: db.url };
    const server = await ServerProcess.start(env);
    const asked = await runCommand(['health'], env);
    assert.equal(asked.code, 0, asked.stderr);
    assert.equal(onlyObject(asked).status, 'ok');
    server.process?.kill('SIGTERM');
    await server.exited;
  }
});

test('a service that is shutting down, or isn’t there, ends it with 1', async () => {
  const db = await newDatabase();
  const env = { HOST: '127.0.0.1', PORT: String(await freePort()), DATABASE_URL: db.url, SHUTDOWN_DELAY_MS: '300000' };
  const server = await ServerProcess.start(env);
  server.process?.kill('SIGTERM');
  await server.waitForLog(({ event }) => event === 'shutting_down', 'the shutdown');
  const shutting = await runCommand(['health'], env);
  assert.equal(shutting.code, 1);
  assert.equal(onlyObject(shutting).status, 'shutting_down');
  server.process?.kill('SIGTERM'); // a second one ends at once
  await server.exited;
  const gone = await runCommand(['health'], env);
  assert.equal(gone.code, 1);
  assert.deepEqual(onlyObject(gone).success, false);
  assert.match(onlyObject(gone).message, /^The service doesn't answer: /);
});

test('a port that nobody has named can’t be asked', async () => {
  const asked = await runCommand(['health'], { PORT: '0', DATABASE_URL: 'postgres://fluxora:sesame@127.0.0.1/fluxora' });
  assert.equal(asked.code, 2);
  assert.equal(onlyObject(asked).success, false);
});
