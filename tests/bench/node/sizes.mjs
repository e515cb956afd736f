// What is downloaded, in bytes after brotli's best: every file by itself, as a server sends it, nothing minified.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

function brotli(bytes) {
  return brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }).length;
}

/** An entry and all that it imports, as paths in the package. */
function importsOf(packageFolder, entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = readFileSync(join(packageFolder, 'src', entry), 'utf8');
  for (const [, path] of text.matchAll(/^(?:import|export)\b[^;]*?'\.\/([\w./-]+\.js)';/gm)) importsOf(packageFolder, path, seen);
  return seen;
}

export function sizes(packageFolder, { entry, verifyEntry, feedEntry }) {
  const module = (name) => brotli(readFileSync(join(packageFolder, 'dist', `${name}.wasm`)));
  const scripts = (names) => [...names].map((name) => brotli(readFileSync(join(packageFolder, 'src', name))))
    .reduce((sum, size) => sum + size, 0);
  return {
    coreModule: module('fluxora_core'),
    coreScripts: scripts(importsOf(packageFolder, entry)),
    feedScripts: scripts(importsOf(packageFolder, feedEntry)),
    verifyModule: module('fluxora_verify'),
    verifyScripts: scripts(importsOf(packageFolder, verifyEntry)),
    ed25519Module: module('fluxora_ed25519'),
    loader: scripts([entry, 'memory.js', 'errors.js']),
  };
}
