import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createReceiver, RetryLater, retryLater } from '../../../edge/src/index.js';
import { memoryStore } from '../../../edge/src/memory.js';
import { BODY, deferred, handClock, headersOf, NOW, requestOf, SECRET, WAYS } from './deliveries.js';

/** A receiver whose handler a test replaces as it goes. */
function receiverWith(options = {}) {
  const { clock, advance } = handClock();
  const rejections = [];
  const made = { advance, rejections, onEvent() {}, handled: 0 };
  const onEvent = (...values) => { made.handled += 1; return made.onEvent(...values); };
  const onReject = (rejection) => { rejections.push(rejection); };
  const receiver = createReceiver({ secret: SECRET, clock, onEvent, onReject, ...options });
  made.send = (signing) => WAYS.fetch(receiver, headersOf(signing));
  return made;
}

const codeOf = ({ status, answer }) => [status, answer.error ?? (answer.duplicate ? 'duplicate' : 'ok')];

test('what a handler failed on comes again, whatever it throws', async () => {
  for (const thrown of [new Error('no room'), 'text', undefined, null, 0, { then() {} }]) {
    const made = receiverWith();
    made.onEvent = () => { throw thrown; };
    const answer = await made.send();
    assert.deepEqual(codeOf(answer), [500, 'handler_failed']);
    assert.doesNotMatch(JSON.stringify(answer), /no room/);
    made.onEvent = async () => { throw thrown; };
    assert.deepEqual(codeOf(await made.send()), [500, 'handler_failed']);
    assert.deepEqual(made.rejections.map(({ deliveryId }) => deliveryId), ['msg_1', 'msg_1']);
    assert.equal(made.rejections[0].error, thrown);
    made.onEvent = () => {};
    assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
    assert.deepEqual(codeOf(await made.send()), [200, 'duplicate']);
    assert.equal(made.handled, 3);
  }
});

test('a consumer with too much to do says so, and the event comes again', async () => {
  const made = receiverWith();
  const handlers = [
    () => { throw retryLater(30); }, () => retryLater(30),
    async () => { throw new RetryLater(30); }, async () => retryLater(30),
  ];
  for (const handler of handlers) {
    made.onEvent = handler;
    const answer = await made.send();
    assert.deepEqual(codeOf(answer), [429, 'retry_later']);
    assert.equal(answer.headers['retry-after'], '30');
  }
  made.onEvent = () => {};
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
  for (const seconds of [0, -1, 0.5, 86_401, '5', NaN, undefined]) assert.throws(() => retryLater(seconds), TypeError);
});

test('a copy that comes while the first is being handled waits, and is known once that is done', async () => {
  const made = receiverWith({ retryAfterSeconds: 20, leaseSeconds: 30 });
  const gate = deferred();
  const begun = deferred();
  made.onEvent = () => { begun.resolve(); return gate.promise; };
  const first = made.send();
  await begun.promise;
  const second = await made.send({ timestamp: NOW + 1 });
  assert.deepEqual(codeOf(second), [503, 'duplicate_delivery']);
  assert.equal(second.headers['retry-after'], '20');
  made.advance(25_000);
  assert.equal((await made.send()).headers['retry-after'], '5'); // what is left of the lease
  gate.resolve();
  assert.deepEqual(codeOf(await first), [200, 'ok']);
  assert.deepEqual(codeOf(await made.send()), [200, 'duplicate']);
  assert.equal(made.handled, 1);
});

test('a duplicate is a conflict where that is wanted', async () => {
  const made = receiverWith({ duplicates: 'conflict' });
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
  assert.deepEqual(codeOf(await made.send()), [409, 'duplicate_delivery']);
  assert.deepEqual(made.rejections, [{ code: 'duplicate_delivery', status: 409, deliveryId: 'msg_1' }]);
});

test('of fifty copies at once one is handled', async () => {
  const made = receiverWith();
  made.onEvent = () => new Promise((resolve) => { setImmediate(resolve); });
  const answers = await Promise.all(Array.from({ length: 50 }, () => made.send()));
  const codes = answers.map((answer) => codeOf(answer).join(' '));
  assert.equal(made.handled, 1);
  assert.equal(codes.filter((code) => code === '200 ok').length, 1);
  assert.ok(codes.every((code) => ['200 ok', '200 duplicate', '503 duplicate_delivery'].includes(code)), codes.join());
});

test('other deliveries don’t wait for one that is slow', async () => {
  const made = receiverWith();
  const gate = deferred();
  made.onEvent = (_, { deliveryId }) => (deliveryId === 'slow' ? gate.promise : undefined);
  const slow = made.send({ id: 'slow' });
  for (let i = 0; i < 20; i += 1) assert.deepEqual(codeOf(await made.send({ id: `msg_${i}` })), [200, 'ok']);
  gate.resolve();
  assert.deepEqual(codeOf(await slow), [200, 'ok']);
});

