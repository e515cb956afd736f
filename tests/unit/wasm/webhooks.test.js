import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes, sign as signBytes } from 'node:crypto';
import { test } from 'node:test';

import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';

import { needsVectors, newCore, newEd25519, newVerify, readCases, withCode } from './support.js';

const core = newCore();
const { sign } = core.webhooks;
const entries = [['core', core.webhooks], ['verify', newVerify().webhooks], ['ed25519', newEd25519().webhooks]];
const SECRET = `whsec_${Buffer.from('a secret of exactly 32 bytes, yes').toString('base64')}`;
const OTHER = `whsec_${randomBytes(32).toString('base64')}`;
const NOW = 1774780287;
const BODY = '{"type":"stream.updated","text":"é 💶"}';
const signed = (changes = {}) =>
  sign({ secret: SECRET, id: 'msg_1', timestamp: NOW, body: BODY, ...changes });
const only = (headers, family) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(family)));

/** The same in every entry. */
function inEach(name, check) {
  for (const [entry, webhooks] of entries) test(`${name} (${entry})`, () => check(webhooks));
}

test('Standard Webhooks, as the official library decides', needsVectors, () => {
  const cases = readCases('webhooks/standard_webhooks.json', (file) => file);
  let stricter = 0;
  for (const { secret, id, timestamp, signature, body, now, standardwebhooks } of cases) {
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    for (const [, webhooks] of entries) {
      const verifier = webhooks.verifier(secret);
      const { code } = verifier.verify({ headers, body, now });
      verifier.dispose();
      // SPEC section 8: a timestamp is digits alone; the library reads three of them by JavaScript's rules.
      if (standardwebhooks && code === 'invalid_timestamp') {
        stricter += 1;
        assert.match(timestamp, /^([+ ]|.*\.)/);
      } else {
        assert.equal(code === 'ok', standardwebhooks, `${code} ${JSON.stringify(headers)}`);
      }
    }
  }
  assert.equal(stricter, 3 * entries.length);
});

inEach('signed here, verified by the official libraries, and the other way round', (webhooks) => {
  const now = Math.floor(Date.now() / 1000);
  const headers = sign({ secret: SECRET, id: 'msg_1', timestamp: now, body: BODY });
  new StandardWebhook(SECRET).verify(BODY, headers);
  new SvixWebhook(SECRET).verify(BODY, headers);
  assert.throws(() => new StandardWebhook(SECRET).verify(`${BODY} `, headers));
  for (const theirs of [new StandardWebhook(SECRET), new SvixWebhook(SECRET)]) {
    const signature = theirs.sign('msg_2', new Date(now * 1000), BODY);
    const received = { 'webhook-id': 'msg_2', 'webhook-timestamp': String(now), 'webhook-signature': signature };
    const verdict = webhooks.verifier(SECRET).verify({ headers: received, body: Buffer.from(BODY) });
    assert.deepEqual(verdict, { ok: true, code: 'ok', status: 200, deliveryId: 'msg_2', timestamp: now });
    assert.ok(Object.isFrozen(verdict));
  }
});

inEach('the six headers are those of both families', (webhooks) => {
  const headers = sign({ secret: SECRET, id: 'msg_1', timestamp: NOW, body: BODY });
  const hex = createHmac('sha256', SECRET).update(`${NOW}.${BODY}`).digest('hex');
  const key = Buffer.from(SECRET.slice(6), 'base64');
  const base64 = createHmac('sha256', key).update(`msg_1.${NOW}.${BODY}`).digest('base64');
  assert.deepEqual(headers, {
    'x-fluxora-delivery-id': 'msg_1', 'x-fluxora-timestamp': String(NOW), 'x-fluxora-signature': hex,
    'webhook-id': 'msg_1', 'webhook-timestamp': String(NOW), 'webhook-signature': `v1,${base64}`,
  });
});

