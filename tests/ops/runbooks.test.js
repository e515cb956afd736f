// The runbooks' commands, run against a real server: whoever is woken at night shouldn't be the first to try them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create } from '../integration/harness/api_streams.js';
import { runCommand, PROJECT_ROOT } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { NodeReceiver } from '../webhooks/harness/node_receiver.js';
import { metricsOf, NO_PROMTOOL, Prometheus } from './harness/prometheus.js';
import { startWatchedStack } from './harness/watched_stack.js';

const FOLDER = join(PROJECT_ROOT, 'docs/runbooks');
const SECTIONS = [
  'What it means', 'What clients see', 'Look here first', 'What to do', 'It is over when', 'What causes it', 'Afterwards',
];
const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md')).map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));
/** restore.md and the list have shapes of their own. */
const forAlerts = pages.filter(({ name }) => name !== 'README.md' && name !== 'restore.md');

/** The blocks of a language. @param {string} language @returns {{name: string, block: string}[]} */
function blocks(language) {
  return pages.filter(({ name }) => name !== 'restore.md').flatMap(({ name, text }) =>
    [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, of]) => of === language).map(([, , block]) => ({ name, block: String(block) })));
}

test('each page has the same sections', () => {
  for (const { name, text } of forAlerts) assert.deepEqual([...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title), SECTIONS, name);
});

test('what links name is there', () => {
  const broken = pages.flatMap(({ name, text }) => [...text.matchAll(/\]\(([^)#]+)/g)]
    .map(([, target]) => String(target))
    .filter((target) => {
      try {
        readFileSync(join(FOLDER, target));
        return false;
      } catch {
        return true;
      }
    })
    .map((target) => `${name}: ${target}`));
  assert.deepEqual(broken, []);
});

test('every path that is asked for is one of the API\'s', () => {
  const { paths } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'native-server/api/openapi/openapi.json'), 'utf8'));
  const patterns = Object.entries(paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`), operations,
  }));
  const isThere = (method, path) => patterns.some(({ pattern, operations }) => pattern.test(path) && method.toLowerCase() in operations);
  const wrong = [];
  for (const { name, text } of pages) {
    const said = [...text.matchAll(/`(GET|POST|PATCH|DELETE) (\/[^\s`?]*)/g)].map(([, method, path]) => [method, path]);
    const curled = [...text.matchAll(/curl ((?:(?!\n).)*)"\$FLUXORA(\/[^"?]*)/g)].map(([, options, path]) => [/-X (\w+)/.exec(String(options))?.[1] ?? 'GET', path]);
    for (const [method, path] of [...said, ...curled]) if (!isThere(method, path)) wrong.push(`${name}: ${method} ${path}`);
  }
  assert.deepEqual(wrong, []);
});

describe('before a real server', () => {
  /** @type {Awaited<ReturnType<typeof startWatchedStack>>} */
  let stack;
  /** @type {Record<string, string>} */
  let environment;
  before(async () => {
    stack = await startWatchedStack();
    // Something of everything: a dead letter, a disabled endpoint, an alarm, a difference, a job.
    const receiver = await NodeReceiver.start();
    receiver.reply = ({ path }) => ({ status: path === '/gone' ? 410 : 400 });
    const [broken, gone] = await Promise.all(['/broken', '/gone'].map((path) => stack.webhooks.create({ url: receiver.url(path) })));
    await create(stack.baseUrl);
    const [{ id }] = await stack.webhooks.deliveries(broken.id);
    await stack.webhooks.reaches(id, 'dead');
    await waitFor(async () => !(await stack.webhooks.endpoint(gone.id)).enabled, { what: 'the other endpoint to be disabled' });
    const { db } = stack;
    await db.rows("INSERT INTO indexer_alarms (kind, epoch, reason) SELECT 'retention', epoch, 'a test''s' FROM log_head");
    await db.rows("INSERT INTO reconciliation_differences (stream_id, kind, ledger, fields) VALUES ('a-1', 1, 1, '{}')");
    await db.rows("INSERT INTO replay_jobs (kind, state, contracts, restart, started_by) VALUES ('rebuild', 'failed', '', false, 'a test')");
    const made = await runCommand(['keys', 'create', '--name', 'runbooks', '--scope', 'admin', '--scope', 'webhooks:manage'], stack.server.env);
    const key = /flx_[0-9a-f]{16}_[A-Za-z0-9_-]{43}/.exec(made.stdout)?.[0];
    assert.ok(key, `${made.stdout}${made.stderr}`);
    environment = { PATH: String(process.env.PATH), FLUXORA: stack.baseUrl, KEY: key };
    await receiver.end();
  });
  after(async () => {
    await stack.stop();
    await stack.cluster.end();
  });

  test('every SQL block runs, and reads only', async () => {
    const found = blocks('sql');
    assert.ok(found.length > 10);
    for (const { name, block } of found) {
      const client = stack.db.cluster.client(stack.db.name);
      await client.connect();
      try {
        await client.query('BEGIN READ ONLY');
        await assert.doesNotReject(client.query(block), `${name}: ${block}`);
      } finally {
        await client.end();
      }
    }
  });

  test('the session that leads is found', async () => {
    const [{ block }] = blocks('sql').filter(({ block: sql }) => sql.includes('fluxlead'));
    const rows = await stack.db.rows(block);
    assert.deepEqual(rows.length, 1);
  });

  test('every shell block runs', (t) => {
    if (spawnSync('jq', ['--version']).error) return t.skip('jq is not installed');
    const found = blocks('sh');
    assert.ok(found.length > 5);
    for (const { name, block } of found) {
      const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', block], { env: environment, encoding: 'utf8' });
      assert.equal(`${status}${stderr}`, '0', `${name}: ${block}\n${stdout}`);
      assert.doesNotMatch(stdout, /^(null)?$|UNAUTHORIZED|FORBIDDEN|NOT_FOUND|VALIDATION_ERROR/, `${name}: ${block}\n${stdout}`);
    }
  });

  test('every query runs, of metrics that there are', { skip: NO_PROMTOOL }, async () => {
    const prometheus = await Prometheus.start([`127.0.0.1:${stack.server.port}`]);
    const found = blocks('promql').flatMap(({ name, block }) => block.trim().split('\n').map((line) => ({ name, line })));
    assert.ok(found.length > 20);
    for (const { name, line } of found) {
      await assert.doesNotReject(prometheus.query(line), `${name}: ${line}`);
      for (const metric of metricsOf(line)) assert.ok(stack.metrics.has(metric), `${name}: ${metric}`);
    }
    await prometheus.end();
  });
});
