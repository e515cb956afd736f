import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createReceiver } from '../../../edge/src/index.js';
import { BODY, deferred, handClock, headersOf, NOW, requestOf, SECRET } from './deliveries.js';

const BOUND = 256 * 1024;

function receiverWith(options = {}) {
  const rejections = [];
  let handled = 0;
  const receiver = createReceiver({
    secret: SECRET, clock: handClock().clock, onEvent: () => { handled += 1; },
    onReject: (rejection) => { rejections.push(rejection); }, ...options,
  });
  const send = async (request) => {
    const response = await receiver(request);
    return { status: response.status, ...(await response.json()) };
  };
  return { receiver, send, rejections, handled: () => handled };
}

/** A body in pieces, made when they are asked for; `given` counts their bytes. */
function pieces(pull) {
  const state = { given: 0, cancelled: false };
  state.stream = new ReadableStream({
    async pull(controller) {
      const piece = await pull(state);
      if (piece === undefined) return controller.close();
      state.given += piece.byteLength;
      return controller.enqueue(piece);
    },
    cancel() { state.cancelled = true; },
  }, { highWaterMark: 0 });
  return state;
}

const endless = (size = 16_384) => pieces(() => new Uint8Array(size));

test('a body may come in pieces of any size, and be as long as the bound', async () => {
  const long = new TextEncoder().encode(JSON.stringify({ type: 'a', fill: 'x'.repeat(BOUND - 22) }));
  assert.equal(long.length, BOUND);
  const short = new TextEncoder().encode(BODY);
  for (const [size, bytes] of [[1, short], [13, long], [65_536, long], [BOUND, long]]) {
    const { send } = receiverWith();
    const body = pieces(({ given }) => (given < bytes.length ? bytes.slice(given, given + size) : undefined));
    assert.deepEqual(await send(requestOf(headersOf({ body: bytes }), body.stream)), { status: 200, ok: true });
  }
});

test('one that says that it is too large isn’t read', async () => {
  for (const length of [BOUND + 1, 2 ** 40, '0'.repeat(8) + (BOUND + 1)]) {
    const { send } = receiverWith();
    const body = endless();
    const answer = await send(requestOf(headersOf({}, { 'content-length': String(length) }), body.stream));
    assert.deepEqual([answer.status, answer.error], [413, 'payload_too_large']);
    assert.deepEqual([body.given, body.cancelled], [0, true]);
  }
});

test('one that is too large, whatever it says, isn’t read beyond the bound', async () => {
  for (const length of [undefined, '5', '0', '-1', 'x', '1e9', '9'.repeat(30), `${BOUND}, ${BOUND}`]) {
    for (const size of [1000, 16_384, 1_000_000]) {
      const { send, handled } = receiverWith();
      const body = endless(size);
      const answer = await send(requestOf(headersOf({}, { 'content-length': length }), body.stream));
      assert.deepEqual([answer.status, answer.error], [413, 'payload_too_large'], `${length}`);
      assert.ok(body.given <= BOUND + size);
      assert.equal(body.cancelled, true);
      assert.equal(handled(), 0);
    }
  }
});

test('one that is shorter than it says is what came', async () => {
  const { send } = receiverWith();
  assert.deepEqual(await send(requestOf(headersOf({}, { 'content-length': '9999' }), BODY)), { status: 200, ok: true });
});

test('a smaller bound holds in the same way', async () => {
  const { send } = receiverWith({ maxBodyBytes: BODY.length });
  const bytes = new TextEncoder().encode(BODY);
  assert.ok(bytes.length > BODY.length);
  assert.equal((await send(requestOf(headersOf(), BODY))).error, 'payload_too_large');
});

test('one that never ends is given up', async () => {
  const { send, rejections } = receiverWith({ bodyTimeoutSeconds: 1 });
  const never = deferred();
  const body = pieces(({ given }) => (given === 0 ? Uint8Array.of(0x7b) : never.promise));
  const answer = await send(requestOf(headersOf(), body.stream));
  assert.deepEqual([answer.status, answer.error], [408, 'body_timeout']);
  assert.equal(body.cancelled, true);
  assert.equal(rejections[0].code, 'body_timeout');
});

test('one whose sender goes away is given up', async () => {
  for (const abortFirst of [true, false]) {
    const { send, handled } = receiverWith();
    const sender = new AbortController();
    if (abortFirst) sender.abort();
    const asked = deferred();
    const body = pieces(() => { asked.resolve(); return deferred().promise; });
    const request = new Request('https://receiver.example/', {
      method: 'POST', headers: headersOf(), body: body.stream, duplex: 'half', signal: sender.signal,
    });
    const answered = send(request);
    if (!abortFirst) await asked.promise;
    sender.abort();
    const answer = await answered;
    assert.deepEqual([answer.status, answer.error, handled()], [400, 'body_unreadable', 0]);
  }
});

test('one that breaks off is unreadable', async () => {
  const { send } = receiverWith();
  const body = pieces(({ given }) => { if (given) throw new Error('reset'); return Uint8Array.of(0x7b); });
  const answer = await send(requestOf(headersOf(), body.stream));
  assert.deepEqual([answer.status, answer.error], [400, 'body_unreadable']);
});

test('one that was read before says how to mount the receiver', async () => {
  const used = requestOf(headersOf(), BODY);
  await used.text();
  const locked = requestOf(headersOf(), BODY);
  locked.body.getReader();
  for (const request of [used, locked]) {
    const { send } = receiverWith();
    const answer = await send(request);
    assert.deepEqual([answer.status, answer.error], [500, 'body_already_read']);
    assert.match(answer.message, /before body parsers/);
  }
});

test('plain bytes are bounded too, however they are cut', async () => {
  const { receiver } = receiverWith({ maxBodyBytes: 100 });
  const headers = headersOf({ timestamp: NOW });
  const send = (body) => receiver.handle({ method: 'POST', header: (name) => headers[name], body });
  for (const size of [101, 100_000]) {
    const { status, body } = await send(new Uint8Array(size));
    assert.deepEqual([status, JSON.parse(body).error], [413, 'payload_too_large']);
  }
  assert.equal(JSON.parse((await send(new Uint8Array(100))).body).error, 'signature_mismatch');
});

test('an adapter that has no body has an answer', () => {
  const { receiver, rejections } = receiverWith();
  for (const [code, status] of [['body_unreadable', 400], ['body_timeout', 408], ['body_already_read', 500]]) {
    const answer = receiver.refuse(code, { at: 1 });
    assert.deepEqual([answer.status, JSON.parse(answer.body).error], [status, code]);
  }
  assert.equal(rejections.length, 3);
});