inEach('every check has its verdict, and the first that fails decides', (webhooks) => {
  const verifier = webhooks.verifier([SECRET, { secret: OTHER, graceEnds: NOW - 1 }]);
  const of = (changes, body = BODY, now = NOW, base = signed()) =>
    verifier.verify({ headers: { ...base, ...changes }, body, now });
  assert.equal(webhooks.verifier(undefined).verify({ headers: {}, body: '', now: NOW }).code, 'missing_secret');
  const table = [
    [of({}), 'ok', 200],
    [of({ 'webhook-id': undefined }), 'missing_delivery_id', 401],
    [of({ 'webhook-timestamp': '' }), 'missing_timestamp', 401],
    [of({ 'webhook-signature': null }), 'missing_signature', 401],
    [of({}, 'x'.repeat(256 * 1024 + 1)), 'payload_too_large', 413],
    [of({}, new Uint8Array(1 << 26)), 'payload_too_large', 413],
    [of({ 'webhook-timestamp': '0' }), 'invalid_timestamp', 400],
    [of({}, BODY, NOW + 301), 'timestamp_outside_tolerance', 401],
    [of({}, BODY, BigInt(NOW - 301)), 'timestamp_outside_tolerance', 401],
    [of({}, BODY, String(NOW + 300)), 'ok', 200],
    [of({}, `${BODY} `), 'signature_mismatch', 401],
    [of({ 'x-fluxora-delivery-id': 'msg_2' }), 'signature_mismatch', 401],
    [of({ 'webhook-id': 'é' }), 'signature_mismatch', 401],
    [of({}, BODY, NOW, signed({ secret: OTHER })), 'previous_secret_expired', 401],
  ];
  for (const [verdict, code, status] of table) {
    assert.equal(verdict.code, code);
    assert.equal(verdict.status, status);
    assert.equal(verdict.ok, code === 'ok');
    if (code !== 'ok') assert.equal(verdict.deliveryId ?? verdict.timestamp, null);
  }
  const rotating = webhooks.verifier([SECRET, { secret: OTHER, graceEnds: NOW }]);
  assert.equal(rotating.verify({ headers: signed({ secret: OTHER }), body: BODY, now: NOW }).code, 'ok');
});

inEach('the Fluxora family alone is enough, unless the signed id is asked for', (webhooks) => {
  const delivery = { headers: only(signed(), 'x-'), body: BODY, now: NOW };
  assert.equal(webhooks.verifier(SECRET).verify(delivery).deliveryId, 'msg_1');
  assert.equal(webhooks.verifier(SECRET, { requireStandard: true }).verify(delivery).code, 'missing_delivery_id');
  const standard = { headers: only(signed(), 'webhook-'), body: BODY, now: NOW };
  assert.equal(webhooks.verifier(SECRET, { requireStandard: true }).verify(standard).code, 'ok');
  const named = { headers: { ...only(signed(), 'x-'), 'x-fluxora-delivery-id': 'лист' }, body: BODY, now: NOW };
  assert.equal(webhooks.verifier(SECRET).verify(named).deliveryId, 'лист');
});

inEach('headers come in every shape that hosts give them', (webhooks) => {
  const verifier = webhooks.verifier(SECRET);
  const code = (headers) => verifier.verify({ headers, body: BODY, now: NOW }).code;
  const headers = signed();
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  assert.equal(code(new Headers(headers)), 'ok');
  assert.equal(code(new Map(Object.entries(headers))), 'ok');
  assert.equal(code(upper), 'ok');
  assert.equal(code(Object.assign(Object.create(null), headers)), 'ok');
  assert.equal(code(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))), 'ok');
  assert.equal(code({ ...headers, 'Webhook-Id': 'other' }), 'ok');
  assert.equal(code({ ...headers, 'webhook-id': ['msg_1', 'msg_1'] }), 'signature_mismatch');
  assert.equal(code({ ...headers, 'webhook-signature': 'x'.repeat(16 * 1024 + 1) }), 'missing_signature');
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, '']));
  assert.equal(code({ ...many, ...upper }), 'missing_delivery_id');
});

inEach('bodies are bytes of any kind, or the text that they are', (webhooks) => {
  const verifier = webhooks.verifier(SECRET);
  const bytes = new TextEncoder().encode(BODY);
  const odd = new Uint8Array(bytes.length + 3);
  odd.set(bytes, 3);
  class Liar extends Uint8Array {
    get length() { return 1 << 30; }

    get byteLength() { return 0; }
  }
  for (const body of [BODY, bytes, Buffer.from(BODY), bytes.buffer, odd.subarray(3), new Liar(bytes),
    new Int8Array(bytes.buffer)]) {
    assert.equal(verifier.verify({ headers: signed(), body, now: NOW }).code, 'ok');
  }
  const exact = 'é'.repeat(128 * 1024);
  const largest = signed({ body: exact });
  assert.equal(verifier.verify({ headers: largest, body: exact, now: NOW }).code, 'ok');
  assert.equal(verifier.verify({ headers: largest, body: `${exact}é`, now: NOW }).code, 'payload_too_large');
  for (const body of [undefined, null, 5, {}, [1], new DataView(bytes.buffer)]) {
    assert.throws(() => verifier.verify({ headers: signed(), body, now: NOW }), withCode('ARGUMENT_INVALID'));
  }
});

