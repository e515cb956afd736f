// The entry for browsers, and for anything else that can fetch what lies beside a module.
import { fromModule } from './core.js';
import { compileFetched } from './fetching.js';
import { loader } from './memory.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, new URL('../dist/fluxora_core.wasm', import.meta.url), compileFetched);
