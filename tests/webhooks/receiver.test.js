// The receiver in receiver/ by itself: what the other tests deliver to has to be right first. SPEC section 8.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { request } from '../integration/harness/http_client.js';
import { ReceiverProgram } from './harness/receiver_program.js';
import { fluxoraSignature, signedHeaders, standardToken } from './harness/signatures.js';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const SECRET = newSecret();
const BODY = '{"type":"stream.created","timestamp":"2026-03-29T09:31:27Z","data":{"cursor":"k3f9-7","streamId":"C-1"}}';
const now = () => Math.floor(Date.now() / 1000);

/** @type {ReceiverProgram} */
let receiver;
before(async () => {
  receiver = new ReceiverProgram();
  await receiver.trust('/ok/one', SECRET);
  for (const path of ['/status/503/one', '/fail-first/2/one', '/slow/50/one', '/hang/one'])
    await receiver.trust(path, SECRET);
  await receiver.start();
});
after(() => receiver.end());

/** @param {Record<string, string>} headers */
const post = (path, headers, body = BODY) => request(receiver.url(path), { method: 'POST', headers, body });
const signed = (id, { timestamp = now(), secret = SECRET, body = BODY } = {}) =>
  signedHeaders(secret, id, timestamp, body);
const without = (headers, ...names) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

describe('what it accepts', () => {
  test('a delivery that is signed, once; a second copy is a duplicate', async () => {
    const first = await post('/ok/one', signed('wd_1_a_7'));
    assert.deepEqual([first.status, first.json], [200, { ok: true }]);
    const again = await post('/ok/one', signed('wd_1_a_7'));
    assert.deepEqual([again.status, again.json], [200, { ok: true, duplicate: true }]);
    const lines = receiver.records().filter(({ id }) => id === 'wd_1_a_7');
    assert.deepEqual(
      lines.map(({ duplicate }) => duplicate),
      [false, true],
    );
    const { at, timestamp, ...line } = lines[0];
    assert.ok(Number.isInteger(at) && /^[0-9]+$/.test(timestamp));
    assert.deepEqual(line, {
      path: '/ok/one',
      id: 'wd_1_a_7',
      event: '',
      cursor: 'k3f9-7',
      streamId: 'C-1',
      verdict: 'ok',
      bodySha256: createHash('sha256').update(BODY).digest('hex'),
      handled: true,
      duplicate: false,
      status: 200,
    });
  });

  test('any of several tokens, and any of several secrets of the path', async () => {
    const headers = signed('two-tokens');
    headers['webhook-signature'] =
      `v1,AAAA v2,x ${standardToken(newSecret(), 'two-tokens', headers['webhook-timestamp'], BODY)} ${headers['webhook-signature']}`;
    assert.equal((await post('/ok/one', headers)).status, 200);
    const rotated = newSecret();
    assert.equal((await post('/ok/one', signed('rotated', { secret: rotated }))).status, 401);
    await receiver.trust('/ok/one', rotated);
    assert.equal((await post('/ok/one', signed('rotated', { secret: rotated }))).status, 200);
    assert.equal((await post('/ok/one', signed('not-rotated'))).status, 200);
  });
});

