// What no HTTP client would send, over raw sockets: each piece of nonsense gets the same answer every time, nothing is
// taken for a request that isn't one, and the server goes on. The shapes themselves are in tests/unit/net; here is what
// needs the whole server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { TERMS } from './harness/api_streams.js';
import { spawnBound } from './harness/child.js';
import { checkGrowth, residentBytes } from './harness/memory.js';
import { RawStream } from './harness/raw_stream.js';
import { parseResponse } from './harness/raw_http.js';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { serverProgram } from './harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from './harness/stack.js';
import { needsVectors, vectorPath } from './harness/vectors.js';
import { waitFor } from './harness/wait.js';

/** @type {import('./harness/stack.js').Stack} */
let stack;

before(async () => {
  stack = await startStack({ simulator: false, server: { env: { WRITE_RATE_LIMIT: '0' } } });
});

/** Sends the pieces one after the other, closes our side, and gives everything up to the server's end. */
async function talk(...pieces) {
  const stream = await RawStream.open(stack.server.port);
  for (const piece of pieces) {
    stream.send(piece);
    await new Promise((done) => { setImmediate(done); });
  }
  stream.halfClose();
  const text = await stream.toEnd();
  stream.destroy();
  return text;
}

const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** What is the same whenever the same is sent: all but the date and the request's id. */
function timeless(text) {
  const id = /^X-Request-Id: (.*)\r$/m.exec(text)?.[1] ?? 'none';
  return text.replace(/^Date: .*\r$/gm, 'Date: …').replaceAll(id, '…');
}

async function checkRefused(bytes, status, what) {
  const first = await talk(bytes);
  assert.deepEqual(statuses(first), [status], what);
  const answer = parseResponse(first);
  checkSecurityHeaders(answer.headers, what);
  assert.equal(answer.headers['content-type'], 'application/problem+json', what);
  for (let again = 0; again < 2; again += 1) assert.equal(timeless(await talk(bytes)), timeless(first), `${what}, again`);
  return JSON.parse(answer.body);
}

describe('parser cases from outside', () => {
  const FILE = 'http/picohttpparser_cases.json';
  // Where that parser takes more than RFC 9112 lets a server take. It leaves the decision to whoever uses it.
  const STRICTER = new Map([
    ['parse multiline', 'section 5.2: a server must refuse obsolete line folding, or replace it'],
    ['accept MSB chars', 'section 3.2: a request target is a URI, which is ASCII'],
    ['accept multiple spaces between tokens', 'section 3: one space; whoever splits otherwise sees another target'],
  ]);

  /** Responses are read by our client; tests/unit/net has those. */
  const served = (cases) => cases.filter(({ fn }) => fn !== 'test_response');

  test('requests: served, refused or waited for as RFC 9112 says', needsVectors, async () => {
    const cases = served(JSON.parse(readFileSync(vectorPath(FILE), 'utf8')));
    assert.ok(cases.length > 0);
    const stricter = new Set();
    for (const { fn, comment, raw, lastLen, expected } of cases) {
      const line = fn === 'test_headers' ? 'GET /health/live HTTP/1.1\r\n' : '';
      const bytes = Buffer.concat([Buffer.from(line), Buffer.from(raw, 'base64')]);
      const what = `${fn}: ${comment}: ${JSON.stringify(bytes.toString('latin1'))}`;
      // "slowloris": all but the last byte has been seen before the rest comes.
      const cut = lastLen === '0' ? bytes.length : bytes.length - 1;
      const answers = statuses(await talk(bytes.subarray(0, cut), bytes.subarray(cut)));
      if (expected === 'ok' && !STRICTER.has(comment)) {
        const target = bytes.toString('latin1').split(/ +/)[1];
        assert.deepEqual(answers, [target === '/hoge' ? 404 : 200], what);
      } else if (expected === 'incomplete' || !/\r\n\r\n/.test(bytes.toString('latin1'))) {
        // Nothing was asked yet, so there is nothing to answer: the end of our side is the end of the connection.
        assert.deepEqual(answers, [], what);
      } else {
        if (expected === 'ok') stricter.add(comment);
        assert.deepEqual(answers, [400], what);
      }
    }
    assert.deepEqual([...stricter].sort(), [...STRICTER.keys()].sort(), 'each exception is one');
    console.log(`vectors: ${FILE} ${cases.length} requests`);
  });
});

