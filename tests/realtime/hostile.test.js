// What peers do that no client should: every line of SPEC section 6's table, frames and handshakes out of RFC 6455's
// bounds, floods, silence. After each the server serves others as before, and in the end nothing of it is left.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { checkGrowth, residentBytes } from '../integration/harness/memory.js';
import { parseResponse } from '../integration/harness/raw_http.js';
import { RawStream } from '../integration/harness/raw_stream.js';
import { startStack } from '../integration/harness/stack.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';
import { UpgradeRefused, WsClient } from '../integration/harness/ws_client.js';
import { OPCODE, RawWebSocket, closeFrame, frame, upgradeRequest } from './harness/raw_websocket.js';
import { SSE_PATH, SseClient, SseRefused } from './harness/sse_client.js';

const MESSAGE_BYTES = 4_096;
const FRAME_BYTES = 64 * 1024;
/** A header that doesn't come to its end has 10 s; more than that is never needed. */
const HEADER_DEADLINE_MS = DEADLINE_MS + 10_000;
const LEFT = ['fluxora_websocket_connections', 'fluxora_websocket_queued_bytes', 'fluxora_feed_subscriptions', 'fluxora_connections'];

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {WsClient} a client that was there before all of it and stays */
let witness;
let descriptors = 0;
let resident = 0;

/** Without those of the database, whose connections come and stay. */
async function openDescriptors() {
  const families = readPrometheusText((await stack.request('/metrics')).text);
  return readdirSync(`/proc/${stack.server.process?.pid}/fd`).length - sampleValue(families, 'fluxora_db_connections');
}

/** Whatever stands there: others are served. */
async function checkServed() {
  const client = await stack.openWebSocket();
  assert.equal((await client.subscribe({ streamId: '*' })).resume, 'live');
  await client.barrier();
  await client.close();
  assert.equal((await stack.request('/api/streams?limit=1')).status, 200);
}

/** What is left open or waiting, by the server's own metrics. */
async function left() {
  const families = readPrometheusText((await stack.request('/metrics')).text);
  return Object.fromEntries(LEFT.map((name) => [name, sampleValue(families, name)]));
}

/** The log's WebSockets that haven't ended. */
function openSockets() {
  const gone = new Set(stack.server.logs.filter(({ event }) => event === 'ws_disconnect').map(({ connectionId }) => connectionId));
  return stack.server.logs.filter(({ event, connectionId }) => event === 'ws_connect' && !gone.has(connectionId));
}

before(async () => {
  stack = await startStack({
    simulator: { seed: 'hostile', streams: 20 },
    server: { env: { WS_MAX_CONNECTIONS_PER_IP: '2000', WRITE_RATE_LIMIT: '0' } },
  });
  stack.runScenario(5, { actionsPerLedger: 5 });
  await stack.settle();
  await checkServed();
  descriptors = await openDescriptors();
  resident = residentBytes(stack.server);
  witness = await stack.openWebSocket();
  await witness.subscribe({ streamId: '*' });
});

after(async () => {
  await stack.stop();
});