describe('what it refuses', () => {
  const changed = (text) => `${text.slice(0, 20)}${String.fromCharCode(text.charCodeAt(20) ^ 1)}${text.slice(21)}`;
  const cases = [
    ['no id', () => without(signed('a'), 'webhook-id', 'x-fluxora-delivery-id'), BODY, 401, 'missing_delivery_id'],
    [
      'no timestamp',
      () => without(signed('a'), 'webhook-timestamp', 'x-fluxora-timestamp'),
      BODY,
      401,
      'missing_timestamp',
    ],
    [
      'no signature',
      () => without(signed('a'), 'webhook-signature', 'x-fluxora-signature'),
      BODY,
      401,
      'missing_signature',
    ],
    [
      'a timestamp that is none',
      () => ({ ...signed('a'), 'webhook-timestamp': '1e9' }),
      BODY,
      400,
      'invalid_timestamp',
    ],
    ['a stale one', () => signed('a', { timestamp: now() - 400 }), BODY, 401, 'timestamp_outside_tolerance'],
    ['one from the future', () => signed('a', { timestamp: now() + 400 }), BODY, 401, 'timestamp_outside_tolerance'],
    ['a body with one bit changed', () => signed('a'), changed(BODY), 401, 'signature_mismatch'],
    ['another secret', () => signed('a', { secret: newSecret() }), BODY, 401, 'signature_mismatch'],
    [
      'another id',
      () => ({ ...signed('a'), 'webhook-id': 'b', 'x-fluxora-delivery-id': 'b' }),
      BODY,
      401,
      'signature_mismatch',
    ],
    [
      'the Fluxora family alone, which does not sign the id',
      () => ({
        'x-fluxora-delivery-id': 'a',
        'x-fluxora-timestamp': String(now()),
        'x-fluxora-signature': fluxoraSignature(SECRET, now(), BODY),
      }),
      BODY,
      401,
      'missing_delivery_id',
    ],
  ];
  for (const [what, headers, body, status, error] of cases) {
    test(what, async () => {
      const answer = await post('/ok/one', headers(), body);
      assert.deepEqual([answer.status, answer.json], [status, { error }]);
      assert.deepEqual([receiver.records().at(-1)?.verdict, receiver.records().at(-1)?.handled], [error, false]);
    });
  }

  test('a path whose secret it does not know', async () => {
    const answer = await post('/ok/other', signed('a'));
    assert.deepEqual([answer.status, answer.json], [500, { error: 'missing_secret' }]);
  });

  test('a header twice, and too large a body', async () => {
    const headers = { ...signed('twice'), 'webhook-id': ['twice', 'twice'] };
    assert.equal((await post('/ok/one', /** @type {any} */ (headers))).status, 400);
    const large = `"${'x'.repeat(256 * 1024)}"`;
    assert.equal((await post('/ok/one', signed('large', { body: large }), large)).status, 413);
  });
});

describe('how it behaves', () => {
  test('what it refuses it takes later', async () => {
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await post('/fail-first/2/one', signed('patience'))).status);
    assert.deepEqual(statuses, [500, 500, 200, 200]);
    const lines = receiver.records().filter(({ id }) => id === 'patience');
    assert.deepEqual(
      lines.map(({ handled, duplicate }) => [handled, duplicate]),
      [
        [false, false],
        [false, false],
        [true, false],
        [true, true],
      ],
    );
    assert.equal((await post('/status/503/one', signed('refused'))).status, 503);
    assert.equal((await post('/slow/50/one', signed('slow'))).status, 200);
  });

  test('what hangs does not keep it from others, and what it knows survives its death', async () => {
    const hanging = post('/hang/one', signed('hanging')).catch((error) => error);
    await receiver.trust('/ok/two', SECRET);
    assert.equal((await post('/ok/two', signed('beside'))).status, 200);
    const { port } = receiver;
    const before = receiver.records().length;
    await receiver.kill9();
    assert.ok((await hanging) instanceof Error);
    await receiver.start();
    assert.equal(receiver.port, port);
    assert.equal((await post('/ok/two', signed('after'))).status, 200);
    assert.equal(receiver.records().length, before + 1);
    const counts = await request(receiver.url('/counts'));
    assert.deepEqual(counts.json, { received: 1, handled: 1, duplicates: 0, refused: 0 });
  });

  test('a secret in its environment is that of every path', async () => {
    const alone = await ReceiverProgram.start({ env: { FLUXORA_WEBHOOK_SECRET: SECRET } });
    const answer = await request(alone.url('/ok'), { method: 'POST', headers: signed('alone'), body: BODY });
    assert.equal(answer.status, 200);
    await alone.end();
  });
});
