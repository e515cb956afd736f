import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';

import { FluxoraError, fromModule, load } from '../../../wasm/package/src/node.js';
import { fromModule as verifyFromModule, load as loadVerify } from '../../../wasm/package/src/verify_node.js';
import { fromModule as ed25519FromModule } from '../../../wasm/package/src/ed25519_node.js';
import { CONTRACT, CREATED } from '../../packaging/self_check.js';
import { ed25519File, ed25519Module, module, newCore, newMemory, root, verifyFile, verifyModule, wasmFile, withCode } from './support.js';

const read = (path) => readFileSync(`${root}${path}`, 'utf8');

const listedExports = (name) => read(`wasm/${name}_exports.txt`).split('\n').filter(Boolean);
const modules = [['fluxora_core', module], ['fluxora_verify', verifyModule], ['fluxora_ed25519', ed25519Module]];

test('each module shows what its list says, and only the toolchain’s own beside it', () => {
  const toolchain = ['memory', '_initialize', '__indirect_function_table', '__errno_location', 'stackSave',
    'stackRestore', 'stackAlloc'];
  for (const [name, compiled] of modules) {
    const shown = WebAssembly.Module.exports(compiled).map((item) => item.name);
    const ours = shown.filter((item) => item.startsWith('fluxora_'));
    assert.deepEqual(ours.sort(), listedExports(name).sort());
    assert.deepEqual(shown.filter((item) => !item.startsWith('fluxora_') && !toolchain.includes(item)), []);
  }
});

test('a module asks its host for nothing but the end of a broken core and the news of grown memory', () => {
  for (const [, compiled] of modules) {
    const asked = WebAssembly.Module.imports(compiled).map((item) => `${item.module}.${item.name}`);
    assert.deepEqual(asked.filter((name) => name !== 'env.emscripten_notify_memory_growth'
      && name !== 'wasi_snapshot_preview1.proc_exit'), []);
  }
});

test('every exported function is used by the package', () => {
  const sources = readdirSync(`${root}wasm/package/src`).filter((file) => file.endsWith('.js'));
  const text = sources.map((file) => read(`wasm/package/src/${file}`)).join();
  const listed = new Set(modules.flatMap(([name]) => listedExports(name)));
  for (const name of listed) assert.match(text, new RegExp(`\\b${name}\\b`));
});

const compressed = (...files) => files.map((file) => brotliCompressSync(readFileSync(file), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: readFileSync(file).length },
}).length).reduce((sum, size) => sum + size);

test('the modules and the loader stay small', () => {
  const source = (name) => `${root}wasm/package/src/${name}.js`;
  const sizes = { core: compressed(wasmFile), verify: compressed(verifyFile), ed25519: compressed(ed25519File) };
  for (const entry of ['node', 'deno', 'bun', 'workerd', 'edge_light', 'browser']) {
    sizes[entry] = compressed(source(entry), source('memory'), source('errors'));
  }
  console.log(`brotli: ${JSON.stringify(sizes)}`);
  assert.ok(sizes.core <= 32 * 1024, `${sizes.core} bytes`);
  assert.ok(sizes.verify <= 8 * 1024, `${sizes.verify} bytes`);
  assert.ok(sizes.ed25519 <= 16 * 1024, `${sizes.ed25519} bytes`);
  for (const entry of ['node', 'deno', 'bun', 'workerd', 'edge_light', 'browser']) {
    assert.ok(sizes[entry] <= 2048, `${entry}: ${sizes[entry]} bytes`);
  }
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
  await assert.rejects(load(new URL('file:///nowhere/fluxora_core.wasm')), (error) => {
    assert.equal(error.cause.code, 'ENOENT');
    return withCode('LOAD_FAILED')(error);
  });
  assert.equal(new FluxoraError('X', 'y') instanceof Error, true);
});

test('loading twice compiles once, and gives two cores that share nothing', async (t) => {
  const compile = t.mock.method(WebAssembly, 'compile');
  const [a, b] = await Promise.all([load(), load()]);
  const c = await load();
  assert.equal(new Set([a, b, c]).size, 3);
  assert.ok(compile.mock.callCount() <= 1);
  const columns = a.streamColumns();
  columns.dispose();
  assert.equal(b.streamColumns().size, 0);
  assert.equal((await loadVerify()).webhooks.verifier(null).verify({ headers: {}, body: '' }).code, 'missing_secret');
});

test('what is no module of this package is refused by name', async () => {
  const other = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6D, 1, 0, 0, 0]));
  for (const make of [fromModule, verifyFromModule, ed25519FromModule]) {
    for (const wrong of [undefined, null, {}, 1, 'x', new Uint8Array(8), other, new Proxy(module, {})]) {
      assert.throws(() => make(wrong), withCode('MODULE_INVALID'));
    }
  }
  assert.throws(() => fromModule(verifyModule), withCode('MODULE_INVALID'));
  await assert.rejects(load(`${root}wasm/package/package.json`), withCode('LOAD_FAILED'));
});

test('after a call that did not come back nothing is computed any more', () => {
  const memory = newMemory();
  assert.throws(() => memory.exports.fluxora_fold(0xFFFFFFF0, 100, 0xFFFFFFF0, 0xFFFFFFF0, 1, 0xFFFFFFF0), (error) => {
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    return withCode('CORE_ABORTED')(error);
  });
  assert.throws(() => memory.inputText('x'.repeat(10_000)), withCode('CORE_ABORTED'));
  assert.throws(() => memory.outputText(), withCode('CORE_ABORTED'));
});