describe('messages', () => {
  test('what is malformed is told by its code and the connection stays open', async () => {
    const stream = stack.streamId(0);
    const { epoch } = await stack.head();
    const subscribe = (members) => JSON.stringify({ type: 'subscribe', ...members });
    const cases = [
      ['INVALID_JSON', '{'],
      ['INVALID_JSON', ''],
      ['INVALID_JSON', '{"type":"ping"} x'],
      ['INVALID_JSON', "{'type':'ping'}"],
      ['INVALID_JSON', '['.repeat(MESSAGE_BYTES)],
      ['INVALID_JSON', '{"type":"ping\u0000"}'],
      ['INVALID_MESSAGE', '[]'],
      ['INVALID_MESSAGE', '"ping"'],
      ['INVALID_MESSAGE', '{}'],
      ['INVALID_MESSAGE', '{"type":7}'],
      ['INVALID_MESSAGE', '{"type":["ping"]}'],
      ['UNKNOWN_TYPE', '{"type":"hello"}'],
      ['UNKNOWN_TYPE', '{"type":"Ping"}'],
      ['UNKNOWN_TYPE', '{"type":"ping\\u0000"}'],
      ['INVALID_MESSAGE', subscribe({})],
      ['INVALID_MESSAGE', subscribe({ streamId: 7 })],
      ['INVALID_MESSAGE', subscribe({ streamId: '' })],
      ['INVALID_MESSAGE', subscribe({ streamId: "*'; DROP TABLE events; --" })],
      ['INVALID_MESSAGE', subscribe({ streamId: `${stream}\u0000` })],
      ['INVALID_MESSAGE', subscribe({ recipient: 'GABC' })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, recipient: stack.sim.people.recipients[0] })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, event: 'stream.nothing' })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, event: 7 })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, after: 'nonsense' })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, after: `${epoch}-18446744073709551616` })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, after: `${epoch}--1` })],
      ['INVALID_MESSAGE', subscribe({ streamId: stream, after: 5 })],
      ['INVALID_MESSAGE', '{"type":"unsubscribe"}'],
      ['BINARY_NOT_SUPPORTED', Buffer.from('{"type":"ping"}')],
      ['PAYLOAD_TOO_LARGE', `{"type":"ping"${' '.repeat(MESSAGE_BYTES - 15 + 1)}}`],
    ];
    let client = await stack.openWebSocket();
    for (const [index, [code, message]] of cases.entries()) {
      // A connection may send 30 messages in a window.
      if (index % 25 === 24) {
        await client.close();
        client = await stack.openWebSocket();
      }
      const what = `${code} for ${message.slice(0, 80)}`;
      const from = client.messages.length;
      client.send(message);
      const answer = await client.waitFor(() => true, { what, from });
      assert.deepEqual(Object.keys(answer), ['type', 'code', 'message'], what);
      assert.deepEqual([answer.type, answer.code], ['error', code], what);
      assert.ok(typeof answer.message === 'string' && answer.message.length > 0);
      assert.equal(client.closed, null, what);
    }
    const largest = `{"type":"ping"${' '.repeat(MESSAGE_BYTES - 15)}}`;
    assert.equal(Buffer.byteLength(largest), MESSAGE_BYTES);
    await client.ask(largest, 'pong');
    await client.close();
  });

  test('a message over 64 KiB closes the connection with 1009', async () => {
    const client = await stack.openWebSocket();
    client.send(`{"type":"ping"${' '.repeat(FRAME_BYTES)}}`);
    assert.equal((await client.waitForClose())?.code, 1009);
  });

  test('64 KiB exactly is too large a message, but no reason to close', async () => {
    const client = await stack.openWebSocket();
    const answer = await client.ask(`{"type":"ping"${' '.repeat(FRAME_BYTES - 15)}}`, 'error');
    assert.equal(answer.code, 'PAYLOAD_TOO_LARGE');
    await client.barrier();
    await client.close();
  });

  test('from the 31st message within a window on each is RATE_LIMIT_EXCEEDED, whatever it is, and the connection stays open', async () => {
    const floods = ['{"type":"ping"}', 'nonsense', Buffer.from('binary')];
    for (const flood of floods) {
      const client = await stack.openWebSocket();
      for (let i = 0; i < 300; i += 1) client.send(flood);
      let echoed = '';
      client.socket.once('pong', (data) => { echoed = data.toString(); });
      client.socket.ping('behind it');
      await waitFor(() => echoed === 'behind it', { what: 'the pong behind the flood' });
      assert.equal(client.messages.length, 300);
      client.messages.forEach(({ code }, index) => assert.equal(code === 'RATE_LIMIT_EXCEEDED', index >= 30, `message ${index + 1}`));
      assert.equal(client.closed, null);
      await client.close();
    }
    // What is too large is told so, and counts.
    const client = await stack.openWebSocket();
    for (let i = 0; i < 30; i += 1) client.send(' '.repeat(MESSAGE_BYTES + 1));
    await client.waitFor(() => client.messages.length === 30, { what: 'the answers' });
    assert.ok(client.messages.every(({ code }) => code === 'PAYLOAD_TOO_LARGE'));
    assert.equal((await client.ask({ type: 'ping' }, 'error')).code, 'RATE_LIMIT_EXCEEDED');
    await client.close();
    await checkServed();
  });
});

