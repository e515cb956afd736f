// The entry of the module with ed25519 for Cloudflare Workers: the module is imported, because bytes are never compiled there.
import own from '../dist/fluxora_ed25519.wasm';

import { fromModule } from './verify.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

export const load = loader(fromModule, own, async (module) => module);
