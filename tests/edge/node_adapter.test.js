// @fluxora/edge/node beyond what its examples show: body parsers before it, senders that are slow, endless or gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createReceiver } from '@fluxora/edge';
import { toNodeListener } from '@fluxora/edge/node';
import express from 'express';

import { waitFor } from '../integration/harness/wait.js';
import { BODY_MAX, Sender, eventBody, newSecret } from './sender.js';

const MIB = 1024 * 1024;

/** A server with a receiver in it, which remembers what happened. */
async function serve(makeListener, options = {}) {
  const secret = newSecret();
  const events = [];
  const rejections = [];
  const receiver = createReceiver({
    secret,
    onEvent: (event, info) => { events.push({ event, ...info }); },
    onReject: ({ code }) => { rejections.push(code); },
    ...options,
  });
  const server = createServer(makeListener(toNodeListener(receiver)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return { sender: new Sender(`http://127.0.0.1:${port}/webhooks`, secret), events, rejections, port, server };
}

const alone = (listener) => listener;

/** Connects and sends, and leaves the connection open. `answer` is what came until it was closed. */
async function open(port, head, firstBytes = '') {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`POST /webhooks HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}\r\n${firstBytes}`);
  const state = { text: '', closed: false };
  socket.setEncoding('utf8').on('data', (text) => { state.text += text; });
  socket.on('error', () => {}).on('close', () => { state.closed = true; });
  return { socket, state };
}

const answered = (state, status) => waitFor(() => state.text.startsWith(`HTTP/1.1 ${status} `), {
  what: `an answer ${status}`, describe: () => state.text,
});
const closed = (state) => waitFor(() => state.closed, { what: 'the connection to be closed' });

describe('Express', () => {
  const behind = (...parsers) => (listener) => {
    const app = express();
    for (const parser of parsers) app.use(parser);
    app.all('/webhooks', listener);
    return app;
  };

  test('behind express.json(): a 500 that says where to put it, and nothing handled', async () => {
    const { sender, events, rejections } = await serve(behind(express.json()));
    const { status, json } = await sender.send();
    assert.equal(status, 500);
    assert.equal(json.error, 'body_already_read');
    assert.match(json.message, /before body parsers/);
    assert.deepEqual(rejections, ['body_already_read']);
    assert.equal(events.length, 0);
  });

  test('behind express.text() as well: text is not the bytes', async () => {
    const { sender } = await serve(behind(express.text({ type: () => true })));
    assert.equal((await sender.send()).json.error, 'body_already_read');
  });

  test('behind express.raw(): the bytes that it kept', async () => {
    const { sender, events } = await serve(behind(express.raw({ type: () => true, limit: MIB })));
    assert.equal((await sender.send()).status, 200);
    assert.equal(events.length, 1);
    const tooLarge = sender.delivery({ body: `{}${' '.repeat(BODY_MAX)}` });
    assert.equal((await sender.post(tooLarge)).status, 413);
  });

  test('behind express.json() that keeps rawBody', async () => {
    const keep = (request, response, bytes) => { request.rawBody = bytes; };
    const { sender } = await serve(behind(express.json({ verify: keep })));
    assert.equal((await sender.send()).status, 200);
  });

  test('behind a parser for other types', async () => {
    const { sender } = await serve(behind(express.json({ type: 'application/csp-report' })));
    assert.equal((await sender.send()).status, 200);
  });

  test('before express.json(): both work', async () => {
    const { sender } = await serve((listener) => {
      const app = express();
      app.all('/webhooks', listener);
      app.use(express.json());
      app.post('/others', (request, response) => response.json(request.body));
      return app;
    });
    assert.equal((await sender.send()).status, 200);
    const others = await fetch(sender.url.replace('/webhooks', '/others'), {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}',
    });
    assert.deepEqual(await others.json(), { a: 1 });
  });
});

test('the handler gets the request and the response as its context', async () => {
  const { sender, events } = await serve(alone);
  await sender.send();
  const [{ context }] = events;
  assert.equal(context.request.url, '/webhooks');
  assert.equal(context.response.statusCode, 200);
});