describe('headers that come twice', () => {
  const SINGLE = ['Host', 'Content-Length', 'Transfer-Encoding', 'Content-Type', 'Authorization', 'Origin', 'Expect',
    'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Access-Control-Request-Method', 'Idempotency-Key', 'X-API-Key',
    'X-Fluxora-Min-Version', 'X-Indexer-Worker-Token', 'Last-Event-ID'];
  const VALUES = { Host: ['a', 'b'], 'Content-Length': ['0', '1'], 'Transfer-Encoding': ['chunked', 'gzip'] };
  const LISTS = ['Accept', 'Accept-Encoding', 'Cache-Control', 'Connection', 'Cookie', 'Forwarded', 'If-Match', 'If-None-Match',
    'Pragma', 'TE', 'Via', 'X-Forwarded-For', 'X-Unknown'];
  const get = (...fields) => `GET /health/live HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

  test('one value decides something: 400 that names the header, also when both say the same', async () => {
    for (const name of SINGLE) {
      const [one, other] = VALUES[name] ?? ['x', 'y'];
      const host = name === 'Host' ? [] : ['Host: a'];
      for (const second of [`${name}: ${one}`, `${name.toLowerCase()}: ${other}`]) {
        const { detail } = await checkRefused(get(...host, `${name}: ${one}`, second), 400, `${name} twice`);
        assert.match(detail, new RegExp(name, 'i'));
      }
    }
  });

  test('lists and what nobody asks for may come on several lines', async () => {
    for (const name of LISTS) {
      assert.deepEqual(statuses(await talk(get('Host: a', `${name}: x`, `${name}: y`))), [200], name);
    }
  });

  test('two request ids are none', async () => {
    const { headers } = parseResponse(await talk(get('Host: a', 'X-Request-Id: one', 'X-Request-Id: two')));
    assert.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
  });
});

describe('targets', () => {
  const get = (target, method = 'GET') => `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

  test('all forms of RFC 9112 section 3.2, of which CONNECT’s is not served', async () => {
    assert.deepEqual(statuses(await talk(get('/health/live'))), [200]);
    assert.deepEqual(statuses(await talk(get('http://elsewhere:80/health/live'))), [200]);
    assert.deepEqual(statuses(await talk(get('*', 'OPTIONS'))), [204]);
    await checkRefused(get('elsewhere:443', 'CONNECT'), 400, 'authority form');
    await checkRefused(get('*'), 400, 'an asterisk');
  });

  test('escapes that say nothing, or what no text can hold, are 400', async () => {
    for (const path of ['/api/streams/%', '/api/streams/%4', '/api/streams/%zz', '/api/streams/%00', '/api/streams/%ff', '/api/streams/%c0%af',
      '/api/streams/%ed%a0%80', '/api/streams/%f4%90%80%80', '/api/streams/%e2%82']) {
      await checkRefused(get(path), 400, path);
      await checkRefused(get(path.replace('/%', '?status=%')), 400, `${path} in the query`);
      await checkRefused(get(path.replace('/%', '?%')), 400, `${path} as a name in the query`);
    }
    for (const text of ['%c3%a9', '%f0%9f%98%80', '%e2%82%ac']) assert.deepEqual(statuses(await talk(get(`/api/streams/${text}`))), [404], text);
  });

  test('no spelling of a path leads around what a proxy checks', async () => {
    for (const path of ['/health%2flive', '/health%2Flive', '/api/../health/live', '/./health/live', '//health/live', '/health//live', '/health/live/',
      '/health%5clive', '/health;/live', '/HEALTH/live', '/health/live%20', '/%2e/health/live']) {
      assert.deepEqual(statuses(await talk(get(path))), [404], path);
    }
  });
});

