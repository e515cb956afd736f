// Who may open a feed, for how long, and how many of them: SPEC section 6, Auth, for WebSocket and SSE alike.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { request, withQuery } from '../integration/harness/http_client.js';
import { runCommand } from '../integration/harness/server_process.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { UpgradeRefused, WsClient } from '../integration/harness/ws_client.js';
import { SSE_PATH, SseClient, SseRefused } from './harness/sse_client.js';

const SECRET = `planted-${randomBytes(24).toString('hex')}`;

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  stack = await startStack({
    simulator: false,
    server: {
      env: {
        WS_AUTH_REQUIRED: 'true',
        JWT_SECRET: SECRET,
        LOG_LEVEL: 'debug',
        WRITE_RATE_LIMIT: '0',
        TRUSTED_PROXIES: '127.0.0.1',
      },
    },
  });
});

const base64url = (value) => Buffer.from(value).toString('base64url');
const soon = (seconds) => Math.floor(Date.now() / 1000) + seconds;

function token(claims = {}, secret = SECRET) {
  const signed = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify({ sub: 'kim', ...claims }))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const bearer = (text) => ({ authorization: `Bearer ${text}` });

/** Both kinds of feeds, opened in the same words; `from` is nobody else's address. */
const KINDS = {
  WebSocket: {
    lines: 'ws',
    from: '192.0.2.101',
    open: (query, headers = {}, server = stack.server) => WsClient.open(withQuery(server.wsUrl, query), { headers }),
    isRefused: (error, status) => error instanceof UpgradeRefused && error.status === status && error,
  },
  SSE: {
    lines: 'sse',
    from: '192.0.2.102',
    open: (query, headers = {}, server = stack.server) => SseClient.open(server.baseUrl, query, { headers }),
    isRefused: (error, status) => error instanceof SseRefused && error.status === status && error,
  },
};

for (const [name, { open, isRefused, lines, from }] of Object.entries(KINDS)) {
  describe(name, () => {
    async function refused(status, query, headers, server) {
      try {
        const feed = await open(query, headers, server);
        feed.endNow();
      } catch (error) {
        const asked = JSON.stringify([query, headers]).slice(0, 200);
        assert.ok(isRefused(error, status), `${status} expected for ${asked}: ${error}`);
        assert.equal(error.headers['content-type'], 'application/problem+json');
        return { headers: error.headers, problem: JSON.parse(error.body) };
      }
      throw new Error(`let in: ${JSON.stringify([query, headers]).slice(0, 200)}`);
    }

    test('a good token opens it, from the header or the URL, whatever its scope', async () => {
      const good = [
        [{}, bearer(token({ exp: soon(600), scope: 'streams:write' }))],
        [{ token: token({ exp: soon(600) }) }, {}],
        [{ token: token({ nbf: soon(-600) }) }, {}],
        // The header is looked at first; what is there for others isn't ours.
        [{ token: 'x.y.z' }, bearer(token())],
        [{ token: token() }, { authorization: `Basic ${Buffer.from('user:password').toString('base64')}` }],
      ];
      for (const [query, headers] of good) (await open(query, headers)).endNow();
    });

    test('without one, or with one that isn’t good, it is 401 before anything else', async () => {
      const bad = [
        [{}, {}],
        [{ token: '' }, {}],
        [{ token: 'x.y.z' }, {}],
        [{ token: token({}, `${SECRET}x`) }, {}],
        [{ token: token({ exp: soon(-1) }) }, {}],
        [{ token: token({ nbf: soon(600) }) }, {}],
        [{ token: `${base64url('{"alg":"none"}')}.${base64url('{}')}.` }, {}],
        [{}, bearer('x.y.z')],
        [{}, { authorization: 'Bearer' }],
        [{}, { authorization: `Bearer ${token()} ${token()}` }],
        [{}, { authorization: `Basic ${Buffer.from('user:password').toString('base64')}` }],
        [{}, { 'x-api-key': `flx_0123456789abcdef_${'A'.repeat(43)}` }],
        [{ token: token() }, bearer('x.y.z')],
      ];
      for (const [query, headers] of bad) {
        const { headers: told, problem } = await refused(401, query, headers);
        assert.equal(problem.error, 'UNAUTHORIZED');
        assert.match(String(told['www-authenticate']), /^Bearer realm="fluxora"/);
      }
    });

    test('it ends with its token', async () => {
      const feed = await open({ token: token({ exp: soon(5) }) });
      if (name === 'WebSocket') {
        assert.equal((await feed.waitForClose()).code, 4001);
      } else {
        await feed.waitForEnd();
        assert.equal(feed.ended, 'end');
        assert.deepEqual([feed.events.at(-1).event, feed.events.at(-1).data.code], ['end', 'TOKEN_EXPIRED']);
      }
    });

    test('a token in the URL is in no log line', async () => {
      const shown = token({ jti: randomBytes(8).toString('hex') });
      (await open({ token: shown }, { 'x-forwarded-for': from })).endNow();
      const line = (isIt, what) => waitFor(() => stack.server.logs.find(isIt), { what });
      const told = await line(({ event, ip }) => event === 'request' && ip === from, 'the request’s line');
      const begun = await line(({ event, ip }) => event === `${lines}_connect` && ip === from, 'its beginning');
      const isEnd = ({ event, connectionId }) => event === `${lines}_disconnect` && connectionId === begun.connectionId;
      await line(isEnd, 'its end');
      const [, claims, signature] = shown.split('.');
      const text = JSON.stringify(stack.server.logs) + stack.server.stderr;
      assert.ok(!text.includes(claims) && !text.includes(signature));
      assert.ok(!JSON.stringify(told).includes('token'));
    });
  });
}

