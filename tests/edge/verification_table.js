// SPEC section 8, "Verifying": each row provoked over HTTP, whatever runs behind the address.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';

import { parseResponse } from '../integration/harness/raw_http.js';
import { DEADLINE_MS } from '../integration/harness/wait.js';
import { BODY_MAX, eventBody, newId, newSecret, nowSeconds, standardToken } from './sender.js';

/** What keeps a time well beyond the 300 s of tolerance, or well within, however slow the test is. */
const FAR_S = 400;
const NEAR_S = 200;
const SLOW_TRIES = 5;
const LOST_TRIES = 10;

const absent = (...names) => Object.fromEntries(names.map((name) => [name, undefined]));
const NO_STANDARD_FAMILY = absent('webhook-id', 'webhook-timestamp', 'webhook-signature');
const NO_FLUXORA_FAMILY = absent('x-fluxora-delivery-id', 'x-fluxora-timestamp', 'x-fluxora-signature');

function expectRefusal(answer, status, code) {
  assert.deepEqual([answer.status, answer.json?.error], [status, code], answer.text);
  assert.equal(typeof answer.json.message, 'string');
}

function expectHandled(answer) {
  assert.deepEqual([answer.status, answer.json], [200, { ok: true }], answer.text);
}

/** The head of a request, from header lines as they are. */
function requestHead({ runtime, port }, lines, size) {
  const start = [`POST ${runtime.path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Content-Length: ${size}`];
  return Buffer.from(`${[...start, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The answer, if it is all there. */
function wholeAnswer(text) {
  if (!text.includes('\r\n\r\n')) return undefined;
  const answer = parseResponse(text);
  if (answer.headers['transfer-encoding'] === 'chunked') return answer.body.endsWith('0\r\n\r\n') ? answer : undefined;
  return Buffer.byteLength(answer.body) >= Number(answer.headers['content-length'] ?? Infinity) ? answer : undefined;
}

/** A request that no client would make; status 0 where the connection ends without an answer. */
async function sendRaw(running, lines, body) {
  const socket = connect(running.port, '127.0.0.1');
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('no answer')));
  socket.write(Buffer.concat([requestHead(running, lines, Buffer.byteLength(body)), Buffer.from(body)]));
  let text = '';
  try {
    for await (const chunk of socket) {
      text += chunk;
      if (wholeAnswer(text)) break;
    }
  } catch (error) {
    if (!['ECONNRESET', 'EPIPE'].includes(error.code)) throw error;
  }
  return text === '' ? { status: 0, headers: {}, body: '' } : parseResponse(text);
}

/**
 * The answer to what a server doesn't read to its end. Where it closes the connection meanwhile, the answer may be
 * lost: then again, as any sender does.
 */
async function answerTo(send) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (tries === LOST_TRIES || !['ECONNRESET', 'EPIPE'].includes(error.code)) throw error;
    }
  }
}

const linesOf = (headers) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

/** A body in pieces, of which nobody knows how many there are. */
function inPieces(text, size = 16 * 1024) {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / size);
  return Readable.from(Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size)));
}

/** JSON of exactly that many bytes. */
const padded = (size) => eventBody() + ' '.repeat(size - Buffer.byteLength(eventBody()));

const HEADER_ROWS = [
  ['no delivery id', 'webhook-id', 'missing_delivery_id'],
  ['no timestamp', 'webhook-timestamp', 'missing_timestamp'],
  ['no signature', 'webhook-signature', 'missing_signature'],
].map(([name, header, code]) => [name, async ({ sender }) => {
  expectRefusal(await sender.post(sender.delivery(), { headers: { [header]: undefined } }), 401, code);
  expectRefusal(await sender.post(sender.delivery(), { headers: { [header]: '' } }), 401, code);
}]);

/**
 * Rows for an example as it is, with a secret and two previous ones: `graceful` is good yet, `expired` isn't.
 * @type {[name: string, check: (target: {running: import('./example_process.js').ExampleProcess,
 *   sender: import('./sender.js').Sender, graceful: string, expired?: string}) => Promise<void>][]}
 */
export const TABLE = [
  ['ok', async ({ sender, running }) => {
    const delivery = sender.delivery();
    expectHandled(await sender.post(delivery));
    const line = await running.waitForLine(delivery.id);
    const { type, data: { streamId, cursor } } = JSON.parse(delivery.body);
    assert.deepEqual(line, { type, streamId, cursor, deliveryId: delivery.id });
  }],

  ...HEADER_ROWS,

  ['the Fluxora family alone', async ({ sender }) => {
    expectRefusal(await sender.post(sender.delivery(), { headers: NO_STANDARD_FAMILY }), 401, 'missing_delivery_id');
  }],

  ['the standard family alone', async ({ sender }) => {
    expectHandled(await sender.post(sender.delivery(), { headers: NO_FLUXORA_FAMILY }));
  }],

  ['the largest body', async ({ sender }) => {
    expectHandled(await sender.send({ body: padded(BODY_MAX) }));
    const delivery = sender.delivery({ body: padded(BODY_MAX) });
    expectHandled(await sender.post(delivery, { body: inPieces(delivery.body) }));
  }],

  ['a body that is too large', async ({ sender }) => {
    const delivery = sender.delivery({ body: padded(BODY_MAX + 1) });
    expectRefusal(await answerTo(() => sender.post(delivery)), 413, 'payload_too_large');
    const streamed = () => sender.post(delivery, { body: inPieces(delivery.body) });
    expectRefusal(await answerTo(streamed), 413, 'payload_too_large');
    // In the table's order: who it is from is asked before how large it is.
    const unsigned = { headers: { 'webhook-signature': undefined } };
    expectRefusal(await answerTo(() => sender.post(delivery, unsigned)), 401, 'missing_signature');
  }],

  ['a timestamp that is none', async ({ sender }) => {
    for (const timestamp of ['0', `0${nowSeconds()}`, `${nowSeconds()}.0`, '1e9', 'now', '-5', '1000000000000000']) {
      expectRefusal(await sender.send({ timestamp }), 400, 'invalid_timestamp');
    }
  }],

  ['stale and from the future', async ({ sender }) => {
    for (const away of [-FAR_S, FAR_S, -86_400, 86_400 * 365 * 50]) {
      expectRefusal(await sender.send({ timestamp: nowSeconds() + away }), 401, 'timestamp_outside_tolerance');
    }
    for (const away of [-NEAR_S, NEAR_S]) expectHandled(await sender.send({ timestamp: nowSeconds() + away }));
  }],

  ['a body altered by one bit', async ({ sender }) => {
    const { body, ...delivery } = sender.delivery();
    for (const at of [0, 1, Math.floor(body.length / 2), body.length - 1]) {
      for (const bit of [1, 128]) {
        const altered = Buffer.from(body);
        altered[at] ^= bit;
        expectRefusal(await sender.post({ ...delivery, body: altered }), 401, 'signature_mismatch');
      }
    }
    expectRefusal(await sender.post({ ...delivery, body: `${body} ` }), 401, 'signature_mismatch');
    expectRefusal(await sender.post({ ...delivery, body: '' }), 401, 'signature_mismatch');
    expectHandled(await sender.post({ ...delivery, body }));
  }],

  ['another id, time or secret than what was signed', async ({ sender }) => {
    const delivery = sender.delivery();
    const id = newId();
    const replayed = { 'webhook-id': id, 'x-fluxora-delivery-id': id };
    expectRefusal(await sender.post(delivery, { headers: replayed }), 401, 'signature_mismatch');
    expectRefusal(await sender.post(delivery, { headers: { 'x-fluxora-delivery-id': id } }), 401, 'signature_mismatch');
    const later = { 'webhook-timestamp': String(nowSeconds() + 30) };
    expectRefusal(await sender.post(delivery, { headers: later }), 401, 'signature_mismatch');
    expectRefusal(await sender.send({ secrets: [newSecret()] }), 401, 'signature_mismatch');
  }],

  ['several signatures', async ({ sender }) => {
    const others = [newSecret(), newSecret()];
    expectHandled(await sender.send({ secrets: [...others, sender.secret] }));
    expectRefusal(await sender.send({ secrets: others }), 401, 'signature_mismatch');
    const delivery = sender.delivery();
    const good = delivery.headers['webhook-signature'];
    const amongOthers = `v1 v1, v1a,AAAA v9,${'A'.repeat(44)} , ${good}`;
    expectHandled(await sender.post(delivery, { headers: { 'webhook-signature': amongOthers } }));
  }],

  ['signatures that are none', async ({ sender }) => {
    const { headers, ...delivery } = sender.delivery();
    const good = headers['webhook-signature'];
    const none = [
      good.slice(3), good.slice(0, -4), good.toUpperCase(), `v2,${good.slice(3)}`, good.replace('v1,', 'v1 '),
      'v1,', ',', Buffer.from('💧💧💧').toString('latin1'),
    ];
    for (const signature of none) {
      const changed = { headers: { 'webhook-signature': signature } };
      expectRefusal(await sender.post({ headers, ...delivery }, changed), 401, 'signature_mismatch');
    }
  }],

  ['a previous secret within its grace', async ({ sender, graceful }) => {
    expectHandled(await sender.send({ secrets: [graceful] }));
    expectHandled(await sender.send({ secrets: [graceful, sender.secret] }));
  }],

  ['a delivery that comes again', async ({ sender, running }) => {
    const delivery = sender.delivery();
    expectHandled(await sender.post(delivery));
    for (let copies = 0; copies < 3; copies += 1) {
      const { status, json } = await sender.post(delivery);
      assert.deepEqual([status, json], [200, { ok: true, duplicate: true }]);
    }
    // A retry is signed anew, with the time of its attempt.
    const { status, json } = await sender.send({ id: delivery.id, timestamp: nowSeconds() + 5 });
    assert.deepEqual([status, json], [200, { ok: true, duplicate: true }]);
    await running.waitForLine(delivery.id);
  }],

  ['a body that is no JSON object, signed well', async ({ sender }) => {
    for (const body of ['', '{', '[]', 'null', '"text"', '{"type":"stream.updated"', '\ufeff{}']) {
      expectRefusal(await sender.send({ body }), 400, 'invalid_json');
    }
  }],

  ['a body that is no text, signed well', async ({ sender, running }) => {
    const answer = await sender.send({ body: Buffer.from('{"type":"stream.updated","data":{"a":"\xff"}}', 'latin1') });
    // Where only text is handed on, the bytes that were signed don't arrive.
    if (running.runtime.handsOnText) expectRefusal(answer, 401, 'signature_mismatch');
    else expectRefusal(answer, 400, 'invalid_json');
  }],

  ['a sender that goes away in the middle', async ({ sender, running }) => {
    const { id, headers, body } = sender.delivery();
    const socket = connect(running.port, '127.0.0.1');
    await once(socket, 'connect');
    const head = requestHead(running, linesOf(headers), body.length);
    const half = Buffer.from(body).subarray(0, body.length / 2);
    await new Promise((resolve) => { socket.write(Buffer.concat([head, half]), resolve); });
    socket.destroy();
    expectHandled(await sender.post({ id, headers, body }));
  }],

  ['other methods', async ({ running }) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const response = await fetch(running.url, { method });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'], method);
      assert.equal((await response.json()).error, 'method_not_allowed');
    }
  }],

  ['answers are not for caches', async ({ sender }) => {
    const refused = await sender.post(sender.delivery(), { headers: { 'webhook-id': undefined } });
    for (const { headers } of [await sender.send(), refused]) {
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['cache-control'], 'no-store');
    }
  }],

  ['headers put into headers', async ({ running, sender }) => {
    const { headers, body } = sender.delivery();
    const signedFor = (id) => {
      const token = standardToken(sender.secret, id, headers['webhook-timestamp'], body);
      return { ...headers, 'x-fluxora-delivery-id': id, 'webhook-id': id, 'webhook-signature': token };
    };
    const attempts = {
      'a second id': [...linesOf(headers), `webhook-id: ${newId()}`],
      'a second timestamp': [`webhook-timestamp: ${nowSeconds()}`, ...linesOf(headers)],
      'a folded id': linesOf(signedFor('msg_1\r\n x-evil: 1')),
      'a line feed in the id': linesOf(signedFor('msg_1\nx-evil: 1')),
      'a carriage return in the id': linesOf(signedFor('msg_1\rx-evil: 1')),
      'a zero byte in the id': linesOf(signedFor('msg_1\0x-evil: 1')),
      'a name with a space': [...linesOf({ ...headers, 'webhook-id': '' }), `webhook-id : ${headers['webhook-id']}`],
      'an endless id': linesOf(signedFor('m'.repeat(20_000))),
    };
    for (const [what, lines] of Object.entries(attempts)) {
      const answer = await sendRaw(running, lines, body);
      const isRefused = answer.status === 0 || (answer.status >= 400 && answer.status < 500);
      assert.ok(isRefused, `${what}: ${answer.status} ${answer.body}`);
      assert.equal(answer.headers['x-evil'], undefined, what);
      assert.ok(!answer.body.includes('x-evil'), what);
    }
    expectHandled(await sender.send());
  }],

  ['names of headers in any case', async ({ running, sender }) => {
    const delivery = sender.delivery();
    const lines = linesOf(delivery.headers).map((line) => line.replace(/^[^:]+/, (name) => name.toUpperCase()));
    const { status, body } = await sendRaw(running, lines, delivery.body);
    assert.equal(status, 200, body);
    sender.accepted.push(delivery.id);
  }],
];

/** Rows for an example with handler and options of its owner: awkward_handler.js, 409, and the Fluxora family alone. */
export const ALTERED_TABLE = [
  ['a previous secret past its grace', async ({ sender, expired }) => {
    expectRefusal(await sender.send({ secrets: [expired] }), 401, 'previous_secret_expired');
    expectHandled(await sender.send({ secrets: [expired, sender.secret] }));
  }],

  ['a handler that fails, then succeeds', async ({ sender, running }) => {
    const delivery = sender.delivery({ body: eventBody('fails-once') });
    expectRefusal(await sender.post(delivery), 500, 'handler_failed');
    expectHandled(await sender.post(delivery));
    expectRefusal(await sender.post(delivery), 409, 'duplicate_delivery');
    await running.waitForLine(delivery.id);
  }],

  ['a handler that has too much to do', async ({ sender }) => {
    const delivery = sender.delivery({ body: eventBody('overloaded') });
    for (let times = 0; times < 2; times += 1) {
      const answer = await sender.post(delivery);
      expectRefusal(answer, 429, 'retry_later');
      assert.equal(answer.headers['retry-after'], '17');
    }
  }],

  ['a copy while the first is being handled', async ({ sender, running }) => {
    let second;
    // On a machine with much to do the slow handler may be done before its copy is there: then another time.
    for (let tries = 0; tries < SLOW_TRIES && second?.status !== 503; tries += 1) {
      const delivery = sender.delivery({ body: eventBody('slow') });
      const first = sender.post(delivery);
      await running.waitForLine(delivery.id, 'started');
      second = await sender.post(delivery);
      assert.equal(second.json.error, 'duplicate_delivery');
      expectHandled(await first);
      expectRefusal(await sender.post(delivery), 409, 'duplicate_delivery');
    }
    assert.equal(second.status, 503);
    assert.match(second.headers['retry-after'], /^[1-9]\d*$/);
  }],

  ['the Fluxora family alone, where it is allowed', async ({ sender }) => {
    const delivery = sender.delivery();
    const forged = { ...NO_STANDARD_FAMILY, 'x-fluxora-signature': '0'.repeat(64) };
    expectRefusal(await sender.post(delivery, { headers: forged }), 401, 'signature_mismatch');
    const spelled = { 'x-fluxora-signature': ` ${delivery.headers['x-fluxora-signature'].toUpperCase()} ` };
    expectHandled(await sender.post(delivery, { headers: { ...NO_STANDARD_FAMILY, ...spelled } }));
    // Where both are there, the standard one decides.
    const contrary = { headers: { 'webhook-signature': 'v1,AAAA' } };
    expectRefusal(await sender.post(sender.delivery(), contrary), 401, 'signature_mismatch');
  }],
];

/** Rows for an example that has no secret. */
export const BARE_TABLE = [
  ['no secret configured', async ({ sender }) => {
    expectRefusal(await sender.send(), 500, 'missing_secret');
    const response = await fetch(sender.url, { method: 'POST', body: '{}' });
    assert.deepEqual([response.status, (await response.json()).error], [500, 'missing_secret']);
  }],
];
