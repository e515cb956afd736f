// edge-runtime, Vercel's, with the function api/webhooks.js of a folder in it.
import { join, resolve } from 'node:path';

import { loadEdgeRuntime } from '../../packaging/runtimes/libraries.js';
import { bundleEdgeFunction } from './bundle.js';

const { script, wasm } = await bundleEdgeFunction(join(resolve(process.argv[2]), 'api/webhooks.js'));
const { EdgeRuntime, runServer } = await loadEdgeRuntime();
const runtime = new EdgeRuntime({
  initialCode: script,
  extend(context) {
    // Of the outer realm, as the platform hands them in: there, `instanceof WebAssembly.Module` is false.
    const compiled = wasm.map(({ name, contents }) => [name, new WebAssembly.Module(contents)]);
    context.compiledModules = Object.fromEntries(compiled);
    context.process = { env: { ...process.env } };
    return context;
  },
});
const server = await runServer({ runtime, host: '127.0.0.1', port: Number(process.env.PORT) });
console.log(`listening on http://127.0.0.1:${new URL(server.url).port}`);
process.once('SIGTERM', () => process.exit());
