// Workers and edge functions as one script beside compiled modules, as their platforms' tools make them.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { loadEsbuild } from '../../packaging/runtimes/libraries.js';

const OPTIONS = { bundle: true, write: false, logLevel: 'silent' };

/**
 * A Worker's folder, as its wrangler.jsonc says: an ES module that imports its `.wasm` files from beside it.
 * @param {string} folder
 * @returns {Promise<{settings: any, script: string, wasm: {name: string, contents: Buffer}[]}>}
 */
export async function bundleWorker(folder) {
  const settings = JSON.parse(readFileSync(join(folder, 'wrangler.jsonc'), 'utf8'));
  const { build } = await loadEsbuild();
  const wasm = new Map();
  const compiledBeside = {
    name: 'compiled-beside',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /\.wasm$/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === 'resolving') return undefined;
        const found = await resolve(path, { kind, resolveDir, pluginData: 'resolving' });
        const name = basename(found.path);
        wasm.set(name, readFileSync(found.path));
        return { path: `./${name}`, external: true };
      });
    },
  };
  const conditions = ['workerd', 'worker', 'browser'];
  const { outputFiles: [script] } = await build({
    ...OPTIONS,
    entryPoints: [join(folder, settings.main)],
    format: 'esm',
    minify: settings.minify ?? false,
    conditions,
    external: ['cloudflare:*'],
    plugins: [compiledBeside],
  });
  return { settings, script: script.text, wasm: [...wasm].map(([name, contents]) => ({ name, contents })) };
}

/**
 * A script that answers fetch events with an edge function, its compiled modules in the global `compiledModules`.
 * @param {string} entry a file
 * @returns {Promise<{script: string, wasm: {name: string, contents: Buffer}[]}>}
 */
export async function bundleEdgeFunction(entry) {
  const { build } = await loadEsbuild();
  const wasm = new Map();
  const compiledGlobals = {
    name: 'compiled-globals',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /\.wasm\?module$/ }, async ({ path, kind, resolveDir }) => {
        const found = await resolve(path.replace(/\?module$/, ''), { kind, resolveDir });
        return { path: found.path, namespace: 'compiled' };
      });
      onLoad({ filter: /.*/, namespace: 'compiled' }, ({ path }) => {
        wasm.set(basename(path), readFileSync(path));
        return { contents: `export default globalThis.compiledModules[${JSON.stringify(basename(path))}];` };
      });
    },
  };
  const contents = `import handler from './${basename(entry)}';
addEventListener('fetch', (event) => event.respondWith(handler(event.request, event)));`;
  const { outputFiles: [script] } = await build({
    ...OPTIONS,
    stdin: { contents, resolveDir: dirname(entry) },
    format: 'iife',
    conditions: ['edge-light'],
    plugins: [compiledGlobals],
  });
  return { script: script.text, wasm: [...wasm].map(([name, bytes]) => ({ name, contents: bytes })) };
}