/** The service of the examples: one stream, from which something is withdrawn. */
async function exampleService(url) {
  const stream = { id: 's', withdrawnAmount: '0.0000000' };
  const after = { ...stream, withdrawnAmount: '12.0000000' };
  const entry = { cursor: 'k3f9-8', streamId: 's', event: 'stream.updated', prevSeq: 7, stream: after };
  const events = [['resume', { resume: 'resumed', cursor: 'k3f9-7' }], [entry.event, entry]];
  const first = { event: 'stream.created', streamId: `${CONTRACT}-7`, seq: 1, prevSeq: null, closedAt: '2026-03-29T09:31:27Z',
    ledger: 51000294, txHash: 'ab'.repeat(32), xdr: CREATED };
  const folded = newCore().fold(null, CREATED, { ...first, contractId: CONTRACT, closedAt: 1774776687 }).stream;
  const answers = {
    [`/api/streams/${CONTRACT}-7`]: folded.toJson(1774780287),
    [`/api/streams/${CONTRACT}-7/events`]: JSON.stringify({ events: [first], has_more: false, next_cursor: 'k3f9-1' }),
    '/api/streams': JSON.stringify({ streams: [stream], has_more: false }),
    '/api/events/stream': events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
  };
  const headers = { 'content-type': 'text/event-stream', 'x-fluxora-cursor': 'k3f9-7' };
  return new Response(answers[new URL(url).pathname], { headers });
}

for (const file of ['wasm/package/README.md']) {
  const examples = [...read(file).matchAll(/```js\n([\s\S]*?)```/g)].map(([, example]) => example);
  test(`the examples of ${file} run and say what they say`, async (t) => {
    assert.ok(examples.length >= 3);
    t.mock.method(globalThis, 'fetch', exampleService);
    for (const example of examples) {
      const entry = (name) => new URL(`../../../wasm/package/src/${name}.js`, import.meta.url).href;
      const source = example.replaceAll("'@fluxora/core'", `'${entry('node')}'`)
        .replaceAll("'@fluxora/core/feed'", `'${entry('feed')}'`)
        .replaceAll("'@fluxora/core/verify'", `'${entry('verify_node')}'`)
        .replaceAll("'@fluxora/core/ed25519'", `'${entry('ed25519_node')}'`);
      assert.notEqual(source, example);
      const lines = [];
      const log = t.mock.method(console, 'log', (...values) => lines.push(values.join(' ')));
      await import(`data:text/javascript,${encodeURIComponent(source)}`);
      log.mock.restore();
      const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said);
      assert.ok(promised.length >= 1);
      for (const said of promised) assert.ok(lines.includes(said), `${said} is not among ${lines}`);
    }
  });
}

test('the browser’s entry takes the module streamed or whole, and says when there is none', async () => {
  const { load: byBrowserEntry } = await import('../../../wasm/package/src/browser.js');
  const answer = (type) => new Response(readFileSync(wasmFile), { headers: { 'content-type': type } });
  const answers = [new Response('', { status: 404 }), answer('application/wasm'), answer('application/octet-stream'),
    new Response('not wasm', { headers: { 'content-type': 'application/wasm' } })];
  const { fetch } = globalThis;
  globalThis.fetch = async () => answers.shift();
  try {
    await assert.rejects(byBrowserEntry(), withCode('LOAD_FAILED'));
    assert.equal((await byBrowserEntry()).amounts.parse('1'), 10_000_000n);
    assert.equal((await byBrowserEntry()).amounts.parse('1'), 10_000_000n);
    assert.equal(answers.length, 2, 'its own module is fetched again after a failure, and then no more');
    assert.equal((await byBrowserEntry('https://other.example/core.wasm')).amounts.parse('1'), 10_000_000n);
    await assert.rejects(byBrowserEntry('https://other.example/core.wasm'), withCode('LOAD_FAILED'));
  } finally {
    globalThis.fetch = fetch;
  }
});

test('every entry that fetches asks for the module of its own that lies beside it', async (t) => {
  const fetched = t.mock.method(globalThis, 'fetch', async (url) =>
    new Response(readFileSync(new URL(url)), { headers: { 'content-type': 'application/wasm' } }));
  const exportsOf = JSON.parse(read('wasm/package/package.json')).exports;
  // The browser's of the whole core has loaded its own above, and does so once.
  const entries = [['.', 'deno', 'core'], ['./verify', 'browser', 'verify'], ['./verify', 'deno', 'verify'],
    ['./ed25519', 'browser', 'ed25519'], ['./ed25519', 'deno', 'ed25519']];
  for (const [subpath, runtime, name] of entries) {
    const entryFor = (condition) => import(`../../../wasm/package/${exportsOf[subpath][condition]}`);
    const [entry, byNode] = [await entryFor(runtime), await entryFor('node')];
    assert.equal(entry.FluxoraError, FluxoraError);
    assert.equal(Object.getPrototypeOf(await entry.load()), Object.getPrototypeOf(await byNode.load()), `${runtime}: ${subpath}`);
    assert.match(`${fetched.mock.calls.at(-1).arguments[0]}`, new RegExp(`/wasm/package/dist/fluxora_${name}\\.wasm$`));
  }
  assert.equal(fetched.mock.callCount(), entries.length);
});

test('every entry that the manifest names is there, types first and default last', () => {
  const manifest = JSON.parse(read('wasm/package/package.json'));
  // The feed's client takes a core, however that was loaded: one file for all.
  assert.deepEqual(manifest.exports['./feed'], { types: './src/feed.d.ts', default: './src/feed.js' });
  for (const subpath of ['.', './verify', './ed25519']) {
    const conditions = Object.keys(manifest.exports[subpath]);
    assert.deepEqual(conditions, ['types', 'deno', 'bun', 'workerd', 'edge-light', 'browser', 'node', 'default']);
    for (const target of Object.values(manifest.exports[subpath])) assert.ok(read(`wasm/package/${target}`).length > 0);
  }
});
