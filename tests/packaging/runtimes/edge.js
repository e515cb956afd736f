// edge-runtime, Vercel's: it runs one script. esbuild makes it, resolving the package by its condition `edge-light`;
// the imports of `….wasm?module`, which the platform's own build turns into compiled modules, become globals here.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { EdgeRuntime } from 'edge-runtime';

import { Project } from '../installed_package.js';
import { SELF_CHECK, programFor } from './program.js';

const ENDING = 'addEventListener("fetch", (event) => event.respondWith(run().then((text) => new Response(text))));';

const compiledModules = {
  name: 'compiled-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path: basename(path, '?module'), namespace: 'compiled' }));
    onLoad({ filter: /.*/, namespace: 'compiled' }, ({ path }) => ({
      contents: `export default globalThis.compiledModules[${JSON.stringify(path)}];`,
    }));
  },
};

export async function runEdge(project, job = SELF_CHECK) {
  const main = project.write('edge.js', programFor(job, ENDING));
  const { outputFiles: [script] } = await build({
    entryPoints: [main],
    absWorkingDir: project.folder,
    bundle: true,
    write: false,
    format: 'iife',
    conditions: ['edge-light'],
    plugins: [compiledModules],
    logLevel: 'silent',
  });
  const runtime = new EdgeRuntime({
    initialCode: script.text,
    extend(context) {
      // Of the outer realm, as the platform hands them in: there, `instanceof WebAssembly.Module` is false.
      const compiled = (name) => new WebAssembly.Module(readFileSync(project.path(Project.installed(`dist/${name}`))));
      context.compiledModules = Object.fromEntries(
        ['fluxora_core.wasm', 'fluxora_verify.wasm', 'fluxora_ed25519.wasm'].map((name) => [name, compiled(name)]),
      );
      return context;
    },
  });
  const response = await runtime.dispatchFetch('http://edge.test/');
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return text;
}
