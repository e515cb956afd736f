import assert from 'node:assert/strict';
import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { test } from 'node:test';

import { createReceiver } from '../../../edge/src/index.js';
import { createReceiver as createEd25519Receiver } from '../../../edge/src/ed25519.js';
import { receiverMaker } from '../../../edge/src/receiver.js';
import { needsVectors, newVerify, readCases } from '../wasm/support.js';
import { BODY, EVENT, handClock, headersOf, newSecret, NOW, only, OTHER, SECRET, WAYS } from './deliveries.js';

/** A receiver at a standing clock that keeps what it was given and what it refused. */
function receiverWith(options = {}, create = createReceiver) {
  const events = [];
  const rejections = [];
  const { clock, advance } = handClock();
  const receiver = create({
    secret: SECRET, clock, onEvent: (event, info) => { events.push({ event, info }); },
    onReject: (rejection) => { rejections.push(rejection); }, ...options,
  });
  return { receiver, events, rejections, advance };
}

function inEachWay(name, check) {
  for (const [way, send] of Object.entries(WAYS)) test(`${name} (${way})`, () => check(send));
}

inEachWay('a good delivery is handled once, and its copies are acknowledged', async (send) => {
  const { receiver, events, rejections } = receiverWith();
  const context = { env: 1 };
  const first = await send(receiver, headersOf(), BODY, { context });
  assert.deepEqual([first.status, first.answer], [200, { ok: true }]);
  assert.equal(first.headers['content-type'], 'application/json');
  assert.equal(first.headers['cache-control'], 'no-store');
  const again = await send(receiver, headersOf({ timestamp: NOW + 5 }));
  assert.deepEqual([again.status, again.answer], [200, { ok: true, duplicate: true }]);

  assert.equal(events.length, 1);
  const [{ event, info }] = events;
  assert.deepEqual(event, EVENT);
  assert.equal(info.deliveryId, 'msg_1');
  assert.equal(info.timestamp, NOW);
  assert.equal(new TextDecoder().decode(info.rawBody), BODY);
  assert.equal(info.context, context);
  assert.equal(info.signal.aborted, false);
  assert.equal(info.claim.id, 'msg_1');
  assert.deepEqual(rejections, []);
});

const TOO_LARGE = 'x'.repeat(256 * 1024 + 1);
const expired = [{ secret: OTHER, until: NOW - 1 }];

const BAD_TIMESTAMPS = ['0', '01774780287', '-1', '1774780287.0', '1.7e9', '0x69c90bff', '1774780287x',
  '1'.repeat(16), '１７７４７８０２８７'];