inEach('keys that are not there are none, and bad ones are refused', (webhooks) => {
  const empty = { headers: signed(), body: BODY, now: NOW };
  for (const keys of [undefined, null, '', [], [undefined, null, ''], { secret: '' }, [{ secret: undefined }]]) {
    assert.equal(webhooks.verifier(keys).verify(empty).code, 'missing_secret');
  }
  assert.equal(webhooks.verifier([undefined, SECRET]).verify(empty).code, 'ok');
  assert.equal(webhooks.verifier([SECRET.slice(6)]).verify({ ...empty, headers: only(signed(), 'webhook-') }).code, 'ok');
  for (const keys of ['whsec_', 'whsec_*', 'x'.repeat(2000), 'whsec_é']) {
    assert.throws(() => webhooks.verifier(keys), withCode('WEBHOOK_SECRET_INVALID'));
  }
  assert.throws(() => webhooks.verifier(Array(17).fill(SECRET)), withCode('WEBHOOK_TOO_MANY_KEYS'));
  assert.throws(() => webhooks.verifier(Array(1e6)), withCode('INPUT_TOO_LONG'));
  for (const keys of [5, [[SECRET]].map(() => 5), { secret: 5 }, Symbol('s')]) {
    assert.throws(() => webhooks.verifier(keys), withCode('ARGUMENT_INVALID'));
  }
  assert.throws(() => webhooks.verifier(SECRET, { requireStandard: 1 }), withCode('ARGUMENT_INVALID'));
  assert.throws(() => webhooks.verifier({ secret: SECRET, graceEnds: -1 }), withCode('ARGUMENT_INVALID'));
});

test('what can not be signed is refused', () => {
  const signWith = (changes) => sign({ secret: SECRET, id: 'msg_1', timestamp: NOW, body: BODY, ...changes });
  for (const id of ['', 'a.b', 'a b', 'é', 'x'.repeat(257)]) {
    assert.throws(() => signWith({ id }), withCode('WEBHOOK_ID_INVALID'));
  }
  assert.throws(() => signWith({ secret: 'whsec_*' }), withCode('WEBHOOK_SECRET_INVALID'));
  assert.throws(() => signWith({ body: 'x'.repeat(256 * 1024 + 1) }), withCode('INPUT_TOO_LONG'));
  for (const changes of [{ secret: undefined }, { id: 5 }, { timestamp: -1 }, { body: 5 }]) {
    assert.throws(() => signWith(changes), withCode('ARGUMENT_INVALID'));
  }
  const clock = Number(sign({ secret: SECRET, id: 'a', body: '' })['webhook-timestamp']);
  assert.ok(Math.abs(clock - Date.now() / 1000) < 300);
});

test('a public key verifies v1a tokens, and the modules without ed25519 say that they can not', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const key = `whpk_${raw.toString('base64')}`;
  const signature = signBytes(null, Buffer.from(`msg_1.${NOW}.${BODY}`), privateKey).toString('base64');
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': `${NOW}`, 'webhook-signature': `v1,x v1a,${signature}` };
  const { webhooks } = newEd25519();
  const verifier = webhooks.verifier([SECRET, key]);
  assert.equal(verifier.verify({ headers, body: BODY, now: NOW }).code, 'ok');
  assert.equal(verifier.verify({ headers, body: `${BODY} `, now: NOW }).code, 'signature_mismatch');
  assert.equal(verifier.verify({ headers: signed(), body: BODY, now: NOW }).code, 'ok', 'beside a secret');
  assert.throws(() => webhooks.verifier('whpk_AAAA'), withCode('WEBHOOK_SECRET_INVALID'));
  for (const other of [core, newVerify()]) {
    assert.throws(() => other.webhooks.verifier(key), withCode('KEY_UNSUPPORTED'));
  }
});