describe('frames', () => {
  const { continuation, text, binary, close, ping, pong } = OPCODE;
  const ping4 = '{"type":"ping"}';
  const badUtf8 = Buffer.from([0x22, 0xc0, 0xaf, 0x22]);
  /** @type {[string, Buffer[], number[]][]} */
  const cases = [
    ['an unmasked frame', [frame(text, ping4, { masked: false })], [1002]],
    ...[1, 2, 4].map((rsv) => /** @type {any} */ ([`reserved bit ${rsv}`, [frame(text, ping4, { rsv })], [1002]])),
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => /** @type {any} */ ([`opcode ${opcode}`, [frame(opcode, 'x')], [1002]])),
    ['a ping of 126 bytes', [frame(ping, 'x'.repeat(126))], [1002]],
    ['a ping in fragments', [frame(ping, 'x', { fin: false })], [1002]],
    ['a close of 126 bytes', [frame(close, 'x'.repeat(126))], [1002]],
    ['a continuation of nothing', [frame(continuation, 'x')], [1002]],
    ['a message within a message', [frame(text, '{', { fin: false }), frame(text, ping4)], [1002]],
    ['a binary message within a text', [frame(text, '{', { fin: false }), frame(binary, 'x')], [1002]],
    ['a close of one byte', [frame(close, 'x')], [1002]],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535].map((code) => /** @type {any} */ ([`close code ${code}`, [closeFrame(code)], [1002]])),
    ['a close reason that is no UTF-8', [closeFrame(1000, Buffer.from([0xff]))], [1007, 1002]],
    ['a text that is no UTF-8', [frame(text, badUtf8)], [1007]],
    ['a text that ends within a character', [frame(text, Buffer.from([0x22, 0xe2, 0x82]))], [1007]],
    ['a text with a surrogate', [frame(text, Buffer.from([0xed, 0xa0, 0x80]))], [1007]],
    ['no UTF-8 in the second fragment', [frame(text, '"', { fin: false }), frame(continuation, Buffer.from([0xf8]), { fin: false })], [1007]],
    ['a length of two bytes where none is needed', [frame(text, ping4, { lengthBytes: 2 })], [1002]],
    ['a length of eight bytes where two would do', [frame(text, 'x'.repeat(200), { lengthBytes: 8 })], [1002]],
    ['a length above 2^63', [frame(text, '', { length: (1n << 63n) + 1n })], [1002, 1009]],
    ['a length of 2^62', [frame(text, '', { length: 1n << 62n })], [1009]],
    ['64 KiB and a byte announced', [frame(binary, '', { length: BigInt(FRAME_BYTES + 1) })], [1009]],
    ['a message that grows over 64 KiB', [frame(text, 'x'.repeat(40_000), { fin: false }), frame(continuation, 'x'.repeat(40_000))], [1009]],
    ['a flood of empty fragments', [frame(text, '', { fin: false }), ...Array.from({ length: 5_000 }, () => frame(continuation, '', { fin: false }))], [1009]],
    ['a flood of fragments of a byte', [frame(text, ' ', { fin: false }), ...Array.from({ length: 70_000 }, () => frame(continuation, ' ', { fin: false }))], [1009]],
  ];

  test('each is closed with its code', async () => {
    for (const [what, frames, codes] of cases) {
      const peer = await RawWebSocket.open(stack.server.port);
      peer.send(...frames);
      const code = await peer.waitForClose().catch((error) => { throw new Error(what, { cause: error }); });
      assert.ok(codes.includes(code), `${what}: closed with ${code}, not ${codes.join(' or ')}`);
      peer.destroy();
    }
    await checkServed();
  });

  test('any of them a byte at a time is closed with the same code', async () => {
    for (const [what, frames, codes] of cases) {
      const bytes = Buffer.concat(frames);
      if (bytes.length > 300) continue;
      const peer = await RawWebSocket.open(stack.server.port);
      for (const byte of bytes) {
        peer.stream.send(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      const code = await peer.waitForClose().catch((error) => { throw new Error(what, { cause: error }); });
      assert.ok(codes.includes(code), `${what}: closed with ${code}, not ${codes.join(' or ')}`);
      peer.destroy();
    }
  });

  test('what RFC 6455 allows is served: fragments with pings between, no payload, every good close code', async () => {
    const peer = await RawWebSocket.open(stack.server.port);
    peer.send(frame(text, '{"ty', { fin: false }), frame(ping, 'between'), frame(continuation, '', { fin: false }), frame(continuation, 'pe":"ping"}'));
    await peer.waitForFrame(({ opcode, payload }) => opcode === pong && payload.toString() === 'between', 'the pong');
    await waitFor(() => peer.messages().some(({ type }) => type === 'pong'), { what: 'the answer' });
    peer.send(frame(pong, 'nobody asked'), frame(ping));
    await peer.waitForFrame(({ opcode, payload }) => opcode === pong && payload.length === 0, 'the empty pong');
    peer.destroy();
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999]) {
      const leaving = await RawWebSocket.open(stack.server.port);
      leaving.send(closeFrame(code, 'done'));
      assert.equal(await leaving.waitForClose(), code);
    }
    const silent = await RawWebSocket.open(stack.server.port);
    silent.send(frame(close));
    assert.ok([1000, 1005].includes(await silent.waitForClose()));
  });

  test('a flood of pings is answered up to the last, without growing', async () => {
    const peer = await RawWebSocket.open(stack.server.port);
    const start = residentBytes(stack.server);
    const some = Buffer.concat(Array.from({ length: 1_000 }, () => frame(ping, 'x'.repeat(125))));
    for (let i = 0; i < 50; i += 1) peer.stream.send(some);
    peer.send(frame(ping, 'the last'));
    await peer.waitForFrame(({ opcode, payload }) => opcode === pong && payload.toString() === 'the last', 'the last pong');
    checkGrowth(stack.server, start, 16);
    peer.destroy();
    await checkServed();
  });

  test('pings in a flood of a client that doesn’t read fill nothing', async () => {
    const start = residentBytes(stack.server);
    const peers = await Promise.all(Array.from({ length: 20 }, () => RawWebSocket.open(stack.server.port)));
    const some = Buffer.concat(Array.from({ length: 1_000 }, () => frame(ping, 'x'.repeat(125))));
    for (const peer of peers) {
      peer.stream.pause();
      for (let i = 0; i < 50; i += 1) peer.stream.send(some);
    }
    await checkServed();
    checkGrowth(stack.server, start, 32);
    for (const peer of peers) peer.destroy();
  });

  test('compressed: nonsense and bombs are closed, and cost no memory', async () => {
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const compressed = (payload) => {
      const bytes = deflateRawSync(payload, { finishFlush: 2 });
      return bytes.subarray(0, bytes.length - 4);
    };
    const good = await RawWebSocket.open(stack.server.port, offer);
    assert.match(good.head, /\r\nSec-WebSocket-Extensions: permessage-deflate/i);
    good.send(frame(text, compressed(ping4), { rsv: 4 }));
    await waitFor(() => good.messages().some(({ type }) => type === 'pong'), { what: 'the answer to a compressed message' });
    good.send(frame(ping, 'x', { rsv: 4 }));
    assert.equal(await good.waitForClose(), 1002);

    const start = residentBytes(stack.server);
    const bomb = compressed(Buffer.alloc(48 * 1024 * 1024, 0x20));
    assert.ok(bomb.length < FRAME_BYTES);
    /** @type {[string, Buffer, number[]][]} */
    const bad = [
      ['a bomb', frame(text, bomb, { rsv: 4 }), [1009]],
      ['over 64 KiB inflated', frame(text, compressed('x'.repeat(FRAME_BYTES + 1)), { rsv: 4 }), [1009]],
      ['nonsense', frame(text, Buffer.alloc(100, 0xff), { rsv: 4 }), [1002, 1007]],
      ['no UTF-8 inside', frame(text, compressed(badUtf8), { rsv: 4 }), [1007]],
    ];
    for (const [what, bytes, codes] of bad) {
      const peer = await RawWebSocket.open(stack.server.port, offer);
      peer.send(bytes);
      const code = await peer.waitForClose();
      assert.ok(codes.includes(code), `${what}: closed with ${code}`);
    }
    checkGrowth(stack.server, start, 16);
    await checkServed();
  });
});