// What is wrong, the code, the status. SPEC section 8, "Verifying": in that order, and the first that fails decides.
const TABLE = [
  ['no secret', { options: { secret: undefined } }, 'missing_secret', 500],
  ['an empty secret and no headers', { options: { secret: ['', null] }, headers: {} }, 'missing_secret', 500],
  ['no headers', { headers: {} }, 'missing_delivery_id', 401],
  ['no delivery id', { changes: { 'webhook-id': undefined } }, 'missing_delivery_id', 401],
  ['no delivery id, and a body that is too large', { changes: { 'webhook-id': undefined }, body: TOO_LARGE },
    'missing_delivery_id', 401],
  ['no timestamp', { changes: { 'webhook-timestamp': undefined } }, 'missing_timestamp', 401],
  ['no signature', { changes: { 'webhook-signature': undefined } }, 'missing_signature', 401],
  ['a body over 256 KiB', { body: TOO_LARGE }, 'payload_too_large', 413],
  ['that, and a timestamp that is none', { body: TOO_LARGE, changes: { 'webhook-timestamp': 'x' } },
    'payload_too_large', 413],
  ['a body over the bound that was chosen', { options: { maxBodyBytes: BODY.length - 1 } }, 'payload_too_large', 413],
  ...BAD_TIMESTAMPS.map((text) => [
    `the timestamp ${text}`, { changes: { 'webhook-timestamp': text }, handleOnly: /[^\x20-\x7e]/.test(text) },
    'invalid_timestamp', 400,
  ]),
  ['a stale one', { timestamp: NOW - 301 }, 'timestamp_outside_tolerance', 401],
  ['one from the future', { timestamp: NOW + 301 }, 'timestamp_outside_tolerance', 401],
  ['one from long ago', { timestamp: 1 }, 'timestamp_outside_tolerance', 401],
  ['another secret', { secret: OTHER }, 'signature_mismatch', 401],
  ['another body', { body: `${BODY} ` }, 'signature_mismatch', 401],
  ['another id', { changes: { 'webhook-id': 'msg_2', 'x-fluxora-delivery-id': 'msg_2' } }, 'signature_mismatch', 401],
  ['two ids that differ', { changes: { 'x-fluxora-delivery-id': 'msg_2' } }, 'signature_mismatch', 401],
  ['another timestamp', { changes: { 'webhook-timestamp': String(NOW + 1) } }, 'signature_mismatch', 401],
  ['the hex signature in the place of the other', { changes: { 'webhook-signature': 'ab'.repeat(32) } },
    'signature_mismatch', 401],
  ['a signature of no version', { changes: { 'webhook-signature': 'AAAA' } }, 'signature_mismatch', 401],
  ['a signature that is spaces and commas', { changes: { 'webhook-signature': ', ,, ,v1,' } },
    'signature_mismatch', 401],
  ['the Fluxora family alone', { family: 'x-' }, 'missing_delivery_id', 401],
  ['a previous secret past its grace', { secret: OTHER, options: { previousSecrets: expired } },
    'previous_secret_expired', 401],
  // Where the Fluxora family may decide.
  ...[
    ['63 hex characters', { 'x-fluxora-signature': 'a'.repeat(63) }],
    ['no hex', { 'x-fluxora-signature': 'g'.repeat(64) }],
    ['of zeros', { 'x-fluxora-signature': '0'.repeat(64) }],
  ].map(([what, changes]) => [
    `a Fluxora signature: ${what}`, { family: 'x-', changes, options: { allowLegacy: true } },
    'signature_mismatch', 401,
  ]),
  ['nothing of either family', { headers: {}, options: { allowLegacy: true } }, 'missing_delivery_id', 401],
  ['a bad signature that decides beside a good Fluxora one',
    { changes: { 'webhook-signature': 'v1,AAAA' }, options: { allowLegacy: true } }, 'signature_mismatch', 401],
  ['a body that is no JSON', { signed: 'not JSON' }, 'invalid_json', 400],
  ['a body that is a list', { signed: '[]' }, 'invalid_json', 400],
  ['a body that is null', { signed: 'null' }, 'invalid_json', 400],
  ['a body with a byte order mark', { signed: `\ufeff${BODY}` }, 'invalid_json', 400],
  ['no body', { signed: '' }, 'invalid_json', 400],
];

for (const [what, given, code, status] of TABLE) {
  const { options, headers, changes, family = '', signed = BODY, body = signed, handleOnly, ...signing } = given;
  inEachWay(`${what}: ${code}`, async (send) => {
    if (handleOnly && send === WAYS.fetch) return; // Headers takes no such text.
    const { receiver, events, rejections, advance } = receiverWith(options);
    const sent = headers ?? only({ ...headersOf({ ...signing, body: signed }), ...changes }, family);
    const clean = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
    const { status: answered, answer } = await send(receiver, clean, body);
    assert.deepEqual([answer.error, answered], [code, status]);
    assert.deepEqual(Object.keys(answer), ['error', 'message']);
    assert.match(answer.message, /^[A-Z].*\.$/);
    assert.deepEqual(events, []);
    assert.equal(rejections.length, 1);
    assert.equal(rejections[0].code, code);
    assert.equal(rejections[0].status, status);
    assert.equal(rejections[0].deliveryId, code === 'invalid_json' ? 'msg_1' : null);

    // Nothing of it was remembered: where the receiver takes good ones at all, the good one is new.
    if (code === 'missing_secret' || options?.maxBodyBytes) return;
    advance(1000);
    const good = await send(receiver, headersOf({ timestamp: NOW + 1 }));
    assert.deepEqual(good.answer, { ok: true });
  });
}

inEachWay('a body that is no UTF-8 is no JSON', async (send) => {
  const { receiver } = receiverWith();
  const body = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d);
  assert.equal((await send(receiver, headersOf({ body }), body)).answer.error, 'invalid_json');
});

inEachWay('each single bit of a body counts', async (send) => {
  const { receiver, events } = receiverWith();
  const small = new TextEncoder().encode('{"type":"a"}');
  const headers = headersOf({ body: small });
  for (let bit = 0; bit < small.length * 8; bit += 1) {
    const altered = small.slice();
    altered[bit >> 3] ^= 1 << (bit & 7);
    assert.equal((await send(receiver, headers, altered)).answer.error, 'signature_mismatch', `bit ${bit}`);
  }
  for (const altered of [small.slice(1), small.slice(0, -1), Uint8Array.of(...small, 0), new Uint8Array(0)]) {
    assert.equal((await send(receiver, headers, altered)).answer.error, 'signature_mismatch');
  }
  assert.equal(events.length, 0);
  assert.deepEqual((await send(receiver, headers, small)).answer, { ok: true });
});

