// The entry of the small module for Deno: the module is a file beside this one, or lies beside it where this one was fetched from.
import { fromModule } from './verify.js';
import { compileFetched } from './fetching.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

const own = new URL('../dist/fluxora_verify.wasm', import.meta.url);
export const load = loader(fromModule, own, compileFetched);
