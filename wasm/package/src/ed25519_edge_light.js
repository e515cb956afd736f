// The entry of the module with ed25519 for Vercel Edge: the module is imported, with the query that its bundler asks for.
import own from '../dist/fluxora_ed25519.wasm?module';

import { fromModule } from './verify.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, own, async (module) => module);
