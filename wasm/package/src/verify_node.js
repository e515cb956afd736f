// The entry of the small module for Node: the module is a file beside this one.
import { readFile } from 'node:fs/promises';

import { fromModule } from './verify.js';
import { loader } from './memory.js';

export { fromModule } from './verify.js';
export { FluxoraError } from './errors.js';

const own = new URL('../dist/fluxora_verify.wasm', import.meta.url);
export const load = loader(fromModule, own, async (source) => WebAssembly.compile(await readFile(source)));