inEachWay('of two signatures one good one is enough, wherever it stands', async (send) => {
  const other = headersOf({ secret: OTHER })['webhook-signature'];
  const good = headersOf()['webhook-signature'];
  const pairs = [`${other} ${good}`, `${good} ${other}`, `v1,AAAA ${good}`, `v2,x ${good}`, `${other}, ${good}`];
  for (const signature of pairs) {
    const { receiver } = receiverWith();
    const { answer } = await send(receiver, headersOf({}, { 'webhook-signature': signature }));
    assert.deepEqual(answer, { ok: true }, signature);
  }
  const { receiver } = receiverWith();
  const { answer } = await send(receiver, headersOf({}, { 'webhook-signature': `${other} v1,AAAA` }));
  assert.equal(answer.error, 'signature_mismatch');
});

inEachWay('either family is enough where the option says so; otherwise the one that signs the id', async (send) => {
  const strict = receiverWith();
  assert.deepEqual((await send(strict.receiver, only(headersOf(), 'webhook-'))).answer, { ok: true });
  const lenient = receiverWith({ allowLegacy: true });
  const legacy = only(headersOf(), 'x-');
  const padded = { ...legacy, 'x-fluxora-signature': legacy['x-fluxora-signature'].toUpperCase() };
  assert.deepEqual((await send(lenient.receiver, padded)).answer, { ok: true });
  assert.deepEqual((await send(lenient.receiver, legacy)).answer, { ok: true, duplicate: true });
});

inEachWay('with unsigned ids, a body shown under an id that is still to come doesn’t take that id away', async (send) => {
  const { receiver, events } = receiverWith({ allowLegacy: true });
  const bodies = ['updated', 'cancelled'].map((name) => JSON.stringify({ type: `stream.${name}` }));
  const genuine = bodies.map((body, i) => headersOf({ id: `wd_1_e_${i + 1}`, body }));
  // Who has seen the first one knows the second one's id.
  const forged = { ...only(genuine[0], 'x-'), 'x-fluxora-delivery-id': 'wd_1_e_2' };
  assert.deepEqual((await send(receiver, forged, bodies[0])).answer, { ok: true });
  for (const [i, body] of bodies.entries()) {
    assert.deepEqual((await send(receiver, genuine[i], body)).answer, { ok: true }, body);
    // Its copies are known, with the signed id or without.
    for (const family of ['', 'x-', 'webhook-']) {
      const { answer } = await send(receiver, only(genuine[i], family), body);
      assert.deepEqual(answer, { ok: true, duplicate: true }, family);
    }
  }
  assert.deepEqual(events.map(({ event }) => event.type), ['stream.updated', 'stream.updated', 'stream.cancelled']);
  assert.match(events[2].info.claim.id, /^wd_1_e_2:[0-9a-f]{64}$/);
});

inEachWay('during a rotation both secrets are good, and the old one to its last second', async (send) => {
  const both = receiverWith({ secret: [SECRET, OTHER] });
  assert.equal((await send(both.receiver, headersOf({ secret: OTHER, id: 'a' }))).status, 200);
  assert.equal((await send(both.receiver, headersOf({ id: 'b' }))).status, 200);

  for (const until of [NOW + 10, new Date((NOW + 10) * 1000 + 999)]) {
    const rotating = receiverWith({ previousSecrets: [{ secret: OTHER, until }] });
    rotating.advance(10_000);
    assert.equal((await send(rotating.receiver, headersOf({ secret: OTHER }))).status, 200);
    rotating.advance(1000);
    const late = await send(rotating.receiver, headersOf({ secret: OTHER, id: 'late' }));
    assert.equal(late.answer.error, 'previous_secret_expired');
    // Both secrets' signatures, as the sender gives them during its grace.
    const pair = [OTHER, SECRET].map((secret) => headersOf({ secret, id: 'both' })['webhook-signature']).join(' ');
    assert.equal((await send(rotating.receiver, headersOf({ id: 'both' }, { 'webhook-signature': pair }))).status, 200);
  }
});

