// What every runtime runs: the same few lines around the same self-test.

/** The package's entries, as its `exports` name them. */
export const ENTRIES = ['.', './verify', './ed25519'];
/** The same, for runtimes that find packages themselves. */
export const PACKAGE_ENTRIES = ['@fluxora/core', '@fluxora/core/verify', '@fluxora/core/ed25519'];

// A runtime that takes longer hangs.
export const RUN_MS = 60_000;

/**
 * The text of a program that loads every entry, and of which `ending` does something with `run()`.
 * @param {string[]} entries where the package's entries are imported from, in the order of ENTRIES
 * @param {string} ending
 */
export function programFor([core, verify, ed25519], ending) {
  return `import * as core from '${core}';
import * as verify from '${verify}';
import * as ed25519 from '${ed25519}';
import { transcript } from './self_test.js';

const run = () => transcript(core, verify, ed25519);
${ending}
`;
}
