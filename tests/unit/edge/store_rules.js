// What every store of handled deliveries keeps to, whichever it is and whoever's clock it goes by.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { createReceiver } from '../../../edge/src/index.js';
import { BODY, deferred, headersOf, SECRET, WAYS } from './deliveries.js';

const LONG = 600_000;
const DAY = 86_400_000;

/**
 * @param {string} name
 * @param {() => { store: object, passed: (ms: number) => Promise<void>, now?: () => number }} make what is tested, made
 *   within each test. `passed` has so much time pass for the store.
 */
export function checkStore(name, make) {
  /** A store, an id of its own, and short words for what is asked of it. */
  function subject() {
    const { store, passed, now = Date.now } = make();
    const id = randomUUID();
    const claim = async (leaseMs = LONG, keepMs = DAY) => store.claim(id, { leaseMs, keepMs, now: now() });
    return {
      store, id, passed, now, claim,
      claimed: async (leaseMs, keepMs) => {
        const { state, token } = await claim(leaseMs, keepMs);
        assert.equal(state, 'new');
        assert.equal(typeof token, 'string');
        return token;
      },
      complete: async (token, keepMs = DAY) => store.complete(id, token, { keepMs, now: now() }),
      release: async (token) => store.release(id, token, { now: now() }),
    };
  }

  test(`${name}: claimed, busy, done`, async () => {
    const { claim, claimed, complete } = subject();
    const token = await claimed();
    const busy = await claim();
    assert.equal(busy.state, 'busy');
    assert.ok(busy.retryAfterMs > 0 && busy.retryAfterMs <= LONG, `${busy.retryAfterMs}`);
    assert.equal(await complete(token), true);
    assert.deepEqual(await claim(), { state: 'done' });
    assert.equal(await complete(token), true);
    assert.deepEqual(await claim(), { state: 'done' });
  });

  test(`${name}: what is released is anyone's, and what is done can't be released`, async () => {
    const { claim, claimed, complete, release } = subject();
    await release(await claimed());
    const token = await claimed();
    await release('another token');
    assert.equal((await claim()).state, 'busy');
    await complete(token);
    await release(token);
    assert.equal((await claim()).state, 'done');
  });

  test(`${name}: a claim ends with its lease, and its token then changes nothing of the next one's`, async () => {
    const { claim, claimed, complete, release, passed } = subject();
    const old = await claimed(50);
    await passed(50);
    const token = await claimed();
    assert.notEqual(token, old);
    await release(old);
    assert.equal((await claim()).state, 'busy');
    assert.equal(await complete(old), false);
    assert.equal((await claim()).state, 'busy');
    assert.equal(await complete(token), true);
    await release(old);
    assert.equal((await claim()).state, 'done');
    // The old one was handled too, and is remembered.
    assert.equal(await complete(old), true);
  });

  test(`${name}: who is late but alone is remembered all the same`, async () => {
    const { claim, claimed, complete, release, passed } = subject();
    const old = await claimed(50);
    await passed(50);
    assert.equal(await complete(old), true);
    assert.equal((await claim()).state, 'done');

    const other = subject();
    const late = await other.claimed(50);
    await other.passed(50);
    await other.release(await other.claimed());
    assert.equal(await other.complete(late), true);
    assert.equal((await other.claim()).state, 'done');
    await release(old);
  });

  test(`${name}: what is done is forgotten when its time is over`, async () => {
    const { claimed, complete, passed } = subject();
    await complete(await claimed(LONG, 50), 50);
    await passed(50);
    await claimed();
  });

  test(`${name}: of fifty claims at once one is new`, async () => {
    const { claim } = subject();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => claim()));
    assert.equal(outcomes.filter(({ state }) => state === 'new').length, 1);
    assert.equal(outcomes.filter(({ state }) => state === 'busy').length, 49);
  });

  test(`${name}: of fifty claims at once on one whose lease has ended one is new`, async () => {
    const { claim, claimed, passed } = subject();
    await claimed(50);
    await passed(50);
    const states = (await Promise.all(Array.from({ length: 50 }, () => claim()))).map(({ state }) => state);
    assert.deepEqual(states.sort(), [...Array(49).fill('busy'), 'new']);
  });

  test(`${name}: ids are told apart, whatever they are made of`, async () => {
    const { store, now } = subject();
    const run = randomUUID();
    for (const id of [run, run.toUpperCase(), ...[':', '*', "'", '"', '\\', '%', '{x}'].map((end) => run + end)]) {
      const claimed = await store.claim(id, { leaseMs: LONG, keepMs: DAY, now: now() });
      assert.equal(claimed.state, 'new', id);
      assert.equal(await store.complete(id, claimed.token, { keepMs: DAY, now: now() }), true);
    }
  });

  test(`${name}: through a receiver, fifty copies at once are handled once`, async () => {
    const { store, id, now } = subject();
    let handled = 0;
    const onEvent = async () => {
      handled += 1;
      await new Promise(setImmediate);
    };
    const receiver = createReceiver({ secret: SECRET, seen: store, onEvent, clock: now });
    const headers = headersOf({ id, timestamp: Math.floor(now() / 1000) });
    const answers = await Promise.all(Array.from({ length: 50 }, () => WAYS.fetch(receiver, headers)));
    assert.equal(handled, 1);
    assert.equal(answers.filter(({ answer }) => answer.ok && !answer.duplicate).length, 1);
    assert.ok(answers.every(({ status }) => status === 200 || status === 503));
    assert.deepEqual((await WAYS.fetch(receiver, headers)).answer, { ok: true, duplicate: true });
  });

  test(`${name}: through a receiver, what failed comes again`, async () => {
    const { store, id, now } = subject();
    const outcomes = ['fail', 'fail', 'ok', 'ok'];
    let handled = 0;
    const onEvent = async () => { if (outcomes[handled++] === 'fail') throw new Error('failed'); };
    const receiver = createReceiver({ secret: SECRET, seen: store, onEvent, onReject() {}, clock: now });
    const headers = headersOf({ id, timestamp: Math.floor(now() / 1000) });
    const codes = [];
    for (let i = 0; i < 4; i += 1) codes.push((await WAYS.fetch(receiver, headers, BODY)).status);
    assert.deepEqual([codes, handled], [[500, 500, 200, 200], 3]);
  });
}

/** The time of the machine, which the servers beside the tests go by. */
export async function realTime(ms) {
  const over = deferred();
  // Clocks in whole milliseconds, rounded on both sides.
  setTimeout(over.resolve, ms + 20);
  await over.promise;
}