inEachWay('secrets can come with the context', async (send) => {
  const { receiver } = receiverWith({
    secret: async (env) => env.SECRET, previousSecrets: (env) => env.OLD ? [{ secret: env.OLD, until: NOW }] : [],
  });
  const code = async (headers, context) => (await send(receiver, headers, BODY, { context })).answer.error ?? 'ok';
  assert.equal(await code(headersOf(), { SECRET }), 'ok');
  assert.equal(await code(headersOf({ id: 'b' }), { SECRET: OTHER }), 'signature_mismatch');
  assert.equal(await code(headersOf({ id: 'b' }), { SECRET: OTHER, OLD: SECRET }), 'ok');
  assert.equal(await code(headersOf(), {}), 'missing_secret');
  // More of them than are kept prepared, and each of them again.
  const secrets = Array.from({ length: 150 }, newSecret);
  for (const round of [1, 2]) {
    await Promise.all(secrets.map(async (secret, i) => {
      assert.equal(await code(headersOf({ secret, id: `${round}-${i}` }), { SECRET: secret }), 'ok');
      const forged = headersOf({ secret: OTHER, id: `${round}-${i}-x` });
      assert.equal(await code(forged, { SECRET: secret }), 'signature_mismatch');
    }));
  }
});

inEachWay('other methods are told which one it is', async (send) => {
  const { receiver, events } = receiverWith();
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const { status, headers, answer } = await send(receiver, headersOf(), BODY, { method });
    assert.deepEqual([status, headers.allow, answer.error], [405, 'POST', 'method_not_allowed']);
  }
  assert.deepEqual(events, []);
});

test('what would be several lines, or other headers, is a text like any other', async () => {
  const hostile = ['msg_1\r\nset-cookie: a=b', 'msg_1\n', 'msg_1\0', ' msg_1', 'msg_1, msg_1', 'м', '\ud800',
    '"><script>', 'x'.repeat(20_000)];
  for (const text of hostile) {
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-fluxora-delivery-id']) {
      const { receiver, events } = receiverWith();
      const { status, headers, answer } = await WAYS.handle(receiver, headersOf({}, { [name]: text }));
      // What is longer than any header counts as absent, and an unsigned id needn't be there.
      const isAbsent = text.length > 16_384 && name === 'x-fluxora-delivery-id';
      const isRight = isAbsent ? status === 200 : status === 401 || status === 400;
      assert.ok(isRight, `${name} ${JSON.stringify(text)}: ${status}`);
      assert.equal(events.length, isAbsent ? 1 : 0);
      // Of a sender's text nothing comes back.
      assert.deepEqual(Object.keys(headers).sort(), ['cache-control', 'content-type']);
      assert.doesNotMatch(JSON.stringify(answer), /set-cookie|script|msg_1/);
    }
  }
  // Without the signed id, where anyone may choose it.
  const { receiver } = receiverWith({ allowLegacy: true });
  for (const text of hostile.slice(0, -1)) {
    const { headers } = await WAYS.handle(receiver, { ...only(headersOf(), 'x-'), 'x-fluxora-delivery-id': text });
    assert.deepEqual(Object.keys(headers).sort(), ['cache-control', 'content-type']);
  }
});

test('an id of any length is remembered', async () => {
  const { receiver, events } = receiverWith({ allowLegacy: true });
  for (const id of ['x'.repeat(16_000), 'лист'.repeat(100), `${'x'.repeat(15_999)}y`]) {
    const headers = { ...only(headersOf(), 'x-'), 'x-fluxora-delivery-id': id };
    assert.deepEqual((await WAYS.handle(receiver, headers)).answer, { ok: true });
    assert.deepEqual((await WAYS.handle(receiver, headers)).answer, { ok: true, duplicate: true });
    assert.equal(events.at(-1).info.deliveryId, id);
    assert.match(events.at(-1).info.claim.id, /^sha256:[0-9a-f]{64}$/);
  }
  assert.equal(events.length, 3);
});

