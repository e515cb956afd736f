// Receivers that are killed in the middle: what they were at comes again, and what they had finished doesn't.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createReceiver } from '../../edge/src/index.js';
import { spawnBound } from '../integration/harness/child.js';
import { headersOf, SECRET, WAYS } from '../unit/edge/deliveries.js';
import { realTime } from '../unit/edge/store_rules.js';

const PROGRAM = fileURLToPath(new URL('crashing_receiver.js', import.meta.url));
const TRIES = 500;

/** Runs a receiver in a process of its own up to a place in its work, and kills it there. */
async function killAt(place, headers, environment) {
  const child = spawnBound(process.execPath, [PROGRAM], {
    env: { ...process.env, ...environment, PLACE: place, SECRET, HEADERS: JSON.stringify(headers) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [said] = await Promise.race([once(child.stdout, 'data'), exited.then(() => ['ended'])]);
  child.kill('SIGKILL');
  await exited;
  assert.equal(String(said).trim(), place);
}

/**
 * @param {string} name
 * @param {() => { environment: Record<string, string>, store: object }} make called within each test
 */
export function checkCrashes(name, make) {
  for (const [place, copies] of [['handling', 1], ['completing', 1], ['completed', 0]]) {
    test(`${name}: killed while ${place}, it ${copies ? 'comes again' : 'is known'}`, async () => {
      const { environment, store } = make();
      const headers = headersOf({ id: randomUUID(), timestamp: Math.floor(Date.now() / 1000) });
      await killAt(place, headers, environment);
      let handled = 0;
      const receiver = createReceiver({ secret: SECRET, seen: store, onEvent() { handled += 1; }, onReject() {} });
      let answer;
      for (let i = 0; i < TRIES; i += 1) {
        answer = await WAYS.fetch(receiver, headers);
        if (answer.status !== 503) break;
        await realTime(20);
      }
      assert.deepEqual(answer.answer, copies ? { ok: true } : { ok: true, duplicate: true });
      assert.equal(handled, copies);
    });
  }
}
