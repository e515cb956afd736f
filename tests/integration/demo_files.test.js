// The demo page's files as a browser gets them over the wire. What the rules are in detail: tests/unit/api/demo_files_test.cpp.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { runCommand } from './harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from './harness/stack.js';

const PAGE = '<!doctype html><title>Demo</title>'.padEnd(2_000, ' ');
const SCRIPT = 'export const answer = 42;\n'.repeat(4_000);
const ASSET = '/demo/assets/app-BZ3x9kQ1.js';

/** @type {import('./harness/stack.js').Stack} */
let stack;
let root = '';

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'fluxora-demo-'));
  mkdirSync(join(root, 'assets'));
  for (const [path, text] of [['index.html', PAGE], ['assets/app-BZ3x9kQ1.js', SCRIPT]]) {
    writeFileSync(join(root, path), text);
    writeFileSync(join(root, `${path}.br`), brotliCompressSync(text));
    writeFileSync(join(root, `${path}.gz`), gzipSync(text));
  }
  stack = await startStack({ simulator: false, server: { env: { DEMO_ROOT: root } } });
});

after(() => rmSync(root, { recursive: true }));

/** @param {string} path @param {Record<string, string>} [headers] @param {string} [method] */
const ask = (path, headers, method) => stack.request(path, { headers, method });

test('a page and its script come compressed, with every security header', async () => {
  for (const [path, text, cached] of [['/demo/', PAGE, 'no-cache'], [ASSET, SCRIPT, 'public, max-age=31536000, immutable']]) {
    for (const [accepted, coding, decoded] of /** @type {[string, string | undefined, (bytes: Buffer) => Buffer][]} */ ([
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
      ['identity', undefined, (bytes) => bytes],
    ])) {
      const what = `${path} as ${accepted}`;
      const answer = await ask(path, { 'Accept-Encoding': accepted });
      assert.equal(answer.status, 200, what);
      assert.equal(answer.headers['content-encoding'], coding, what);
      assert.equal(answer.headers['cache-control'], cached, what);
      assert.equal(answer.headers.vary, 'Accept-Encoding', what);
      assert.equal(decoded(answer.bytes).toString('utf8'), text, what);
      checkSecurityHeaders(answer.headers, what);
    }
  }
});

test('HEAD says what GET would send, and what is held already is not sent again', async () => {
  const accepted = { 'Accept-Encoding': 'br' };
  const got = await ask(ASSET, accepted);
  const head = await ask(ASSET, accepted, 'HEAD');
  assert.deepEqual([head.status, head.text], [200, '']);
  for (const name of ['etag', 'content-length', 'content-encoding', 'content-type', 'vary', 'cache-control']) {
    assert.equal(head.headers[name], got.headers[name], name);
  }
  assert.equal(head.headers['content-length'], String(got.bytes.length));
  const known = await ask(ASSET, { ...accepted, 'If-None-Match': String(got.headers.etag) });
  assert.deepEqual([known.status, known.text, known.headers.etag], [304, '', got.headers.etag]);
  checkSecurityHeaders(known.headers, '304');
  const other = await ask(ASSET, { 'Accept-Encoding': 'gzip', 'If-None-Match': String(got.headers.etag) });
  assert.equal(other.status, 200, 'that is a tag of other bytes');
});

test('a coding by its own name is 404', async () => {
  for (const path of [`${ASSET}.br`, `${ASSET}.gz`, '/demo/index.html.br']) {
    const answer = await ask(path);
    assert.equal(answer.status, 404, path);
    checkSecurityHeaders(answer.headers, path);
  }
});

test('a coding whose file is gone stops the start with its name', async () => {
  const broken = mkdtempSync(join(tmpdir(), 'fluxora-demo-'));
  try {
    writeFileSync(join(broken, 'index.html'), PAGE);
    writeFileSync(join(broken, 'old.js.br'), '');
    const env = serverEnvironment(await newDatabase(), null);
    const { code, stdout, stderr } = await runCommand(['serve'], { ...env, DEMO_ROOT: broken });
    assert.notEqual(code, 0);
    assert.ok(`${stdout}${stderr}`.includes(`DEMO_ROOT: ${join(broken, 'old.js.br')} is there without the file that it is of`), stdout);
  } finally {
    rmSync(broken, { recursive: true });
  }
});
