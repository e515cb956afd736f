// workerd with a Worker's folder in it, as its wrangler.jsonc says: what `wrangler deploy` does here and there.
import { join, resolve } from 'node:path';

import { loadMiniflare } from '../../packaging/runtimes/libraries.js';
import { bundleWorker } from './bundle.js';

const folder = resolve(process.argv[2]);
const { settings, script, wasm } = await bundleWorker(folder);
const { compatibility_date: compatibilityDate, durable_objects: objects, kv_namespaces: namespaces = [] } = settings;

const { Miniflare } = await loadMiniflare();
const worker = new Miniflare({
  cf: false, // otherwise it asks a server of Cloudflare's where it is
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  compatibilityDate,
  modulesRoot: folder,
  modules: [
    { type: 'ESModule', path: join(folder, 'bundle.js'), contents: script },
    ...wasm.map((file) => ({ type: 'CompiledWasm', path: join(folder, file.name), contents: file.contents })),
  ],
  bindings: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('FLUXORA_'))),
  durableObjects: Object.fromEntries((objects?.bindings ?? [])
    .map((binding) => [binding.name, { className: binding.class_name, useSQLite: true }])),
  kvNamespaces: Object.fromEntries(namespaces.map(({ binding, id }) => [binding, id])),
  handleRuntimeStdio(stdout, stderr) {
    stdout.pipe(process.stdout);
    stderr.pipe(process.stderr);
  },
});
const { port } = await worker.ready;
console.log(`listening on http://127.0.0.1:${port}`);
process.once('SIGTERM', async () => {
  await worker.dispose();
  process.exit();
});
