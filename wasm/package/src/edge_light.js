// The entry for Vercel Edge: the module is imported, with the query that its bundler asks for.
import own from '../dist/fluxora_core.wasm?module';

import { fromModule } from './core.js';
import { loader } from './memory.js';

export { fromModule } from './core.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, own, async (module) => module);