test('a handler that takes longer than its lease is told, and the next copy is let in', async () => {
  const made = receiverWith({ leaseSeconds: 1 });
  const aborted = deferred();
  made.onEvent = (_, { signal }) => {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason));
    return new Promise(() => {});
  };
  assert.deepEqual(codeOf(await made.send()), [500, 'handler_timeout']);
  assert.match((await aborted.promise).message, /lease of 1 s/);
  made.advance(1000);
  made.onEvent = () => {};
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
});

test('one that was let in behind a slow one decides, and the slow one is not acknowledged for it', async () => {
  const made = receiverWith({ leaseSeconds: 60 });
  const gates = [deferred(), deferred()];
  const begun = [deferred(), deferred()];
  made.onEvent = () => {
    begun[made.handled - 1].resolve();
    return gates[made.handled - 1].promise;
  };
  const slow = made.send();
  await begun[0].promise;
  made.advance(60_000); // its lease ends, by the store's clock
  const next = made.send();
  await begun[1].promise;
  gates[0].resolve();
  assert.deepEqual(codeOf(await slow), [503, 'duplicate_delivery']);
  gates[1].reject(new Error('failed'));
  assert.deepEqual(codeOf(await next), [500, 'handler_failed']);
  made.onEvent = () => {};
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
});

test('a store that can’t be asked is 503, and nothing is handled', async () => {
  const broken = { claim: async () => { throw new Error('ECONNREFUSED'); }, complete() {}, release() {} };
  for (const seen of [broken, () => broken, () => { throw new Error('no binding'); }, async () => undefined]) {
    const made = receiverWith({ seen, retryAfterSeconds: 9 });
    const answer = await made.send();
    assert.deepEqual(codeOf(answer), [503, 'store_unavailable']);
    assert.equal(answer.headers['retry-after'], '9');
    assert.equal(made.handled, 0);
    assert.ok(made.rejections[0].error instanceof Error);
    assert.doesNotMatch(JSON.stringify(answer), /ECONN|binding/);
  }
});

const never = () => new Promise(() => {});

/** A store that answers at once, but for what is given. */
const storeWith = (changes) => ({ claim: () => ({ state: 'new', token: 't' }), complete: () => true, release() {}, ...changes });

test('a store that never answers withholds no answer', async () => {
  const failing = () => { throw new Error('failed'); };
  const cases = [
    [never, () => {}, [503, 'store_unavailable']],
    [storeWith({ claim: never }), () => {}, [503, 'store_unavailable']],
    [storeWith({ complete: never }), () => {}, [500, 'store_failed']],
    [storeWith({ complete: never, release: never }), () => {}, [500, 'store_failed']],
    [storeWith({ release: never }), failing, [500, 'handler_failed']],
    [storeWith({ release: never }), () => retryLater(5), [429, 'retry_later']],
  ];
  await Promise.all(cases.map(async ([seen, onEvent, expected]) => {
    const made = receiverWith({ seen, storeTimeoutSeconds: 1 });
    made.onEvent = onEvent;
    const answer = await made.send();
    assert.deepEqual(codeOf(answer), expected);
    assert.equal(answer.headers['retry-after'], { 503: '5', 429: '5' }[answer.status]);
    if (answer.status === 503) assert.equal(made.handled, 0);
    if (answer.answer.error.startsWith('store_')) assert.match(made.rejections[0].error.message, /No answer within 1 s/);
  }));
});

test('a claim that is granted when nobody waits for it any more is given back', async () => {
  const inner = memoryStore();
  const gate = deferred();
  const released = deferred();
  const made = receiverWith({
    storeTimeoutSeconds: 1,
    seen: {
      async claim(...values) {
        const claimed = inner.claim(...values);
        if (claimed.state === 'new' && made.rejections.length === 0) await gate.promise;
        return claimed;
      },
      complete: (...values) => inner.complete(...values),
      release(...values) { inner.release(...values); released.resolve(); },
    },
  });
  assert.deepEqual(codeOf(await made.send()), [503, 'store_unavailable']);
  assert.deepEqual(codeOf(await made.send()), [503, 'duplicate_delivery']);
  gate.resolve();
  await released.promise;
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
  assert.equal(made.handled, 1);
});

