// Waiting without sleeping: poll until something is true, with a deadline that only a broken test reaches.
import { setTimeout as delay } from 'node:timers/promises';

/** Long enough for a loaded machine; slow builds may ask for more. Nothing is ever asserted about it. */
export const DEADLINE_MS = Number(process.env.FLUXORA_TEST_DEADLINE_MS ?? 30_000);
const POLL_MS = 10;

/**
 * Calls `check` until it gives something truthy, and returns that.
 * An exception of `check` counts as "not yet"; the last one is shown when the deadline passes.
 * @template T
 * @param {() => T | Promise<T>} check
 * @param {object} options
 * @param {string} options.what what is awaited, for the message
 * @param {number} [options.deadlineMs]
 * @param {() => unknown} [options.describe] shown when the deadline passes
 * @param {() => Error | null | undefined | false} [options.giveUp] an error that makes waiting pointless
 * @returns {Promise<Exclude<T, null | undefined | false | 0 | ''>>}
 */
export async function waitFor(check, { what, deadlineMs = DEADLINE_MS, describe, giveUp }) {
  const end = performance.now() + deadlineMs;
  let trouble;
  for (;;) {
    try {
      const result = await check();
      if (result) return /** @type {any} */ (result);
      trouble = undefined;
    } catch (error) {
      trouble = error;
    }
    const pointless = giveUp?.();
    if (pointless) throw pointless;
    if (performance.now() > end) {
      const state = describe ? `\n${JSON.stringify(await describe(), null, 1)}` : '';
      throw new Error(`waited ${deadlineMs} ms in vain for ${what}${state}`, { cause: trouble });
    }
    await delay(POLL_MS);
  }
}
