// The harness keeps its promise: what it starts ends with it, whatever ends it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { PostgresCluster } from './harness/postgres_cluster.js';
import { waitFor } from './harness/wait.js';

const STARTER = `
  import { PostgresCluster } from './harness/postgres_cluster.js';
  const cluster = await PostgresCluster.start({ fsync: false });
  await cluster.createDatabase();
  console.log('STARTED ' + JSON.stringify({ pid: cluster.process.pid, directory: cluster.directory }));
  setInterval(() => {}, 1_000);
`;

/** @param {number} pid */
function isRunning(pid) {
  if (platform() === 'linux') {
    // A process that nobody has waited for yet still has an id.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return stat !== '' && !/\) [ZX] /.test(stat);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'])) {
  const skip = signal === 'SIGKILL' && platform() !== 'linux' && 'parent-death signals are Linux’s';
  test(`a test file that gets ${signal} leaves no PostgreSQL behind`, { skip }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', STARTER], {
      cwd: dirname(fileURLToPath(import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text) => { output += text; });
      const [, json] = await waitFor(() => /STARTED (.*)\n/.exec(output), { what: 'the cluster', giveUp: () => child.exitCode !== null && new Error(output) });
      const { pid, directory } = JSON.parse(json);
      assert.ok(isRunning(pid));
      child.kill(signal);
      await waitFor(() => !isRunning(pid), { what: 'PostgreSQL to end' });
      // Nobody is left to tidy up after SIGKILL; whoever starts a cluster next does it.
      if (signal === 'SIGKILL') {
        await waitFor(() => child.signalCode !== null, { what: 'the test file to end' });
        await (await PostgresCluster.start({ fsync: false })).end();
      }
      await waitFor(() => !existsSync(directory), { what: 'its directory to go' });
    } finally {
      child.kill('SIGKILL');
    }
  });
}

test('a cluster can be stopped and started, as after a crash too, and keeps what was committed', async () => {
  const cluster = await PostgresCluster.start({ fsync: true });
  const { name } = await cluster.createDatabase();
  await cluster.query(name, 'CREATE TABLE kept (n int)');
  const { port } = cluster;
  for (const mode of /** @type {const} */ (['fast', 'immediate'])) {
    await cluster.query(name, 'INSERT INTO kept VALUES (1)');
    await cluster.stop(mode);
    await assert.rejects(cluster.query(name, 'SELECT 1'));
    await cluster.start();
    assert.equal(cluster.port, port);
  }
  assert.equal((await cluster.query(name, 'SELECT * FROM kept')).rows.length, 2);
  await cluster.end();
  assert.ok(!existsSync(cluster.directory));
});