test('a body that something before has had decoded', async () => {
  const { sender } = await serve((listener) => (request, response) => listener(request.setEncoding('utf8'), response));
  assert.equal((await sender.send()).json.error, 'body_already_read');
});

test('what is used of a request and a response is declared', async () => {
  const declarations = readFileSync(new URL('../../edge/src/node.d.ts', import.meta.url), 'utf8');
  const declared = (name) => {
    const [, members] = new RegExp(`^export interface ${name} {$(.*?)^}$`, 'ms').exec(declarations);
    return [...members.matchAll(/^ {2}(?:readonly )?(\w+)[?:(]/gm)].map(([, member]) => member);
  };
  const used = { NodeRequest: new Set(), NodeResponse: new Set() };
  const watched = (object, names) => new Proxy(object, {
    get(target, name, proxy) {
      names.add(name);
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...given) => {
        const result = value.apply(target, given);
        return result === target ? proxy : result;
      };
    },
    set: (target, name, value) => Reflect.set(target, names.add(name) && name, value),
  });
  const { sender } = await serve((listener) => (request, response) => {
    listener(watched(request, used.NodeRequest), watched(response, used.NodeResponse));
  });
  assert.equal((await sender.send()).status, 200);
  assert.equal((await sender.send({ body: `{}${' '.repeat(BODY_MAX)}` })).status, 413);
  for (const [name, members] of Object.entries(used)) {
    assert.ok(members.size >= 6, name);
    assert.deepEqual([...members].filter((member) => !declared(name).includes(member)), [], name);
  }
});

describe('something that answers first', () => {
  test('its answer stays, and what was handled is remembered', async () => {
    const promises = [];
    const remembering = (listener) => (...given) => { promises.push(listener(...given)); };
    const onEvent = (_, { context }) => { context.response.writeHead(503).end('too slow'); };
    const { sender } = await serve(remembering, { onEvent });
    const delivery = sender.delivery();
    assert.equal((await sender.post(delivery)).text, 'too slow');
    await Promise.all(promises);
    assert.deepEqual((await sender.post(delivery)).json, { ok: true, duplicate: true });
  });

  test('its answer stays where it has only begun, whatever became of the delivery', async () => {
    const { sender, events, rejections } = await serve((listener) => async (request, response) => {
      response.writeHead(200).write('begun, ');
      await listener(request, response);
      response.end('ended');
    });
    for (const body of [eventBody(), `{}${' '.repeat(BODY_MAX)}`]) {
      assert.equal((await sender.send({ body })).text, 'begun, ended');
    }
    assert.deepEqual([events.length, rejections], [1, ['payload_too_large']]);
  });
});

test('a response that can’t be written to: the connection ends, and the process goes on', async (t) => {
  const told = t.mock.method(console, 'error', () => {});
  const promises = [];
  const { sender } = await serve((listener) => (request, response) => {
    response.end = () => { throw new Error('wrapped badly'); };
    promises.push(listener(request, response));
  });
  await assert.rejects(sender.send());
  await Promise.all(promises);
  assert.equal(told.mock.calls[0].arguments[1].message, 'wrapped badly');
});

test('several lines of one header are one value', async () => {
  const { sender, port } = await serve(alone);
  const { headers, body } = sender.delivery();
  const head = { ...headers, 'Webhook-Id': 'msg_other', 'content-length': body.length };
  const { socket, state } = await open(port, head, body);
  await answered(state, 401);
  socket.destroy();
});

test('a body that comes a byte at a time', async () => {
  const { sender, port, events } = await serve(alone);
  const { headers, body } = sender.delivery();
  const { socket, state } = await open(port, { ...headers, 'content-length': body.length });
  socket.setNoDelay(true);
  for (const byte of Buffer.from(body)) await new Promise((resolve) => { socket.write(Buffer.of(byte), resolve); });
  await answered(state, 200);
  socket.destroy();
  assert.equal(Buffer.from(events[0].rawBody).toString(), body);
});

