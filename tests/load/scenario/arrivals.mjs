// An open loop: requests are due when they are due (a Poisson process), whether or not earlier ones have been answered.
// Each is measured from when it was due, so what a stalled server makes others wait counts in full.
import { setTimeout as sleep } from 'node:timers/promises';

/** What may be on its way at once; what is due beyond that is not sent, and counted. */
export const MAX_OUTSTANDING = 2_000;
const ANSWERS_DEADLINE_MS = 60_000;

/**
 * Calls `send` with the moment that each request was due (of performance.now()) for `seconds`, and waits for all of them.
 * @param {object} load
 * @param {number} load.rate a second
 * @param {number} load.seconds
 * @param {import('./random.mjs').Random} load.random
 * @param {(due: number) => Promise<void>} load.send never rejects
 * @param {() => void} load.unsent
 * @param {(ms: number) => void} [load.late] how much later than due a request was sent: what this program adds
 */
export async function openLoop({ rate, seconds, random, send, unsent, late = () => {} }) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const outstanding = new Set();
  const gap = () => (-Math.log(1 - random.fraction()) * 1000) / rate;
  for (let due = begin + gap(); due < end; due += gap()) {
    const ahead = due - performance.now();
    if (ahead > 0) await sleep(ahead);
    if (outstanding.size >= MAX_OUTSTANDING) {
      unsent();
      continue;
    }
    late(Math.max(0, performance.now() - due));
    const answered = send(due).finally(() => outstanding.delete(answered));
    outstanding.add(answered);
  }
  await Promise.race([Promise.all(outstanding), sleep(ANSWERS_DEADLINE_MS, undefined, { ref: false })]);
}