test('ed25519 is verified by the entry that has it', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const whpk = `whpk_${publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')}`;
  const signed = (body) => signBytes(null, Buffer.from(`msg_1.${NOW}.${body}`), privateKey).toString('base64');
  const signature = (body) => `v1a,${signed(body)}`;
  const headers = (body = BODY) => only(headersOf({}, { 'webhook-signature': signature(body) }), 'webhook-');
  for (const [name, send] of Object.entries(WAYS)) {
    const { receiver } = receiverWith({ secret: undefined, publicKeys: whpk }, createEd25519Receiver);
    assert.equal((await send(receiver, headers('x'))).answer.error, 'signature_mismatch', name);
    assert.deepEqual((await send(receiver, headers())).answer, { ok: true }, name);
  }
  const both = receiverWith({ publicKeys: () => [whpk] }, createEd25519Receiver);
  assert.deepEqual((await WAYS.fetch(both.receiver, headersOf())).answer, { ok: true });
  assert.throws(() => receiverWith({ publicKeys: whpk }), { name: 'TypeError', message: /^publicKeys: / });
  await assert.rejects(receiverWith({ secret: whpk }).receiver.ready(), { code: 'KEY_UNSUPPORTED' });
});

test('Standard Webhooks as the official library decides', needsVectors, async () => {
  const cases = readCases('webhooks/standard_webhooks.json', (file) => file);
  const compared = { accepted: 0, refused: 0 };
  for (const { secret, id, timestamp, signature, body, now, standardwebhooks } of cases) {
    const receiver = createReceiver({ secret, clock: () => now * 1000, onEvent() {}, onReject() {} });
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => typeof value === 'string'));
    const { answer } = await WAYS.handle(receiver, given, body);
    // Timestamps are digits alone here.
    if (answer.error === 'invalid_timestamp') {
      assert.doesNotMatch(timestamp, /^[1-9][0-9]{0,14}$/);
      continue;
    }
    // Whether a body is JSON comes after the signature.
    const accepted = answer.ok === true || answer.error === 'invalid_json';
    assert.equal(accepted, standardwebhooks, `${answer.error} ${JSON.stringify(given)}`);
    compared[accepted ? 'accepted' : 'refused'] += 1;
  }
  assert.ok(compared.accepted > 0 && compared.refused > 0, JSON.stringify(compared));
});

test('a mistake in the options is noticed when the receiver is made', () => {
  const onEvent = () => {};
  const bad = [
    undefined, null, 'x', {}, { onEvent: 1 }, { onEvent, onEvnt: onEvent }, { onEvent, seen: {} },
    { onEvent, seen: null }, { onEvent, allowLegacy: 1 }, { onEvent, duplicates: 'no' }, { onEvent, clock: 5 },
    { onEvent, onReject: 'x' },
    { onEvent, maxBodyBytes: 0 }, { onEvent, maxBodyBytes: 256 * 1024 + 1 }, { onEvent, maxBodyBytes: '5' },
    { onEvent, bodyTimeoutSeconds: 0 }, { onEvent, retryAfterSeconds: 0.5 }, { onEvent, leaseSeconds: 0 },
    { onEvent, leaseSeconds: 3601 }, { onEvent, storeTimeoutSeconds: 0 }, { onEvent, storeTimeoutSeconds: 301 },
    { onEvent, keepSeconds: 599 }, { onEvent, keepSeconds: Infinity },
    { onEvent, previousSecrets: 'x' }, { onEvent, previousSecrets: [SECRET] },
    ...[undefined, NOW * 1000, new Date('x')]
      .map((until) => ({ onEvent, previousSecrets: [{ secret: SECRET, until }] })),
  ];
  const isTold = (error) => error.name === 'TypeError' && !error.message.includes(SECRET);
  for (const options of bad) assert.throws(() => createReceiver(options), isTold, JSON.stringify(options));
  assert.equal(createReceiver({ onEvent }).maxBodyBytes, 256 * 1024);
  assert.equal(createReceiver({ onEvent, bodyTimeoutSeconds: 3 }).bodyTimeoutSeconds, 3);
});

inEachWay('what is wrong with a secret is told to its owner, not to senders', async (send) => {
  const sealed = () => { throw new Error('vault is sealed'); };
  for (const secret of ['whsec_§', 'whsec_', Array(17).fill(SECRET), sealed, 5]) {
    const { receiver, rejections } = receiverWith({ secret });
    await assert.rejects(receiver.ready());
    const { status, answer } = await send(receiver, headersOf());
    const told = { error: 'receiver_misconfigured', message: 'The receiver is not set up well.' };
    assert.deepEqual([status, answer], [500, told]);
    assert.ok(rejections[0].error instanceof Error);
  }
  await assert.rejects(receiverWith({ secret: undefined }).receiver.ready(), /no secret/);
  await receiverWith().receiver.ready();
});

