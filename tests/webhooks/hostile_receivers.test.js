// Receivers that hang, reset, drip, flood, lie and misdirect: what each attempt comes to, that others don't notice, and
// that the server stays as small as it was. SPEC section 8.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { create } from '../integration/harness/api_streams.js';
import { checkGrowth, residentBytes } from '../integration/harness/memory.js';
import { waitFor } from '../integration/harness/wait.js';
import { HostileServer, TestCertificates, drip, flood } from './harness/hostile_servers.js';
import { NodeReceiver } from './harness/node_receiver.js';
import { startWebhookStack } from './harness/webhook_server.js';

const TIMEOUT_MS = 2_000;
const MEBIBYTE = 1024 * 1024;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const head = (lines) => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`;

/** @type {Awaited<ReturnType<typeof startWebhookStack>>} */
let stack;
/** @type {NodeReceiver} */
let good;
/** @type {TestCertificates} */
let certificates;
before(async () => {
  certificates = new TestCertificates();
  good = await NodeReceiver.start();
  stack = await startWebhookStack({
    env: {
      WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS),
      WEBHOOK_RETRY_SCHEDULE: '1h',
      WEBHOOK_CA_FILE: certificates.authority,
    },
  });
  await stack.webhooks.create({ url: good.url('/good'), events: ['stream.created'] });
});
after(async () => {
  await stack.stop();
  await good.end();
  await certificates.end();
});

/** The first recorded attempt of a test delivery to that URL, and the delivery. @param {string} url */
async function firstAttempt(url) {
  const endpoint = await stack.webhooks.create({ url });
  const { id } = await stack.webhooks.test(endpoint.id);
  const delivery = await stack.webhooks.attempted(id);
  await stack.webhooks.remove(endpoint.id);
  return { delivery, attempt: delivery.attempts[0] };
}

/** An answer with that status, whatever happened to its body. */
const answered = (status) => ({ status, errors: [null], state: status < 300 ? 'delivered' : 'waiting' });
/** No answer, and why: one of these. */
const failed = (...errors) => ({ status: null, errors, state: 'waiting' });

/** @param {any} delivery @param {any} attempt @param {ReturnType<typeof answered> | ReturnType<typeof failed>} expected */
function expectOutcome(delivery, attempt, { status, errors, state }) {
  assert.deepEqual([attempt.status, delivery.state], [status, state], JSON.stringify(attempt));
  assert.ok(errors.includes(attempt.error), JSON.stringify(attempt));
  if (status === null) assert.ok(attempt.detail.length > 0, 'it is said what went wrong');
}

/** @type {[string, Partial<ConstructorParameters<typeof HostileServer>[0]>, ReturnType<typeof answered> | ReturnType<typeof failed>][]} */
const CASES = [
  ['takes the connection and says nothing', { connected: () => {} }, failed('timed_out')],
  ['hangs before the head', { behave: () => {} }, failed('timed_out')],
  ['hangs in the status line', { behave: (socket) => socket.write('HTTP/1.1 20') }, failed('timed_out')],
  ['hangs in the head', { behave: (socket) => socket.write('HTTP/1.1 200 OK\r\nX-A: b\r\n') }, failed('timed_out')],
  ['hangs after the head', { behave: (socket) => socket.write(head('Content-Length: 100')) }, answered(200)],
  ['hangs in the body', { behave: (socket) => socket.write(`${head('Content-Length: 100')}half`) }, answered(200)],
  // Whether there was a connection before it was reset is a matter of moments.
  [
    'resets the connection at once',
    { connected: (socket) => socket.resetAndDestroy() },
    failed('protocol_failed', 'connect_failed'),
  ],
  ['resets it after the request', { behave: (socket) => socket.resetAndDestroy() }, failed('protocol_failed')],
  ['closes it after the request', { behave: (socket) => socket.end() }, failed('protocol_failed')],
  ['closes it in the head', { behave: (socket) => socket.end('HTTP/1.1 200 OK\r\nX-') }, failed('protocol_failed')],
  ['closes it in the body', { behave: (socket) => socket.end(`${head('Content-Length: 100')}half`) }, answered(200)],
  [
    'resets it in the body',
    {
      behave: (socket) =>
        socket.write(`${head('Content-Length: 100')}half`, () => setTimeout(() => socket.resetAndDestroy(), 50)),
    },
    answered(200),
  ],
  ['answers byte by byte', { behave: (socket) => drip(socket, OK, 5) }, answered(200)],
  [
    'answers byte by byte for ever',
    { behave: (socket) => drip(socket, `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(10_000)}`, 20) },
    failed('timed_out'),
  ],
  [
    'answers 10 MB',
    { behave: (socket) => socket.end(`${head(`Content-Length: ${10 * MEBIBYTE}`)}${'x'.repeat(10 * MEBIBYTE)}`) },
    answered(200),
  ],
  [
    'answers 10 MB of failure',
    {
      behave: (socket) =>
        socket.end(`HTTP/1.1 500 Oh\r\nContent-Length: ${10 * MEBIBYTE}\r\n\r\n${'x'.repeat(10 * MEBIBYTE)}`),
    },
    answered(500),
  ],
  [
    'answers without an end',
    {
      behave: (socket) => {
        socket.write(head('Transfer-Encoding: chunked'));
        flood(socket, `10000\r\n${'y'.repeat(65_536)}\r\n`);
      },
    },
    answered(200),
  ],
  [
    'sends a head without an end',
    {
      behave: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        flood(socket, `X-A: ${'h'.repeat(4_000)}\r\n`);
      },
    },
    failed('protocol_failed'),
  ],
  ['sends a line without an end', { behave: (socket) => flood(socket, 'H'.repeat(65_536)) }, failed('protocol_failed')],
  [
    'says 100 and 103 before it answers',
    {
      behave: (socket) =>
        socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`),
    },
    answered(200),
  ],
  [
    'speaks something else',
    { connected: (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n') },
    failed('protocol_failed'),
  ],
  ['answers without a head', { behave: (socket) => socket.end('<html>hello</html>') }, failed('protocol_failed')],
  [
    'has an impossible length',
    { behave: (socket) => socket.end(`${head('Content-Length: -5')}ok`) },
    failed('protocol_failed'),
  ],
  [
    'misdirects to a metadata service',
    {
      behave: (socket) =>
        socket.end(
          'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n',
        ),
    },
    answered(302),
  ],
  [
    'asks for a password',
    {
      behave: (socket) =>
        socket.end('HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'),
    },
    answered(401),
  ],
  ['answers twice', { behave: (socket) => socket.write(`${OK}${OK}`) }, answered(200)],
];

describe('one bad way after the other', () => {
  for (const [what, options, expected] of CASES) {
    test(`a receiver that ${what}`, async () => {
      const server = await HostileServer.start({ behave: () => {}, ...options });
      const { delivery, attempt } = await firstAttempt(server.url());
      expectOutcome(delivery, attempt, expected);
      assert.ok(Buffer.byteLength(attempt.response ?? '') <= 1_024);
      await server.end();
    });
  }

  test('nobody there', async () => {
    const server = await HostileServer.start({ behave: () => {} });
    const url = server.url();
    await server.end();
    const { attempt } = await firstAttempt(url);
    assert.deepEqual([attempt.status, attempt.error], [null, 'connect_failed']);
  });

  test('a redirect to a server of ours: nobody comes there', async () => {
    const trap = await HostileServer.start({ behave: (socket) => socket.end(OK) });
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await HostileServer.start({
        behave: (socket) =>
          socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${trap.url()}\r\nContent-Length: 0\r\n\r\n`),
      });
      const { attempt } = await firstAttempt(server.url());
      assert.deepEqual([attempt.status, attempt.error], [status, null]);
      await server.end();
    }
    assert.equal(trap.connections, 0);
    await trap.end();
  });

  test('connections that are closed between two requests cost no delivery', async () => {
    // Each connection has one answer with keep-alive, and goes away when the next request comes.
    const server = await HostileServer.start({
      behave: (socket, request) => (request === 1 ? socket.write(OK) : socket.destroy()),
    });
    const endpoint = await stack.webhooks.create({ url: server.url() });
    for (let i = 0; i < 10; i += 1) {
      const { id } = await stack.webhooks.test(endpoint.id);
      const { attempts } = await stack.webhooks.reaches(id, 'delivered');
      assert.deepEqual(
        attempts.map(({ status }) => status),
        [200],
        'a kept connection that is gone is no failure of the receiver',
      );
    }
    await stack.webhooks.remove(endpoint.id);
    await server.end();
  });
});

describe('certificates', () => {
  const tlsCases = [
    ['of our authority, for this host', {}, answered(200)],
    ['that has expired', { expired: true }, failed('tls_failed')],
    ['for another host', { host: 'DNS:receiver.example' }, failed('tls_failed')],
    ['that nobody signed', { selfSigned: true }, failed('tls_failed')],
  ];
  for (const [index, [what, options, expected]] of tlsCases.entries()) {
    test(`one ${what}`, async () => {
      const tls = certificates.make({ name: `receiver-${index}`, ...options });
      const server = await HostileServer.start({ tls, behave: (socket) => socket.write(OK) });
      const { delivery, attempt } = await firstAttempt(server.url());
      expectOutcome(delivery, attempt, expected);
      assert.equal(server.requests, expected.status === 200 ? 1 : 0, 'nothing is sent to whom nobody vouches for');
      await server.end();
    });
  }

  test('none: a receiver that speaks no TLS', async () => {
    const server = await HostileServer.start({
      behave: () => {},
      connected: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    });
    const { attempt } = await firstAttempt(server.url().replace('http:', 'https:'));
    assert.deepEqual([attempt.status, attempt.error], [null, 'tls_failed']);
    await server.end();
  });
});

test('all of them at once: a good receiver gets everything meanwhile, and the server stays as it was', async () => {
  const STREAMS = 40;
  const servers = await Promise.all(CASES.map(([, options]) => HostileServer.start({ behave: () => {}, ...options })));
  const endpoints = [];
  for (const server of servers)
    endpoints.push(await stack.webhooks.create({ url: server.url(), events: ['stream.created'] }));
  const begun = good.deliveries.length;
  const before = residentBytes(stack.server);
  for (let i = 0; i < STREAMS; i += 1) assert.equal((await create(stack.baseUrl)).status, 201);
  await good.waitFor('/good', begun + STREAMS);
  assert.equal(good.deliveries.length, begun + STREAMS);
  const rows = (what) =>
    stack.db.rows(`SELECT endpoint, count(*)::int AS count FROM ${what} WHERE endpoint = ANY($1) GROUP BY 1`, [
      endpoints.map(({ id }) => id),
    ]);
  await waitFor(async () => (await rows('webhook_attempts')).length === endpoints.length, {
    what: 'each of the bad ones to be tried',
  });
  checkGrowth(stack.server, before, 64);
  // Of what they don't take nothing is lost, and nothing of it is done with: the schedule's pause is an hour.
  assert.deepEqual([...new Set((await rows('webhook_deliveries')).map(({ count }) => count))], [STREAMS]);
  // A busy machine may let a good answer come too late; a bad one never becomes a good one.
  const bad = endpoints.filter((_, index) => CASES[index][2].state !== 'delivered').map(({ id }) => id);
  const taken = 'SELECT endpoint FROM webhook_deliveries WHERE endpoint = ANY($1) AND state <> 0';
  assert.deepEqual(await stack.db.rows(taken, [bad]), []);
  for (const server of servers) await server.end();
});
