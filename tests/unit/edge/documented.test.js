import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { BODY, headersOf, OTHER, requestOf, SECRET } from './deliveries.js';
import { block, pathOf, runModule } from './documented.js';

const README = 'edge/README.md';
const WEBHOOKS = 'docs/webhooks.md';
const now = () => Math.floor(Date.now() / 1000);

test('the README’s first program handles a delivery', async (t) => {
  const stopped = [];
  globalThis.stopService = async (id) => { stopped.push(id); };
  const before = process.env.WEBHOOK_SECRET;
  process.env.WEBHOOK_SECRET = SECRET;
  t.after(() => {
    delete globalThis.stopService;
    if (before === undefined) delete process.env.WEBHOOK_SECRET;
    else process.env.WEBHOOK_SECRET = before;
  });
  const { receiver } = await runModule(block(README, 'js', 'stopService'), ['receiver']);
  const body = JSON.stringify({ type: 'stream.cancelled', data: { streamId: 'C-7' } });
  const response = await receiver(requestOf(headersOf({ body, timestamp: now() }), body));
  assert.deepEqual([response.status, stopped], [200, ['C-7']]);
});

test('the README’s Worker takes all it needs from its environment', async () => {
  const worker = await runModule(block(README, 'js', 'env.QUEUE'));
  assert.equal(typeof worker.SeenDeliveries, 'function');
  const queued = [];
  const states = [{ state: 'new', token: 't' }, true];
  const SEEN = { idFromName: (name) => name, get: () => ({ fetch: async () => Response.json(states.shift()) }) };
  const env = { WEBHOOK_SECRET: SECRET, SEEN, QUEUE: { send: async (event) => { queued.push(event); } } };
  const response = await worker.default.fetch(requestOf(headersOf({ timestamp: now() }), BODY), env);
  assert.deepEqual([response.status, queued], [200, [JSON.parse(BODY)]]);
});

test('the example of docs/webhooks.md answers', async () => {
  const { default: worker } = await runModule(block(WEBHOOKS, 'js', 'export default { fetch: createReceiver'));
  const response = await worker.fetch(requestOf(headersOf({ timestamp: now() }), BODY), { WEBHOOK_SECRET: SECRET });
  assert.equal(response.status, 200);
});

test('the check with Node.js alone takes what is good, and nothing else', async () => {
  const { isFluxoras } = await runModule(block(WEBHOOKS, 'js', 'export function isFluxoras'));
  const body = Buffer.from(BODY);
  const headers = headersOf({ timestamp: now() });
  assert.equal(isFluxoras(SECRET, headers, body), true);
  assert.equal(isFluxoras(OTHER, headers, body), false);
  assert.equal(isFluxoras(SECRET, headers, Buffer.from(`${BODY} `)), false);
  assert.equal(isFluxoras(SECRET, {}, body), false);
  for (const signature of ['', 'é'.repeat(64)]) {
    assert.equal(isFluxoras(SECRET, { ...headers, 'x-fluxora-signature': signature }, body), false);
  }
  assert.equal(isFluxoras(SECRET, { ...headers, 'x-fluxora-timestamp': `0${now()}` }, body), false);
  for (const timestamp of [now() - 310, now() + 310]) {
    assert.equal(isFluxoras(SECRET, headersOf({ timestamp }), body), false);
  }
});

test('the shell’s lines print both signatures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fluxora-documented-'));
  try {
    writeFileSync(join(folder, 'body.json'), BODY);
    const headers = headersOf();
    const run = (text) => {
      const named = { ID: headers['webhook-id'], TIMESTAMP: headers['webhook-timestamp'] };
      const env = { PATH: process.env.PATH, WEBHOOK_SECRET: SECRET, ...named };
      const options = { cwd: folder, encoding: 'utf8', env };
      const { status, stdout, stderr } = spawnSync('sh', ['-c', block(WEBHOOKS, 'sh', text)], options);
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    assert.equal(run('x-fluxora-signature'), headers['x-fluxora-signature']);
    assert.equal(run('webhook-signature'), headers['webhook-signature']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const linksOf = (path) => [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#]+)(?:#[\w-]+)?\)/g)].map(([, link]) => link);

test('what the README links to is in the package too', () => {
  const links = linksOf(pathOf(README));
  assert.ok(links.length >= 4);
  const isPacked = (link) => /^src\/[\w.]+$/.test(link) && existsSync(pathOf(`edge/${link}`));
  assert.deepEqual(links.filter((link) => !isPacked(link)), []);
});

test('the README has every option, every entry and every code', () => {
  const text = readFileSync(pathOf(README), 'utf8');
  const declared = readFileSync(pathOf('edge/src/receiver.d.ts'), 'utf8');
  const options = declared.split('export interface ReceiverOptions')[1].split('\n}')[0];
  const names = [...options.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name);
  const declaredCodes = declared.split('export type ReceiverCode =')[1].split(';')[0];
  const codes = [...declaredCodes.matchAll(/'(\w+)'/g)].map(([, code]) => code);
  const entries = Object.keys(JSON.parse(readFileSync(pathOf('edge/package.json'), 'utf8')).exports)
    .filter((name) => !['.', './package.json'].includes(name)).map((name) => name.slice(1));
  assert.ok(names.length >= 12 && codes.length >= 10);
  assert.deepEqual([...names, ...codes, ...entries].filter((word) => !text.includes(word)), []);
});
