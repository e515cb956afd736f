import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FluxoraError, load } from '../../../wasm/package/src/node.js';
import { module, root, wasmFile } from './support.js';

const read = (path) => readFileSync(`${root}${path}`, 'utf8');

test('the module shows what exports.txt lists, and only the toolchain’s own beside it', () => {
  const listed = read('wasm/exports.txt').split('\n').filter(Boolean);
  const shown = WebAssembly.Module.exports(module).map(({ name }) => name);
  const ours = shown.filter((name) => name.startsWith('fluxora_'));
  assert.deepEqual(ours.sort(), listed.sort());
  const toolchain = ['memory', '_initialize', '__indirect_function_table', '__errno_location', 'stackSave',
    'stackRestore', 'stackAlloc'];
  assert.deepEqual(shown.filter((name) => !name.startsWith('fluxora_') && !toolchain.includes(name)), []);
});

test('the module asks its host for nothing but the end of a broken core and the news of grown memory', () => {
  const asked = WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`);
  assert.deepEqual(asked.filter((name) => name !== 'env.emscripten_notify_memory_growth'
    && name !== 'wasi_snapshot_preview1.proc_exit'), []);
});

test('every exported function is used by the loader', () => {
  const loader = ['core.js', 'memory.js', 'stream_columns.js'].map((file) => read(`wasm/package/src/${file}`)).join();
  for (const name of read('wasm/exports.txt').split('\n').filter(Boolean)) {
    assert.match(loader, new RegExp(`\\b${name}\\b`));
  }
});

test('the module stays small', () => {
  const size = readFileSync(wasmFile).length;
  assert.ok(size < 160 * 1024, `${size} bytes`);
});

test('the declared error codes are the core’s, by name and number', async () => {
  const header = read('core/include/fluxora/core/error.hpp');
  const enumerators = header.slice(header.indexOf('enum class ErrorCode'), header.indexOf('};'))
    .split('\n').map((line) => line.match(/^ {2}([a-z][a-z0-9_]*),/)?.[1]).filter(Boolean);
  assert.ok(enumerators.length > 20);
  const types = read('wasm/package/src/index.d.ts');
  const union = types.slice(types.indexOf('type CoreErrorCode'), types.indexOf('/** What this package reports'));
  const declared = [...union.matchAll(/'([A-Z0-9_]+)'/g)].map(([, name]) => name);
  assert.deepEqual(declared, enumerators.map((name) => name.toUpperCase()));

  const { exports } = new WebAssembly.Instance(module, {
    env: { emscripten_notify_memory_growth() {} },
    wasi_snapshot_preview1: { proc_exit() {} },
  });
  exports._initialize();
  const names = declared.map((_, i) => {
    assert.equal(exports.fluxora_error_name(i + 1), 0);
    const start = exports.fluxora_output();
    return Buffer.from(exports.memory.buffer, start, exports.fluxora_output_size()).toString();
  });
  assert.deepEqual(names, declared);
});

test('load() reads the module beside the package, or the one it is given', async () => {
  const core = await load(new URL(`file://${wasmFile}`));
  assert.equal(core.amounts.format(1n), '0.0000001');
  await assert.rejects(load(new URL('file:///nowhere/fluxora_core.wasm')), { code: 'ENOENT' });
  assert.equal(new FluxoraError('X', 'y') instanceof Error, true);
});

test('the README’s example runs and says what it says', async (t) => {
  const [, example] = read('wasm/package/README.md').match(/```js\n([\s\S]*?)```/);
  const entry = new URL('../../../wasm/package/src/node.js', import.meta.url).href;
  const source = example.replace("'@fluxora/core'", `'${entry}'`);
  assert.notEqual(source, example);
  const lines = [];
  t.mock.method(console, 'log', (...values) => lines.push(values.join(' ')));
  await import(`data:text/javascript,${encodeURIComponent(source)}`);
  const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said);
  assert.ok(promised.length >= 3);
  for (const said of promised) assert.ok(lines.includes(said), `${said} is not among ${lines}`);
});

test('the browser’s entry takes the module streamed or whole, and says when there is none', async () => {
  const manifest = JSON.parse(read('wasm/package/package.json'));
  for (const target of Object.values(manifest.exports['.'])) assert.ok(read(`wasm/package/${target}`).length > 0);
  const { load: byBrowserEntry } = await import('../../../wasm/package/src/browser.js');
  const response = new Response(readFileSync(wasmFile), { headers: { 'content-type': 'application/wasm' } });
  const plain = new Response(readFileSync(wasmFile), { headers: { 'content-type': 'application/octet-stream' } });
  const answers = [response, plain, new Response('', { status: 404 })];
  const { fetch } = globalThis;
  globalThis.fetch = async () => answers.shift();
  try {
    assert.equal((await byBrowserEntry()).amounts.parse('1'), 10_000_000n);
    assert.equal((await byBrowserEntry()).amounts.parse('1'), 10_000_000n);
    await assert.rejects(byBrowserEntry(), { code: 'LOAD_FAILED' });
  } finally {
    globalThis.fetch = fetch;
  }
});