describe('handshakes', () => {
  const answerTo = async (bytes) => {
    const stream = await RawStream.open(stack.server.port, bytes);
    await stream.waitFor(({ text, ended }) => text.includes('\r\n\r\n') || ended, 'an answer');
    const answer = parseResponse(stream.text);
    stream.destroy();
    return answer;
  };

  test('other paths don’t upgrade, at once, and the path serves nothing else', async () => {
    const at = (path) => WsClient.open(stack.baseUrl.replace('http', 'ws') + path);
    for (const path of ['/ws/other', '/ws', '/ws/streams/', '/ws/streams/x', '/nothing/here']) {
      await assert.rejects(at(path), (error) => error instanceof UpgradeRefused && error.status === 404, path);
    }
    for (const path of ['/ws/%2e%2e/ws/streams', '//ws/streams', '/ws/./streams']) {
      assert.equal((await answerTo(upgradeRequest({}, { path }))).status, 404, path);
    }
    // A resource that knows nothing of WebSockets answers as if nobody had asked (RFC 9110 section 7.8).
    await assert.rejects(at('/health/live'), (error) => error instanceof UpgradeRefused && error.status === 200);
    const plain = await stack.request('/ws/streams');
    assert.equal(plain.status, 426);
    assert.match(String(plain.headers.upgrade), /websocket/i);
    assert.equal((await stack.request('/ws/streams', { method: 'POST' })).status, 405);
  });

  test('Sec-WebSocket-* that aren’t as RFC 6455 writes them', async () => {
    const key = (value) => ({ 'Sec-WebSocket-Key': value });
    const version = (value) => ({ 'Sec-WebSocket-Version': value });
    const extensions = (value) => ({ 'Sec-WebSocket-Extensions': value });
    const protocol = (value) => ({ 'Sec-WebSocket-Protocol': value });
    const good = 'dGhlIHNhbXBsZSBub25jZQ==';
    /** @type {[number, Record<string, string | string[] | undefined>][]} */
    const cases = [
      [400, key(undefined)],
      [400, key('')],
      [400, key(Buffer.alloc(15).toString('base64'))],
      [400, key(Buffer.alloc(17).toString('base64'))],
      [400, key(good.slice(0, 22))],
      [400, key('!'.repeat(22) + '==')],
      [400, key('A'.repeat(8_000))],
      [400, key([good, good])],
      [426, version(undefined)],
      [426, version('')],
      [426, version('8')],
      [426, version('14')],
      [426, version('13, 8')],
      [400, version(['13', '13'])],
      [400, extensions('permessage-deflate; =')],
      [400, extensions(';;;;')],
      [400, extensions('permessage-deflate,;')],
      [101, extensions(', x-unknown,')],
      [400, extensions('permessage-deflate; server_max_window_bits="1')],
      [101, extensions('x-unknown; a=b, y')],
      [101, extensions('permessage-deflate; server_max_window_bits=99')],
      [101, extensions('permessage-deflate; server_no_context_takeover; server_no_context_takeover')],
      [101, extensions(Array.from({ length: 500 }, (_, index) => `x-${index}`).join(', '))],
      [400, protocol(' , ')],
      [101, protocol('chat, superchat')],
      [431, extensions('x'.repeat(20_000))],
      [426, { Upgrade: 'h2c' }],
      [426, { Connection: 'keep-alive' }],
    ];
    for (const [status, fields] of cases) {
      const what = JSON.stringify(fields).slice(0, 120);
      const answer = await answerTo(upgradeRequest(fields));
      assert.equal(answer.status, status, what);
      if (status === 426) assert.equal(answer.headers['sec-websocket-version'], '13', what);
      // Nothing was offered that could be agreed on.
      if (status === 101) {
        assert.equal(answer.headers['sec-websocket-extensions'], undefined, what);
        assert.equal(answer.headers['sec-websocket-protocol'], undefined, what);
      } else {
        assert.equal(answer.headers['content-type'], 'application/problem+json', what);
      }
    }
    assert.equal((await answerTo(upgradeRequest({}, { method: 'POST' }))).status, 405);
    assert.equal((await answerTo(upgradeRequest({}, { version: 'HTTP/1.0' }))).status, 426);
    await checkServed();
  });

  test('a body, or frames before the answer, are no messages', async () => {
    const bytes = frame(OPCODE.text, '{"type":"ping"}').toString('latin1');
    const early = await RawStream.open(stack.server.port, upgradeRequest() + bytes);
    assert.equal(parseResponse(await early.toEnd()).status, 400);
    for (const [fields, body] of /** @type {[Record<string, string>, string][]} */ ([
      [{ 'Content-Length': String(bytes.length) }, bytes],
      [{ 'Transfer-Encoding': 'chunked' }, `${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`],
    ])) {
      const peer = await RawStream.open(stack.server.port, upgradeRequest(fields) + body);
      await peer.waitFor(({ text, ended }) => text.includes('\r\n\r\n') || ended, 'an answer');
      if (peer.text.startsWith('HTTP/1.1 101 ')) {
        // The body was the request's: what follows is a message, and the first.
        peer.send(frame(OPCODE.ping, 'first'));
        await peer.waitFor(({ text }) => text.endsWith('\x8a\x05first'), 'the pong');
        assert.ok(!peer.text.includes('"pong"'), 'a body was taken as a frame');
      } else {
        assert.equal(parseResponse(await peer.toEnd()).status, 400);
      }
      peer.destroy();
    }
    await checkServed();
  });

  test('handshakes that don’t come to their end hold up nobody and end with 408', async () => {
    const whole = upgradeRequest();
    const peers = await Promise.all(Array.from({ length: 300 }, (_, index) => RawStream.open(stack.server.port, whole.slice(0, 1 + (index % (whole.length - 2))))));
    await checkServed();
    await waitFor(() => {
      for (const peer of peers.slice(0, 10)) if (peer.length === 0 && peer.ended === null) peer.send('x');
      return peers.every(({ ended }) => ended !== null);
    }, { what: 'all of them to be ended', deadlineMs: HEADER_DEADLINE_MS });
    const statuses = new Set(peers.map((peer) => parseResponse(peer.text).status));
    assert.deepEqual([...statuses].filter((status) => status !== 400 && status !== 431), [408]);
    for (const peer of peers) peer.destroy();
  });
});

