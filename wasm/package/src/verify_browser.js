// The entry of the small module for browsers, and for anything else that can fetch what lies beside a module.
import { fromModule } from './verify.js';
import { compileFetched } from './fetching.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, new URL('../dist/fluxora_verify.wasm', import.meta.url), compileFetched);