test('of the verifiers of many secrets no more than 64 are kept', async () => {
  let held = 0;
  const load = async () => {
    const { webhooks } = newVerify();
    const verifier = (...keys) => {
      held += 1;
      const made = webhooks.verifier(...keys);
      return { verify: (delivery) => made.verify(delivery), dispose() { held -= 1; made.dispose(); } };
    };
    return { webhooks: { verifier } };
  };
  const { receiver } = receiverWith({ secret: (context) => context }, receiverMaker(load, ['secret']));
  for (let i = 0; i < 100; i += 1) {
    await WAYS.handle(receiver, headersOf(), BODY, { context: newSecret() });
    assert.equal(held, Math.min(i + 1, 64));
  }
});

test('a module that could not be loaded, or stopped in a call, is loaded anew', async () => {
  const verify = () => { throw new Error('CORE_ABORTED'); };
  const loads = [
    () => { throw new Error('no such file'); },
    () => ({ webhooks: { verifier: () => ({ verify, dispose() {} }) } }),
    newVerify,
  ];
  const { receiver, rejections } = receiverWith({}, receiverMaker(async () => loads.shift()(), ['secret']));
  assert.equal((await WAYS.fetch(receiver, headersOf())).status, 500);
  assert.equal((await WAYS.fetch(receiver, headersOf())).status, 500);
  assert.equal((await WAYS.fetch(receiver, headersOf())).status, 200);
  assert.equal((await WAYS.fetch(receiver, headersOf())).status, 200);
  assert.deepEqual(rejections.map(({ error }) => error.message), ['no such file', 'CORE_ABORTED']);
});

test('a module that stopped while keys were made is loaded anew; one that refused a key is kept', async () => {
  let loads = 0;
  const load = async () => {
    loads += 1;
    const { webhooks } = newVerify();
    const stopped = () => { throw Object.assign(new Error('stopped'), { name: 'FluxoraError', code: 'CORE_ABORTED' }); };
    return { webhooks: loads === 1 ? { verifier: stopped } : webhooks };
  };
  const { receiver } = receiverWith({ secret: (context) => context }, receiverMaker(load, ['secret']));
  const send = async (secret) => (await WAYS.fetch(receiver, headersOf(), BODY, { context: secret })).status;
  assert.deepEqual([await send(SECRET), await send(SECRET), loads], [500, 200, 2]);
  for (const bad of ['whsec_§', 'whpk_AAAA', Array(17).fill(SECRET), 5]) assert.equal(await send(bad), 500);
  assert.deepEqual([await send(SECRET), loads], [200, 2]);
});

test('what is no request is an answer too', async () => {
  const { receiver, events } = receiverWith();
  for (const nothing of [undefined, null]) {
    assert.equal((await receiver.handle(nothing)).status, 500);
    assert.equal((await receiver(nothing)).status, 500);
  }
  assert.equal((await receiver.handle({})).status, 405);
  assert.equal((await receiver.handle({ method: 'POST', header: () => null })).status, 500);
  assert.deepEqual(events, []);
});

test('nothing that comes out of a receiver holds a secret, a signature or a body', async (t) => {
  const said = [];
  for (const method of ['log', 'warn', 'error', 'info', 'debug']) {
    t.mock.method(console, method, (...words) => said.push(words));
  }
  const failing = (what) => () => { throw new Error(what); };
  const planted = 'planted-in-the-body';
  const body = JSON.stringify({ ...EVENT, planted });
  for (const onReject of [undefined, (rejection) => { said.push(rejection); }]) {
    for (const options of [
      {}, { secret: OTHER }, { secret: `${SECRET}§` }, { previousSecrets: expired, secret: newSecret() },
      { onEvent: failing('the handler') }, { seen: failing('the store') }, { maxBodyBytes: 10 },
    ]) {
      const { receiver } = receiverWith({ ...options, onReject });
      for (const send of Object.values(WAYS)) {
        for (const signing of [{ body }, { body, timestamp: 5 }, { body, secret: OTHER }]) {
          said.push(await send(receiver, headersOf(signing), body));
        }
      }
    }
  }
  const shown = (_, value) => (value instanceof Error ? `${value.stack}${value.cause}` : value);
  const seen = said.map((words) => JSON.stringify(words, shown)).join('\n');
  assert.ok(seen.includes('the handler') && seen.includes('the store') && seen.includes('receiver_misconfigured'));
  for (const secret of [SECRET, OTHER, SECRET.slice(6), planted, headersOf({ body })['webhook-signature'].slice(3),
    headersOf({ body })['x-fluxora-signature']]) {
    assert.ok(!seen.includes(secret), secret);
  }
});