test('a handler has what is left of the lease when its claim is there, and isn’t begun without any', async () => {
  let takes;
  const inner = memoryStore();
  const made = receiverWith({
    leaseSeconds: 3600,
    seen: {
      claim(...values) {
        const claimed = inner.claim(...values);
        made.advance(takes);
        return claimed;
      },
      complete: (...values) => inner.complete(...values),
      release: (...values) => inner.release(...values),
    },
  });
  made.onEvent = never;
  takes = 3_600_000;
  const late = await made.send();
  assert.deepEqual([...codeOf(late), late.headers['retry-after']], [503, 'store_unavailable', '5']);
  assert.equal(made.handled, 0);
  made.advance(-3_600_000);
  takes = 3_599_950; // with the whole lease before it this wouldn't end for an hour
  assert.deepEqual(codeOf(await made.send()), [500, 'handler_timeout']);
  assert.equal(made.handled, 1);
});

test('a store that doesn’t keep to its part has nothing handled, or nothing acknowledged', async () => {
  for (const claimed of [undefined, null, {}, 'new', true, { state: 'DONE' }]) {
    const made = receiverWith({ seen: { claim: () => claimed, complete: () => true, release() {} } });
    assert.deepEqual(codeOf(await made.send()), [500, 'receiver_misconfigured']);
    assert.equal(made.handled, 0);
  }
  const seen = { claim: () => ({ state: 'new', token: 't' }), complete() {}, release() {} };
  const forgetful = receiverWith({ seen });
  assert.deepEqual(codeOf(await forgetful.send()), [503, 'duplicate_delivery']);
});

test('what could not be remembered is not acknowledged, and comes again', async () => {
  const seen = memoryStore();
  let fails = true;
  const complete = seen.complete.bind(seen);
  seen.complete = (...values) => { if (fails) throw new Error('disk full'); return complete(...values); };
  const made = receiverWith({ seen });
  assert.deepEqual(codeOf(await made.send()), [500, 'store_failed']);
  fails = false;
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
  assert.equal(made.handled, 2);
});

test('a claim that can’t be released ends with its lease', async () => {
  const seen = memoryStore();
  seen.release = async () => { throw new Error('gone'); };
  const made = receiverWith({ seen, leaseSeconds: 10 });
  made.onEvent = () => { throw new Error('failed'); };
  assert.deepEqual(codeOf(await made.send()), [500, 'handler_failed']);
  assert.deepEqual(codeOf(await made.send()), [503, 'duplicate_delivery']);
  made.advance(10_000);
  made.onEvent = () => {};
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
});

test('the store can come with the context', async () => {
  const stores = { a: memoryStore(), b: memoryStore() };
  const { clock } = handClock();
  const receiver = createReceiver({ secret: SECRET, clock, seen: async (env) => stores[env], onEvent() {} });
  const send = async (context) => codeOf(await WAYS.fetch(receiver, headersOf(), BODY, { context }))[1];
  assert.deepEqual([await send('a'), await send('b')], ['ok', 'ok']);
  assert.deepEqual([await send('a'), await send('b')], ['duplicate', 'duplicate']);
});

test('handled deliveries are remembered for as long as they are to be', async () => {
  const made = receiverWith({ keepSeconds: 600 });
  assert.deepEqual(codeOf(await made.send()), [200, 'ok']);
  made.advance(599_999);
  assert.deepEqual(codeOf(await made.send({ timestamp: NOW + 600 })), [200, 'duplicate']);
  made.advance(1);
  assert.deepEqual(codeOf(await made.send({ timestamp: NOW + 600 })), [200, 'ok']);
});

test('an onReject that fails changes no answer', async () => {
  for (const onReject of [() => { throw new Error('log is full'); }, async () => { throw new Error('log is full'); }]) {
    const made = receiverWith({ onReject });
    assert.deepEqual(codeOf(await made.send({ timestamp: 5 })), [401, 'timestamp_outside_tolerance']);
  }
  await new Promise(setImmediate);
});

test('without one, what went wrong on this side is on the console, and what senders do is not', async (t) => {
  const said = t.mock.method(console, 'error', () => {});
  const made = receiverWith({ onReject: undefined });
  await made.send({ timestamp: 5 });
  assert.equal(said.mock.callCount(), 0);
  const failure = new Error('no room');
  made.onEvent = () => { throw failure; };
  await made.send();
  assert.deepEqual(said.mock.calls.map((call) => call.arguments), [['Webhook not accepted: handler_failed', failure]]);
});

test('the listener that Workers, Deno and Bun call is the receiver itself', async () => {
  const contexts = [];
  const receiver = createReceiver({
    secret: (env) => env.SECRET, clock: handClock().clock, onEvent: (_, { context }) => { contexts.push(context); },
  });
  const { fetch } = { fetch: receiver };
  const env = { SECRET };
  const response = await fetch(requestOf(headersOf(), BODY), env, { waitUntil() {} });
  assert.equal(response.status, 200);
  assert.deepEqual(contexts, [env]);
});