inEach('halves of a character at the ends of two headers shift nothing', (webhooks) => {
  const verifier = webhooks.verifier(SECRET);
  const body = '{"a":"12"}';
  const headers = only(sign({ secret: SECRET, id: 'msg_1', timestamp: NOW, body }), 'webhook-');
  assert.equal(verifier.verify({ headers, body, now: NOW }).code, 'ok');
  const names = ['x-fluxora-timestamp', 'x-fluxora-signature', ...Object.keys(headers)];
  for (let at = 0; at + 1 < names.length; at += 1) {
    const split = { ...headers };
    split[names[at]] = `${split[names[at]] ?? ''}\ud83d`;
    split[names[at + 1]] = `\ude00${split[names[at + 1]] ?? ''}`;
    // With the texts read two bytes late, this body's end would be what an earlier call left behind.
    for (const received of [body, body.slice(0, -2), `xx${body.slice(0, -2)}`, ` ${body}`]) {
      const { code } = verifier.verify({ headers: split, body: received, now: NOW });
      // The Fluxora family's headers decide nothing here, so the right body is still the right one.
      assert.equal(code === 'ok', at === 0 && received === body, `${names[at]}: ${code}`);
    }
  }
});

inEach('a header that a sender repeats is a verdict, however often', (webhooks) => {
  const verifier = webhooks.verifier(SECRET);
  const headers = only(signed(), 'webhook-');
  const good = headers['webhook-signature'];
  const codeOf = (signature) =>
    verifier.verify({ headers: { ...headers, 'webhook-signature': signature }, body: BODY, now: NOW }).code;
  assert.equal(codeOf([good, 'v1,AAAA']), 'ok');
  assert.equal(codeOf(['v1,AAAA', good]), 'ok');
  assert.equal(codeOf(Array(1001).fill(good)), 'missing_signature');
});

test('only times that a verifier takes are signed', () => {
  for (const timestamp of [0, 10n ** 15n, (1n << 64n) - 1n]) {
    assert.throws(() => sign({ secret: SECRET, id: 'a', timestamp, body: '' }), withCode('TIME_INVALID'));
  }
  for (const timestamp of [1, 10n ** 15n - 1n]) {
    const headers = sign({ secret: SECRET, id: 'a', timestamp, body: '' });
    assert.equal(core.webhooks.verifier(SECRET).verify({ headers, body: '', now: timestamp }).code, 'ok');
  }
});

inEach('a verifier that was disposed of is out of use, and their number is bounded', (webhooks) => {
  const verifier = webhooks.verifier(SECRET);
  verifier.dispose();
  verifier.dispose();
  assert.throws(() => verifier.verify({ headers: {}, body: '' }), withCode('DISPOSED'));
  const held = [];
  assert.throws(() => {
    for (let i = 0; i <= 10_000; i += 1) held.push(webhooks.verifier(''));
  }, withCode('TOO_MANY_HANDLES'));
  for (const one of held) one.dispose();
  assert.equal(webhooks.verifier(SECRET).verify({ headers: signed(), body: BODY, now: NOW }).code, 'ok');
});

test('no secret stays in the module’s memory once it was used', async () => {
  const { CoreMemory } = await import('../../../wasm/package/src/memory.js');
  const { Handles } = await import('../../../wasm/package/src/handles.js');
  const { signingOf } = await import('../../../wasm/package/src/webhook_signing.js');
  const { verifyingOf } = await import('../../../wasm/package/src/webhooks.js');
  const { module } = await import('./support.js');
  const memory = new CoreMemory(module, 'fluxora_columns_create');
  const webhooks = verifyingOf(memory, new Handles());
  const holds = (bytes) => Buffer.from(memory.memory.buffer).includes(bytes);
  const verifier = webhooks.verifier(SECRET);
  signingOf(memory).sign({ secret: SECRET, id: 'a', body: BODY });
  assert.equal(verifier.verify({ headers: signed(), body: BODY, now: NOW }).code, 'ok');
  const decoded = Buffer.from(SECRET.slice(6), 'base64');
  assert.equal(holds(SECRET.slice(6)), false);
  assert.equal(holds(decoded), false);
  assert.equal(holds(BODY), true, 'this would find what is there');
});

test('the small modules’ errors are the core’s, word for word', () => {
  const thrown = (call) => {
    try {
      call();
    } catch ({ code, message, offset }) {
      return { code, message, offset };
    }
    return assert.fail('nothing was thrown');
  };
  for (const keys of ['*', Array(17).fill(SECRET)]) {
    const [ofCore, ...others] = entries.map(([, webhooks]) => thrown(() => webhooks.verifier(keys)));
    assert.match(ofCore.code, /^WEBHOOK_/);
    for (const other of others) assert.deepEqual(other, ofCore);
  }
});