describe('chunked bodies', () => {
  const chunk = (bytes) => `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
  const post = (body, fields = '') => `POST /api/streams HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${body}`;
  /** All at once, a byte at a time, and cut within every line's end. */
  const arrivals = (bytes) => [[bytes], [...bytes], bytes.split(/(?<=\r)/)];
  const terms = JSON.stringify(TERMS);

  /** The one answer, however the bytes arrive. */
  async function answerTo(bytes, what) {
    const answers = [];
    for (const pieces of arrivals(bytes)) answers.push(await talk(...pieces));
    const first = parseResponse(answers[0]);
    for (const text of answers) assert.equal(parseResponse(text).status, first.status, what);
    if (first.status >= 400) for (const text of answers) assert.equal(timeless(text), timeless(answers[0]), what);
    return first;
  }

  test('are one body, wherever they are cut', async () => {
    const bodies = {
      'one chunk': chunk(terms) + '0\r\n\r\n',
      'a byte a chunk': `${[...terms].map(chunk).join('')}0\r\n\r\n`,
      'extensions': `${terms.length.toString(16)};a=b;c="d"\r\n${terms}\r\n0;last\r\n\r\n`,
      'upper case and zeros': `000${terms.length.toString(16).toUpperCase()}\r\n${terms}\r\n000\r\n\r\n`,
      'trailers, which mean nothing': `${chunk(terms)}0\r\nContent-Length: 3\r\nX-API-Key: flx_nobody\r\n\r\n`,
    };
    for (const [what, body] of Object.entries(bodies)) assert.equal((await answerTo(post(body), what)).status, 201, what);
  });

  test('that are malformed, or no JSON, get one answer wherever they are cut', async () => {
    const cut = terms.indexOf('sender') + 3;
    const bodies = [
      ['no size', '\r\nabc\r\n0\r\n\r\n'], ['a prefixed size', `0x3\r\nabc\r\n0\r\n\r\n`], ['a sign', '+3\r\nabc\r\n0\r\n\r\n'],
      ['a size that wraps around', 'ffffffffffffffff1\r\nabc\r\n0\r\n\r\n'], ['a bare LF', '3\nabc\r\n0\r\n\r\n'], ['more than its size', '3\r\nabcd\r\n0\r\n\r\n'],
      ['less than its size', '4\r\nabc\r\n0\r\n\r\n'], ['NUL in the size', '3\0\r\nabc\r\n0\r\n\r\n'],
      ['a NUL in the text', `${chunk('{"sender":"\0"}')}0\r\n\r\n`], ['half an UTF-8 character', `${chunk('{"sender":"\xc3')}${chunk('"}')}0\r\n\r\n`],
      ['a name twice, in two chunks', `${chunk(terms.slice(0, -1))}${chunk(',"sender":"G"}')}0\r\n\r\n`],
      ['half the object', `${chunk(terms.slice(0, cut))}0\r\n\r\n`], ['nothing', '0\r\n\r\n'],
    ];
    for (const [what, body] of bodies) {
      const answer = await answerTo(post(body), what);
      assert.equal(answer.status, 400, what);
      checkSecurityHeaders(answer.headers, what);
    }
    assert.equal((await answerTo(post('40001\r\n{', ''), 'too much')).status, 413);
  });
});

describe('connections', () => {
  const GET = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n';

  test('a half-closed socket gets its answers; half a request gets none', async () => {
    assert.deepEqual(statuses(await talk(GET.repeat(3))), [200, 200, 200]);
    assert.deepEqual(statuses(await talk(`${GET}GET /heal`)), [200]);
    assert.deepEqual(statuses(await talk('POST /api/streams HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')), []);
    assert.deepEqual(statuses(await talk('POST /api/streams HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal')), []);
    assert.equal(await talk(), '');
  });

  test('what is sent after a refused request is never taken for one', async () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Request-Id: smuggled\r\n\r\n';
    for (const head of ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
      'Transfer-Encoding: xchunked', 'Transfer-Encoding : chunked', 'Content-Length: 3\r\nContent-Length: 5', 'Content-Length: 0\r\n Transfer-Encoding: chunked',
      'Content-Length: 0\0', 'Transfer-Encoding: chunked\nX: y']) {
      await checkRefused(`POST /api/streams HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n0\r\n\r\n${smuggled}`, 400, head);
    }
    assert.ok(stack.server.logs.every(({ requestId }) => requestId !== 'smuggled'));
  });

  test('clients that ask and ask and read nothing, or send and never end, cost a bounded amount of memory', async () => {
    const flood = `GET /health/live HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4_000)}\r\n\r\n`.repeat(250);
    const endless = `POST /api/streams HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1;x=y\r\nx\r\n'.repeat(50_000)}`;
    const header = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(16_000)}`;
    const start = residentBytes(stack.server);
    const streams = [];
    for (let i = 0; i < 150; i += 1) {
      const stream = await RawStream.open(stack.server.port);
      stream.pause();
      stream.send([flood, endless, header][i % 3]);
      streams.push(stream);
      if (i % 10 === 9) assert.equal((await stack.request('/health/live')).status, 200, 'others are served meanwhile');
    }
    for (let i = 0; i < 50; i += 1) assert.equal((await stack.request('/health/live')).status, 200);
    // Of 150 clients that want a megabyte each, a body's limit and a head's are kept, and no answer that isn't read.
    checkGrowth(stack.server, start, 80);
    for (const stream of streams) stream.destroy();
  });
});

test('after all of that the server is the one that was started, and goes on', async () => {
  assert.ok(stack.server.running, 'it has ended');
  assert.equal((await stack.request('/health/live')).status, 200);
  assert.deepEqual(stack.server.logs.filter(({ event }) => event === 'network_trouble'), []);
  await stack.stop();
});

test('a soft limit on descriptors is raised to the hard one: each connection takes one', async () => {
  const db = await newDatabase();
  const shell = spawnBound('/bin/sh', ['-c', 'ulimit -Sn 64 && exec "$0" serve', serverProgram()], {
    env: { ...process.env, ...serverEnvironment(db, null) }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(shell, 'exit');
  let output = '';
  shell.stdout?.setEncoding('utf8').on('data', (text) => { output += text; });
  await waitFor(() => output.includes('"listening"'), { what: 'the server to listen', describe: () => output });
  const [, soft, hard] = /Max open files\s+(\d+)\s+(\d+)/.exec(readFileSync(`/proc/${shell.pid}/limits`, 'utf8')) ?? [];
  assert.equal(soft, hard);
  assert.notEqual(soft, '64');
  shell.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
