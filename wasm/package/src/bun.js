// The entry for Bun: the module is a file beside this one.
import { fromModule } from './core.js';
import { loader } from './memory.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

const own = new URL('../dist/fluxora_core.wasm', import.meta.url);
export const load = loader(fromModule, own, async (source) => WebAssembly.compile(await Bun.file(source).arrayBuffer()));
