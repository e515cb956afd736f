import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Too small a file gains nothing from being compressed. */
const SMALLEST = 256;

/** Whose code is in the page besides, and under which terms: they want to be named in every copy. */
const LICENSES = 'licenses.txt';

/** What is to be done with the folder that Vite has written. */
function afterBuild(name: string, act: (folder: string) => void): Plugin {
  let folder = '';
  return {
    name,
    apply: 'build',
    configResolved: ({ root, build }) => { folder = resolve(root, build.outDir); },
    closeBundle: () => act(folder),
  };
}

/** Vite names what is bundled from npm; what the core's module was compiled from, its package does. */
function nameThirdParties(folder: string): void {
  const notices = new URL('../wasm/package/THIRD_PARTY.txt', import.meta.url);
  appendFileSync(join(folder, LICENSES), `\n## @fluxora/core's WebAssembly\n\n${readFileSync(notices, 'utf8')}`);
}

/** Beside each file its best compressed forms: the server sends what it finds, it compresses nothing. */
function precompress(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(br|gz|png)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    if (content.length < SMALLEST) continue;
    writeFileSync(`${path}.br`, brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    }));
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  }
}

/** Warnings are errors: a page without its WebAssembly, say, is worth no more than one. */
function strict(): Plugin {
  return {
    name: 'strict',
    apply: 'build',
    configResolved: ({ logger }) => {
      logger.warn = logger.warnOnce = (message) => { throw new Error(message); };
    },
  };
}

/** Where `scripts/run` has the service. */
const SERVICE = 'http://127.0.0.1:3000';

export default defineConfig({
  // Wherever the server is behind a proxy, the page's files lie beside it.
  base: './',
  build: {
    // Where CMake's target `demo` puts it too, and scripts/run serves it from.
    outDir: '../build/wasm/demo',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the page's Content-Security-Policy allows no data: but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: LICENSES },
    // How long a build took is nothing to be refused for.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  // `npx vite`: the page as it is being written, over a service that runs here.
  server: {
    host: '127.0.0.1',
    proxy: { '^/(api|docs|health|metrics|openapi.json)': SERVICE, '/ws': { target: SERVICE, ws: true } },
  },
  plugins: [strict(), afterBuild('third-parties', nameThirdParties), afterBuild('precompress', precompress)],
});
