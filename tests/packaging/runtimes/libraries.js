// The runtimes and tools of this folder's packages, for tests elsewhere that use them too: they are installed once.
import { fileURLToPath } from 'node:url';

export const loadMiniflare = () => import('miniflare');
export const loadEdgeRuntime = () => import('edge-runtime');
export const loadEsbuild = () => import('esbuild');
export const typescript = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
