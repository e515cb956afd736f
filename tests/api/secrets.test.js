// Secrets are planted wherever people put them, on purpose and by mistake; then everything that comes out is searched.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { TERMS } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { exchange } from '../integration/harness/raw_http.js';
import { Horizon } from '../chain-sim/src/horizon.js';
import { ownHere } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { runCommand } from '../integration/harness/server_process.js';
import { ledgerHashes, post, sentEvent, startTaker } from '../integration/harness/sent_events.js';
import { newDatabase, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { WsClient } from '../integration/harness/ws_client.js';

const plant = (what) => `planted-${what}-${randomBytes(16).toString('hex')}`;
const JWT_SECRET = plant('jwt-secret');
const DB_PASSWORD = plant('database-password');
const RPC_PASSWORD = plant('rpc-key');
const COLLECTOR = plant('collector-token');
const HORIZON = plant('horizon-key');
const WORKER_TOKEN = plant('worker-token');
const BASIC = Buffer.from(`user:${plant('basic')}`).toString('base64');

/** Secret → the part of it that nobody else's text can hold. @type {Map<string, string>} */
const secrets = new Map([
  ['JWT_SECRET', JWT_SECRET],
  ['the database password', DB_PASSWORD],
  ['the RPC key', RPC_PASSWORD],
  ['the collector token', COLLECTOR],
  ['the Horizon key', HORIZON],
  ['the worker token', WORKER_TOKEN],
  ['a password of HTTP basic', BASIC],
]);
/** What came out, by where. @type {Map<string, string>} */
const places = new Map();

/** @type {PostgresCluster} */
let cluster;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {Horizon} */
let horizon;
/** @type {Awaited<ReturnType<typeof startTaker>>} */
let taker;
/** @type {string[]} */
const keys = [];

/** Of a key its secret part, of a token its signature: the rest is no secret. */
function keepKey(key) {
  keys.push(key);
  secrets.set(`API key ${keys.length}`, key.slice(21));
  return key;
}

function token(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  const signature = createHmac('sha256', JWT_SECRET).update(input).digest('base64url');
  secrets.set(`token ${secrets.size}`, signature);
  return `${input}.${signature}`;
}

const collect = (place, text) => places.set(place, (places.get(place) ?? '') + text);

/**
 * One request, whose answer is kept, headers and all but the client's own X-Request-Id. `shows`: its answer is the only
 * place where a secret may be.
 */
async function ask(path, { method = 'GET', headers = {}, body, shows = false } = {}) {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await request(stack.baseUrl + path, { method, headers: { ...type, ...headers }, body });
  const { 'x-request-id': _, ...kept } = answer.headers;
  if (!shows) collect('answers', `${JSON.stringify(kept)}\n${answer.text}\n`);
  return answer;
}

const bearer = (text) => ({ authorization: `Bearer ${text}` });
const admin = () => bearer(token({ sub: 'operator', scope: 'admin streams:write' }));

/** Takes what is exported. Its credential comes in a header, where it belongs. */
const collector = createServer((incoming, outgoing) => {
  incoming.setEncoding('utf8').on('data', (text) => collect('exported spans', text));
  incoming.on('end', () => outgoing.setHeader('content-type', 'application/json').end('{}'));
});

before(async () => {
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  ownHere(() => { collector.closeAllConnections(); collector.close(); });
  cluster = await PostgresCluster.start({ fsync: false });
  stack = await startStack({
    cluster,
    simulator: { seed: 'secrets', streams: 3 },
    server: {
      env: {
        LOG_LEVEL: 'debug',
        AUTH_REQUIRED: 'true',
        WS_AUTH_REQUIRED: 'true',
        JWT_SECRET,
        INDEXER_WORKER_TOKEN: WORKER_TOKEN,
        WRITE_RATE_LIMIT: '0',
        CORS_ORIGINS: 'https://app.example',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${COLLECTOR}`,
      },
    },
  });
  await stack.db.rows(`CREATE ROLE planted LOGIN SUPERUSER PASSWORD '${DB_PASSWORD}'`);
  const url = new URL(stack.db.url);
  url.username = 'planted';
  url.password = DB_PASSWORD;
  horizon = await Horizon.start(stack.sim);
  ownHere(() => horizon.stop());
  // A provider's key in the RPC's address, and in Horizon's; the simulator answers at every path.
  await stack.server.restart({
    DATABASE_URL: String(url),
    STELLAR_RPC_URL: `${stack.sim.url.replace(/\/$/, '')}/${RPC_PASSWORD}?key=${RPC_PASSWORD}`,
    HORIZON_URL: `${horizon.url}/?key=${HORIZON}`,
    HORIZON_POLL_MS: '20',
  });
  const db = await newDatabase({ cluster });
  taker = await startTaker(stack.sim.contractId, { LOG_LEVEL: 'debug', INDEXER_WORKER_TOKEN: WORKER_TOKEN }, db);
  stack.runScenario(2, { actionsPerLedger: 3 });
  stack.sim.closeLedger();
});

/** Everything that there is to ask, with a credential of each kind, where it belongs and where it doesn't. */
async function makeNoise() {
  const made = await ask('/admin/api-keys', {
    method: 'POST',
    headers: admin(),
    body: JSON.stringify({ name: 'partner', scopes: ['streams:write'] }),
    shows: true,
  });
  assert.equal(made.status, 201, made.text);
  const key = keepKey(made.json.key);
  const command = await runCommand(['keys', 'create', '--name', 'operator', '--scope', 'admin'], {
    DATABASE_URL: stack.server.env.DATABASE_URL,
  });
  const operator = keepKey(JSON.parse(command.stdout).key);
  collect('stderr of commands', command.stderr);

  // First of all, since denials are recorded up to a number: a key as a request's id, which logs and records show.
  await ask('/admin/audit', { headers: { 'x-request-id': key } });
  await ask('/api/streams', {
    method: 'POST',
    headers: { 'x-api-key': key, 'x-request-id': key },
    body: JSON.stringify(TERMS),
  });

  const { json: stream } = await ask('/api/streams', {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: JSON.stringify(TERMS),
  });
  for (const credentials of [
    { 'x-api-key': key },
    { 'x-api-key': operator },
    admin(),
    bearer(token({ scope: '', exp: 1 })),
    bearer(`${key}.a.b`),
    { authorization: `Basic ${BASIC}` },
    { authorization: key },
    { 'x-api-key': JWT_SECRET },
    { 'x-indexer-worker-token': WORKER_TOKEN },
    { 'x-indexer-worker-token': `${WORKER_TOKEN}x` },
    { 'x-api-key': WORKER_TOKEN },
    bearer(WORKER_TOKEN),
    { ...admin(), 'x-indexer-worker-token': WORKER_TOKEN },
    { 'x-api-key': `${key}x` },
    { ...admin(), 'x-api-key': key },
  ]) {
    for (const path of [
      '/',
      '/health',
      '/health/ready',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/api/streams',
      `/api/streams/${stream.id}`,
      '/api/events',
      '/api/events/stream',
      `/api/streams/${stack.streamId(0)}/proof`,
      '/api/streams/export',
      '/admin/api-keys',
      '/admin/audit',
      '/ws/streams',
      '/nothing',
    ]) {
      await ask(path, { headers: credentials });
    }
    await ask(`/api/streams/${stream.id}`, { method: 'PATCH', headers: credentials, body: '{"status":"paused"}' });
    await ask('/api/streams', { method: 'POST', headers: credentials, body: '{"sender":' });
  }

  // Mistakes: in a path, in a query, in headers that are for something else, in a body.
  for (const [path, headers] of [
    [`/${key}`, {}],
    [`/${token({ scope: 'admin' })}`, {}],
    [`/api/streams/${token({ scope: 'admin' })}/events`, {}],
    [`/admin/api-keys/${token({ scope: 'admin' })}`, admin()],
    [`/api/streams?token=${token({})}&${token({})}=1&status=${token({})}&limit=${token({})}`, {}],
    [`/api/events?streamId=${token({})}&event=${key}&${key}=1`, {}],
    [`/api/streams/${key}`, {}],
    [`/admin/api-keys/${key}`, admin()],
    [`/api/streams?key=${key}`, {}],
    [`/api/streams?api_key=${key}&cursor=${key}&status=${key}&sender=${key}`, {}],
    ['/api/streams', { 'x-request-id': key }],
    ['/admin/audit', { 'x-request-id': key }],
    [
      '/api/streams',
      {
        'user-agent': key,
        referer: `https://a.example/?${key}`,
        cookie: `key=${key}`,
        origin: `https://${key}.example`,
      },
    ],
    [
      '/api/streams',
      {
        'x-forwarded-for': key,
        'if-none-match': key,
        'x-fluxora-min-version': key,
        accept: key,
        traceparent: key,
        tracestate: `a=${key}`,
      },
    ],
    ['/api/events', { 'last-event-id': key }],
    ['/api/events/stream', { ...bearer(token({})), 'last-event-id': key }],
    [`/api/events/stream?token=${token({})}&event=${key}`, {}],
    [`/api/events/stream?token=${token({})}`, {}],
    [`/api/events/stream?token=${token({ exp: 1 })}`, {}],
    [`/ws/streams?token=${token({})}`, {}],
  ]) {
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) await ask(path, { method, headers });
  }
  for (const [query, headers] of [
    [`?token=${token({})}`, {}],
    ['', bearer(token({}))],
    [`?token=${key}`, bearer(token({}))],
  ]) {
    const socket = await WsClient.open(stack.wsUrl + query, { headers });
    socket.send(`{"type":"subscribe","streamId":"${key}"}`);
    await socket.barrier();
    await socket.close();
  }
  for (const body of [
    key,
    `{"${key}":1}`,
    `{"sender":"${key}","recipient":"${key}","depositAmount":"${key}","ratePerSecond":"${key}"}`,
    `{"name":"${key}","scopes":["${key}"]}`,
  ]) {
    await ask('/api/streams', { method: 'POST', headers: admin(), body });
    await ask('/admin/api-keys', {
      method: 'POST',
      headers: admin(),
      body: body.replace('name', 'title'),
    });
  }
  for (const bytes of [
    `${key}\r\n\r\n`,
    `GET /${key} HTTP/9.9\r\n\r\n`,
    `${key} /api/streams HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `${token({ scope: 'admin' })} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nX-API-Key: ${operator}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token({ scope: 'admin' })}\r\nContent-Length: x\r\n\r\n`,
  ]) {
    collect('answers', await exchange(stack.server.port, bytes));
  }

  await sendEvents();

  // Trouble: Horizon, the RPC and the database go away while they are used.
  const nextLook = async () => {
    const { looks } = horizon;
    await waitFor(() => horizon.looks > looks + 1, { what: 'Horizon to be looked at' });
  };
  await nextLook();
  for (const trouble of [{ status: 503 }, { served: { network_passphrase: 5 } }]) {
    Object.assign(horizon, { status: 200, served: {} }, trouble);
    await nextLook();
    for (const path of ['/health', '/metrics']) await ask(path);
    await ask('/admin/indexer', { headers: admin() });
  }
  await horizon.stop();
  await stack.server.waitForLog(({ event }) => event === 'horizon_unavailable', 'Horizon to be missed');
  for (const kind of ['http', 'rpcError', 'reset', 'garbage']) stack.sim.faults.add({ kind, count: 2 });
  for (let i = 0; i < 4; i += 1) await ask(`/api/streams/${stack.streamId(0)}/proof`);
  stack.sim.faults.clear();
  await cluster.stop('immediate');
  for (const path of ['/api/streams', '/health', '/admin/api-keys', '/admin/audit', '/metrics'])
    await ask(path, { headers: { 'x-api-key': operator } });
  await ask('/api/streams', { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(TERMS) });
  await cluster.start();
  await waitFor(async () => (await request(`${stack.baseUrl}/health/ready`)).status === 200, {
    what: 'the database again',
  });
}

/** Events of the chain with the worker token: to a server that takes them, in whole and wrong, and to the one that reads the chain. */
async function sendEvents() {
  await stack.waitForLedger();
  const hashes = await ledgerHashes(stack.db);
  const [item] = stack.sim.events().filter(({ ledger, contractId }) => contractId === stack.sim.contractId && hashes.has(ledger));
  const event = sentEvent(item, hashes.get(item.ledger));
  const sent = { 'x-indexer-worker-token': WORKER_TOKEN };
  for (const [server, body, headers, status] of [
    [taker.server, { events: [event] }, sent, 200],
    [taker.server, { events: [{ ...event, ledgerHash: 'zz' }] }, sent, 400],
    [taker.server, { events: [event] }, { 'x-indexer-worker-token': `${WORKER_TOKEN}x` }, 401],
    [taker.server, { events: [event] }, { ...sent, authorization: `Bearer ${WORKER_TOKEN}` }, 400],
    [taker.server, { events: [event] }, { 'x-api-key': WORKER_TOKEN }, 401],
    [stack.server, { events: [event] }, sent, 409],
  ]) {
    const answer = await post(server, body, headers);
    assert.equal(answer.status, status, answer.text);
    collect('answers', `${JSON.stringify(answer.headers)}\n${answer.text}\n`);
  }
  for (const path of ['/health', '/metrics']) collect('answers', (await request(taker.server.baseUrl + path)).text);
  const records = await taker.db.rows('SELECT row_to_json(audit_log)::text AS text FROM audit_log');
  assert.ok(records.some(({ text }) => text.includes('chain.ingest')));
  collect('the audit log of sent events', records.map(({ text }) => text).join('\n'));
}

/** Commands and starts that go wrong, each over a secret. */
async function failToStart() {
  const { env } = stack.server;
  const url = String(env.DATABASE_URL);
  const attempts = [
    [['check-config'], env],
    [['--help'], env],
    [['version'], env],
    [['nonsense', JWT_SECRET.slice(0, 7)], env],
    [['check-config'], { ...env, JWT_SECRET: JWT_SECRET.slice(0, 20) }],
    [['serve'], { ...env, PORT: 'x', CORS_ORIGINS: '*', AUTH_REQUIRED: 'perhaps' }],
    [['serve'], { ...env, DATABASE_URL: url.replace(/:\d+\//, ':1/') }],
    [['serve'], { ...env, DATABASE_URL: url.replace('planted:', 'nobody:') }],
    [['serve'], { ...env, DATABASE_URL: url.replace(/\/[^/]*$/, '/nowhere') }],
    [['serve'], { ...env, DATABASE_URL: `${url}?nonsense=${DB_PASSWORD}` }],
    [['serve'], { ...env, DATABASE_URL: url.replace('@', '@@[') }],
    [['serve'], { ...env, DATABASE_URL: url.replace('postgres:', 'mysql:') }],
    [['serve'], { ...env, STELLAR_RPC_URL: `http://user:${RPC_PASSWORD}@127.0.0.1/` }],
    [['serve'], { ...env, STELLAR_RPC_URL: `ftp://${RPC_PASSWORD}` }],
    [['serve'], { ...env, HORIZON_URL: `http://user:${HORIZON}@127.0.0.1/` }],
    [['serve'], { ...env, HORIZON_URL: `ftp://${HORIZON}` }],
    [['serve'], { ...env, INDEXER_WORKER_TOKEN: `${WORKER_TOKEN} and more` }],
    [['serve'], { ...env, OTEL_EXPORTER_OTLP_HEADERS: `no pair ${COLLECTOR}`, PORT: 'x' }],
    [['migrate'], { ...env, DATABASE_URL: url.replace('planted:', 'nobody:') }],
    [['keys', 'list'], { ...env, DATABASE_URL: url.replace(/:\d+\//, ':1/') }],
    [['keys', 'revoke', keys[0]], env],
  ];
  let failed = 0;
  for (const [args, environment] of attempts) {
    const { code, stdout, stderr } = await runCommand(args, environment);
    if (code !== 0) failed += 1;
    collect(`output of ${args[0]}`, `${stdout}\n${stderr}\n`);
  }
  assert.ok(failed >= 15, `only ${failed} of ${attempts.length} failed`);
}

/** What `pg_dump` writes of the database. */
function dump() {
  return execFileSync(
    join(cluster.programs, 'pg_dump'),
    ['--host', cluster.directory, '--port', String(cluster.port), '--username', 'planted', stack.db.name],
    {
      env: { ...process.env, PGPASSWORD: DB_PASSWORD },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
}

test('a dump of the database holds hashes of keys, and nothing else of them', async () => {
  await makeNoise();
  const text = dump();
  collect('the dump', text);
  assert.ok(text.length > 20_000 && text.includes('audit_log'));
  for (const key of keys) {
    assert.ok(text.includes(createHash('sha256').update(key.slice(21)).digest('hex')), 'the hash');
    assert.ok(text.includes(key.slice(4, 20)), 'the id');
  }
});

test('nothing that comes out of the server holds one', async () => {
  await failToStart();
  collect('the command line', readFileSync(`/proc/${stack.server.process?.pid}/cmdline`, 'utf8'));
  collect("PostgreSQL's log", String(cluster.output));
  await stack.stop();
  await taker.server.stop();
  for (const server of [stack.server, taker.server]) {
    collect('the log', String(server.stdout) + server.logs.map((line) => JSON.stringify(line)).join('\n'));
    collect('stderr', String(server.stderr));
  }
  await cluster.end();

  assert.ok(stack.server.logs.length > 200, `only ${stack.server.logs.length} lines`);
  assert.ok((places.get('answers') ?? '').length > 100_000, 'the answers are there');
  assert.ok((places.get('exported spans') ?? '').length > 10_000, 'the spans are there');
  const found = [];
  for (const [place, text] of places) {
    for (const [what, secret] of secrets)
      if (text.includes(secret)) found.push(`${what} is in ${place}: ${around(text, secret)}`);
  }
  console.log(
    `secrets: ${secrets.size} searched for in ${places.size} places, ${[...places.values()].join('').length} bytes`,
  );
  assert.deepEqual(found, []);
});

/** Where it was found, without what was found. */
function around(text, secret) {
  const at = text.indexOf(secret);
  return `${text.slice(Math.max(0, at - 120), at)}…${text.slice(at + secret.length, at + secret.length + 60)}`;
}
