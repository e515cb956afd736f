// The entry of the small module for Bun: the module is a file beside this one.
import { fromModule } from './verify.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

const own = new URL('../dist/fluxora_verify.wasm', import.meta.url);
export const load = loader(fromModule, own, async (source) => WebAssembly.compile(await Bun.file(source).arrayBuffer()));