test('bodies that come in very many pieces take no more room than their bytes', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const used = () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const REQUESTS = 4;
  const PIECES = 200_000;
  let came = 0;
  const { port, rejections } = await serve((listener) => (request, response) => {
    listener(request, response);
    request.on('data', ({ length }) => { came += length; });
  });
  const pieces = '1\r\n \r\n'.repeat(PIECES);
  const before = used();
  const opened = [];
  for (let i = 0; i < REQUESTS; i += 1) opened.push(await open(port, { 'transfer-encoding': 'chunked' }, pieces));
  await waitFor(() => came === REQUESTS * PIECES, { what: 'every piece', describe: () => came });
  const held = used() - before;
  // Twice a body's bytes, for the room that grows by doubling, and what a connection needs.
  assert.ok(held < REQUESTS * (2 * PIECES + MIB), `${held} bytes held for ${REQUESTS * PIECES} bytes of bodies`);
  for (const { socket } of opened) socket.destroy();
  await waitFor(() => rejections.length === REQUESTS, { what: 'the losses to be noticed' });
});

test('a body that does not come in time: 408, then the connection ends', async () => {
  const { sender, port, events, rejections } = await serve(alone, { bodyTimeoutSeconds: 1 });
  const { headers, body } = sender.delivery();
  const { state } = await open(port, { ...headers, 'content-length': body.length }, body.slice(0, -1));
  await answered(state, 408);
  await closed(state);
  assert.deepEqual([events.length, rejections], [0, ['body_timeout']]);
});

test('a sender that goes away: nothing handled, and the delivery can come again', async () => {
  const { sender, port, events, rejections } = await serve(alone);
  const delivery = sender.delivery();
  const head = { ...delivery.headers, 'content-length': delivery.body.length };
  const { socket } = await open(port, head, delivery.body.slice(0, -1));
  socket.destroy();
  await waitFor(() => rejections.includes('body_unreadable'), { what: 'the loss to be noticed' });
  assert.equal(events.length, 0);
  assert.equal((await sender.post(delivery)).status, 200);
});

test('a sender that goes away while its event is handled: it is handled, once', async () => {
  let go;
  const { sender, port, events, server } = await serve(alone, {
    onEvent: () => new Promise((resolve) => { go = resolve; }),
  });
  const delivery = sender.delivery();
  const { socket } = await open(port, { ...delivery.headers, 'content-length': delivery.body.length }, delivery.body);
  await waitFor(() => go, { what: 'the handler to be called' });
  socket.destroy();
  const connections = () => new Promise((resolve) => { server.getConnections((error, count) => resolve(count)); });
  await waitFor(async () => (await connections()) === 0, { what: 'the connection to be gone' });
  go();
  await waitFor(async () => (await sender.post(delivery)).json.duplicate, { what: 'it to be remembered' });
  assert.equal(events.length, 0);
});

test('an endless body: 413 while it is coming, then the connection ends', async () => {
  const { sender, port } = await serve(alone);
  const { headers } = sender.delivery();
  const { socket, state } = await open(port, { ...headers, 'transfer-encoding': 'chunked' });
  const chunk = `${MIB.toString(16)}\r\n${' '.repeat(MIB)}\r\n`;
  const send = () => {
    if (!socket.destroyed) socket.write(chunk, send);
  };
  send();
  await answered(state, 413);
  await closed(state);
});

test('a body that is too long by less leaves the connection good', async () => {
  const { sender, port } = await serve(alone);
  const long = sender.delivery({ body: `{}${' '.repeat(BODY_MAX)}` });
  const { socket, state } = await open(port, { ...long.headers, 'content-length': long.body.length }, long.body);
  await answered(state, 413);
  const next = sender.delivery();
  const lines = Object.entries(next.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = `Content-Length: ${next.body.length}\r\n`;
  socket.write(`POST /webhooks HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}${length}\r\n${next.body}`);
  await waitFor(() => state.text.includes('HTTP/1.1 200 '), {
    what: 'the next delivery to be accepted', describe: () => state.text,
  });
  socket.destroy();
});
