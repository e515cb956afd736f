// What Vite made of the page: small enough, precompressed, the same each time, and with nothing that its policy forbids.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { root } from '../wasm/support.js';

const BUILT = process.env.FLUXORA_DEMO ?? join(root, 'build/wasm/demo');
const SOURCES = join(root, 'web-demo');
const BUILD_MS = 120_000;
/** All that a first visit can load, every panel of it, as brotli. */
const TRANSFER_BYTES = 150_000;

/** Every file of a folder by its path in it. @returns {Map<string, Buffer>} */
function filesOf(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path)]));
}

const files = filesOf(BUILT);
const plain = [...files.keys()].filter((path) => !/\.(br|gz)$/.test(path));

/** Of bytes that are sent for a file to who takes brotli. */
const sent = (path) => (files.get(`${path}.br`) ?? files.get(path)).length;

test('a visit to every panel transfers at most 150 KB', () => {
  const loaded = plain.filter((path) => path !== 'licenses.txt');
  assert.ok(loaded.includes('index.html') && loaded.some((path) => path.endsWith('.wasm')), loaded.join(' '));
  const total = loaded.reduce((sum, path) => sum + sent(path), 0);
  const table = loaded.map((path) => `${path}: ${sent(path)}`).join('\n');
  assert.ok(total <= TRANSFER_BYTES, `${total} bytes\n${table}`);
});

test('what is compressed beside a file is that file', () => {
  const compressed = [...files.keys()].filter((path) => /\.(br|gz)$/.test(path));
  for (const path of compressed) {
    const expand = path.endsWith('.br') ? brotliDecompressSync : gunzipSync;
    assert.ok(expand(files.get(path)).equals(files.get(path.slice(0, -3))), path);
  }
  const large = plain.filter((path) => /\.(html|js|css|wasm)$/.test(path) && files.get(path).length > 1_000);
  assert.deepEqual(large.filter((path) => !files.has(`${path}.br`) || !files.has(`${path}.gz`)), []);
});

test('all but the page itself and its icon is named by its content', () => {
  assert.deepEqual(plain.filter((path) => !/^assets\/[\w-]+-[\w-]{8}\.(js|css|wasm)$/.test(path)),
    ['icon.svg', 'index.html', 'licenses.txt']);
});

test('the page holds no script and no style of its own, and asks no other host', () => {
  const page = files.get('index.html').toString();
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|javascript:/i);
  assert.deepEqual([...page.matchAll(/<script\b([^>]*)>/g)].filter(([, attributes]) => !/\ssrc="/.test(attributes)), []);
  const asked = [...page.matchAll(/\s(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  assert.deepEqual(asked.filter((address) => /^([a-z]+:|\/)/i.test(address)), []);
  const missing = asked.filter((address) => address.startsWith('./assets/')).filter((address) => !files.has(address.slice(2)));
  assert.deepEqual(missing, []);
});

test('whose code is bundled is named in its licences', () => {
  const { dependencies } = JSON.parse(readFileSync(join(SOURCES, 'package.json'), 'utf8'));
  const licences = files.get('licenses.txt').toString();
  const others = Object.keys(dependencies).filter((name) => !name.startsWith('@fluxora/'));
  assert.deepEqual(others.filter((name) => !licences.includes(`## ${name} - ${dependencies[name]} `)), []);
});

test('the same sources make the same page, byte for byte, and no path of this machine gets into it', () => {
  const again = mkdtempSync(join(tmpdir(), 'fluxora-page-'));
  try {
    execFileSync('node_modules/.bin/vite', ['build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', again],
      { cwd: SOURCES, stdio: 'pipe', timeout: BUILD_MS });
    const built = filesOf(again);
    assert.deepEqual([...built.keys()], [...files.keys()]);
    assert.deepEqual([...built].filter(([path, content]) => !content.equals(files.get(path))).map(([path]) => path), []);
  } finally {
    rmSync(again, { recursive: true });
  }
  const here = root.replace(/\/$/, '');
  assert.deepEqual(plain.filter((path) => files.get(path).includes(here)), []);
});