describe('connections', () => {
  test('1,000 that vanish at every stage leave nothing behind', async () => {
    const subscription = frame(OPCODE.text, JSON.stringify({ type: 'subscribe', streamId: '*', after: `${(await stack.head()).epoch}-0` }));
    const vanish = async (stage) => {
      if (stage === 0) return (await RawStream.open(stack.server.port)).destroy();
      if (stage === 1) return (await RawStream.open(stack.server.port, upgradeRequest().slice(0, 80))).destroy();
      if (stage === 2) return (await RawStream.open(stack.server.port, upgradeRequest())).destroy();
      const peer = await RawWebSocket.open(stack.server.port);
      if (stage === 3) peer.send(subscription.subarray(0, 9));
      if (stage >= 4) peer.send(subscription);
      if (stage === 5) await waitFor(() => peer.stream.length > 4_000, { what: 'the replay to begin' });
      if (stage === 6) peer.stream.halfClose();
      return peer.destroy();
    };
    for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, (_, index) => vanish(index % 7)));
    await checkServed();
  });

  test('silent halves: closing one side alone ends a connection', async () => {
    const peer = await RawWebSocket.open(stack.server.port);
    peer.stream.halfClose();
    await peer.stream.toEnd();
    const feed = await RawStream.open(stack.server.port, `GET ${SSE_PATH} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await feed.waitFor(({ text }) => text.includes('event: resume'), 'the feed to begin');
    feed.halfClose();
    await feed.toEnd();
    feed.destroy();
    peer.destroy();
  });

  test('an address that wants more connections than it may have gets what it may have', async () => {
    const limit = 20;
    const small = await startStack({ simulator: false, server: { env: { WS_MAX_CONNECTIONS_PER_IP: String(limit) } } });
    const open = (index) => (index % 2 === 0 ? small.openWebSocket() : SseClient.open(small.baseUrl));
    const results = await Promise.allSettled(Array.from({ length: 10 * limit }, (_, index) => open(index)));
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      assert.ok(result.reason instanceof UpgradeRefused || result.reason instanceof SseRefused, String(result.reason));
      assert.equal(result.reason.status, 429);
      assert.match(String(result.reason.headers['retry-after']), /^[1-9]\d*$/);
    }
    const stays = async () => opened.filter((one) => (one instanceof WsClient ? one.closed === null : one.ended === null));
    // Upgrades that race for the last place: the loser is closed as soon as it is open.
    const kept = await waitFor(async () => {
      const open = await stays();
      return open.length === limit && open;
    }, { what: `${limit} connections`, describe: async () => (await stays()).length });
    for (const one of kept) one.endNow();
    const again = await Promise.all(Array.from({ length: limit }, (_, index) => waitFor(() => open(index), { what: 'a free place' })));
    assert.equal(again.length, limit);
    await small.stop();
  });
});

test('after all of it nothing is left: no connection, no subscription, no descriptor, no memory; the witness has everything', async () => {
  stack.runScenario(2, { actionsPerLedger: 5 });
  await stack.settle();
  const { seq } = await stack.head();
  await witness.waitForSeq(seq);
  const seqs = witness.updates().map((entry) => entry.seq);
  assert.deepEqual(seqs, Array.from({ length: seqs.length }, (_, index) => seqs[0] + index));
  assert.equal(seqs.at(-1), seq);
  await witness.close();
  // The one connection is the question's own.
  await waitFor(async () => Object.values(await left()).join() === '0,0,0,1', {
    what: 'every connection to be gone',
    describe: async () => ({ ...await left(), open: openSockets() }),
  });
  await waitFor(async () => await openDescriptors() <= descriptors, { what: `no more than ${descriptors} descriptors`, describe: openDescriptors });
  checkGrowth(stack.server, resident, 48);
  assert.equal((await stack.health()).wsConnections, 0);
});
