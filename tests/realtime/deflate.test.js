// permessage-deflate (RFC 7692) with a client that others wrote, whatever it offers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { startEchoServer } from './harness/echo_server.js';

const MANY = Array.from({ length: 5_000 }, (_, i) => ({ seq: i, amount: `${i}.0000000` }));
const MESSAGES = ['', 'a', 'ü'.repeat(200), JSON.stringify(MANY)];

/** Everything comes back as it was sent, compressed where it was agreed on and worth it. */
async function echoes(port, perMessageDeflate, isAgreed) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/echo`, { perMessageDeflate });
  let received = 0;
  client.on('upgrade', (response) => response.socket.on('data', (chunk) => { received += chunk.length; }));
  await once(client, 'open');
  assert.equal(client.extensions, isAgreed ? 'permessage-deflate' : '');
  for (const message of MESSAGES) {
    for (const binary of [false, true]) {
      received = 0;
      client.send(message, { binary });
      const [data, isBinary] = await once(client, 'message');
      assert.equal(isBinary, binary);
      assert.equal(data.toString(), message);
      const bytes = Buffer.byteLength(message);
      if (isAgreed && bytes >= 256) assert.ok(received < bytes / 2, `${received} bytes stand for ${bytes}`);
      if (!isAgreed) assert.ok(received >= bytes);
    }
  }
  client.close(1000);
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
}

test('compressed messages come back', async (t) => {
  const port = await startEchoServer(t);
  const all = { threshold: 0 };
  await t.test('as ws offers it', () => echoes(port, all, true));
  await t.test('without context takeover', () => {
    return echoes(port, { ...all, clientNoContextTakeover: true, serverNoContextTakeover: true }, true);
  });
  await t.test('with small windows of the client', () => echoes(port, { ...all, clientMaxWindowBits: 9 }, true));
  await t.test('with a window of the server that it can keep to', () => {
    return echoes(port, { ...all, serverMaxWindowBits: 13 }, true);
  });
  await t.test('not with a smaller one', () => echoes(port, { ...all, serverMaxWindowBits: 9 }, false));
  await t.test('not where it is not offered', () => echoes(port, false, false));
});
