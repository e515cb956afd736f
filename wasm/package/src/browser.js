// The entry for browsers, and for anything else that can fetch what lies beside a module.
import { fromModule } from './core.js';
import { FluxoraError } from './errors.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

export async function load(source = new URL('../dist/fluxora_core.wasm', import.meta.url)) {
  const response = await fetch(source);
  if (!response.ok) throw new FluxoraError('LOAD_FAILED', `The module was answered with ${response.status}.`);
  // Streaming insists on the media type; a server that doesn't know it costs only the overlap.
  const streams = response.headers.get('content-type')?.split(';')[0].trim() === 'application/wasm';
  const module = streams
    ? await WebAssembly.compileStreaming(response)
    : await WebAssembly.compile(await response.arrayBuffer());
  return fromModule(module);
}