test('where nothing is at a path it is 404 at once, whoever asks', async () => {
  for (const path of ['/ws/other', '/ws', '/ws/streams/x', '/api/events/streams']) {
    const opened = WsClient.open(stack.baseUrl.replace('http', 'ws') + path);
    await assert.rejects(opened, (error) => Boolean(KINDS.WebSocket.isRefused(error, 404)), path);
    assert.equal((await stack.request(path)).status, 404, path);
  }
});

test('reads that aren’t feeds stay public', async () => {
  for (const path of ['/api/events', '/api/streams', '/health']) assert.equal((await stack.request(path)).status, 200);
});

test('WS_AUTH_REQUIRED without a secret doesn’t start', async () => {
  const { code, stderr } = await runCommand(['check-config'], { DATABASE_URL: stack.db.url, WS_AUTH_REQUIRED: 'true' });
  assert.notEqual(code, 0);
  assert.match(stderr, /JWT_SECRET must be set where WS_AUTH_REQUIRED is true/);
});

describe('without the flag', () => {
  test('a token is ignored, good or bad', async () => {
    const open = await startStack({ simulator: false, server: { env: { JWT_SECRET: SECRET } } });
    for (const text of [token({ exp: 1 }), 'nonsense', '']) {
      (await WsClient.open(`${open.wsUrl}?token=${text}`)).endNow();
      (await WsClient.open(open.wsUrl, { headers: bearer(text || 'x') })).endNow();
      (await SseClient.open(open.baseUrl, { token: text })).endNow();
    }
    await open.stop();
  });
});

describe('places of an address', () => {
  test('both kinds share them; the next is 429 with Retry-After, and another address isn’t counted', async () => {
    const few = await startStack({
      simulator: false,
      server: { env: { WS_MAX_CONNECTIONS_PER_IP: '2', TRUSTED_PROXIES: '127.0.0.1' } },
    });
    const from = (address) => ({ 'x-forwarded-for': address });
    const openAt = {
      WebSocket: (address) => WsClient.open(few.wsUrl, { headers: from(address) }),
      SSE: (address) => SseClient.open(few.baseUrl, {}, { headers: from(address) }),
    };
    const feeds = [await openAt.WebSocket('192.0.2.1'), await openAt.SSE('192.0.2.1')];
    for (const [kind, { isRefused }] of Object.entries(KINDS)) {
      await assert.rejects(openAt[kind]('192.0.2.1'), (error) => {
        assert.ok(isRefused(error, 429), String(error));
        assert.ok(Number(error.headers['retry-after']) > 0);
        assert.equal(JSON.parse(error.body).error, 'TOO_MANY_REQUESTS');
        return true;
      });
    }
    feeds.push(await openAt.SSE('192.0.2.2'));
    // Of an IPv6 network a host has all addresses.
    feeds.push(await openAt.WebSocket('2001:db8::1'), await openAt.SSE('2001:db8::2'));
    await assert.rejects(openAt.SSE('2001:db8::3'), (error) => Boolean(KINDS.SSE.isRefused(error, 429)));

    feeds[1].endNow();
    const again = () => openAt.WebSocket('192.0.2.1').catch(() => false);
    feeds.push(await waitFor(again, { what: 'the place to be free again' }));
    const head = await request(few.baseUrl + SSE_PATH, { method: 'HEAD', headers: from('192.0.2.2') });
    assert.equal(head.status, 200);
    feeds.forEach((feed) => feed.endNow());
    await few.stop();
  });
});
