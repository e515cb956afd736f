// The entry for Cloudflare Workers: the module is imported, because bytes are never compiled there.
import own from '../dist/fluxora_core.wasm';

import { fromModule } from './core.js';
import { loader } from './memory.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, own, async (module) => module);
