// What every runtime runs: the same few lines around a module that is given the package's entries.

const PACKAGE = '@fluxora/core';

/** Everything that needs no network. */
export const SELF_CHECK = {
  entries: ['.', './verify', './ed25519'], file: 'self_check.js', call: 'transcript', needs: '',
};

/** The feed's client over a stub. @param {string} url an expression of the program's that says where that is */
export const followFeed = (url) => ({
  entries: ['.', './feed'], file: 'follow_feed.js', call: 'followed', needs: url,
});

// A runtime that takes longer hangs.
export const RUN_MS = 60_000;

/**
 * The text of a program that loads a job's entries, and of which `ending` does something with `run()`.
 * @param {typeof SELF_CHECK} job
 * @param {string} ending
 * @param {(entry: string) => string} locate where an entry is imported from; by the package's name, where the runtime
 *   finds packages itself
 */
export function programFor({ entries, file, call, needs }, ending, locate = (entry) => PACKAGE + entry.slice(1)) {
  const names = entries.map((_, i) => `entry${i}`);
  const imports = entries.map((entry, i) => `import * as ${names[i]} from '${locate(entry)}';\n`).join('');
  return `${imports}import { ${call} } from './${file}';

const run = () => ${call}(${[...names, needs].join(', ')});
${ending}
`;
}
