// Whatever a test file starts is entered here, so that it ends whatever happens: at the end of the file, when a
// test throws, on SIGINT, SIGTERM and SIGHUP. Children also get a parent-death signal (child.js), for SIGKILL.
import { constants } from 'node:os';
import { after } from 'node:test';

/**
 * @typedef {object} Owned
 * @property {() => unknown | Promise<unknown>} end in order
 * @property {() => void} endNow synchronously, without manners
 */

/** @type {Set<Owned>} */
const owned = new Set();

/** @template {Owned} T @param {T} resource @returns {T} */
export function own(resource) {
  owned.add(resource);
  return resource;
}

/** Something of this process that would keep it alive, e.g. a server. @param {() => unknown | Promise<unknown>} stop may come a second time */
export function ownHere(stop) {
  return own({ end: stop, endNow: () => {} });
}

/** @param {Owned} resource */
export function disown(resource) {
  owned.delete(resource);
}

/** Ends everything, what was started last first. Troubles are reported together, after all have ended. */
export async function endAll() {
  const troubles = [];
  for (const resource of [...owned].reverse()) {
    try {
      await resource.end();
    } catch (error) {
      troubles.push(error);
      resource.endNow();
    }
    owned.delete(resource);
  }
  if (troubles.length > 0) throw new AggregateError(troubles, 'not everything ended in order');
}

function endAllNow() {
  for (const resource of [...owned].reverse()) {
    try {
      resource.endNow();
    } catch {
      // The others still have to end, and the process is on its way out.
    }
    owned.delete(resource);
  }
}

process.on('exit', endAllNow);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    endAllNow();
    process.exit(128 + constants.signals[signal]);
  });
}
after(endAll);
