// Secrets of webhooks are planted wherever they belong, and where people put them by mistake; then everything that
// comes out of two instances is searched for them, in every spelling. SPEC section 8: shown once, encrypted at rest,
// never logged.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { OtlpReceiver } from '../api/harness/otlp_receiver.js';
import { create } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { ServerProcess, runCommand } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { HostileServer } from './harness/hostile_servers.js';
import { NodeReceiver } from './harness/node_receiver.js';
import { WebhookApi, startWebhookStack } from './harness/webhook_server.js';

/** What out of a secret must be nowhere, by what it is. @type {Map<string, string[]>} */
const secrets = new Map();
/** What may be in a dump of the database and in answers to whoever manages webhooks, and nowhere else. @type {Map<string, string[]>} */
const urls = new Map();
/** What came out, by where. @type {Map<string, string>} */
const places = new Map();

/** Every spelling of some bytes, and of the text that they are written as. @param {Buffer} bytes @param {string} text */
function spellings(bytes, text) {
  const base64 = bytes.toString('base64');
  const unpadded = base64.replace(/=+$/, '');
  const asText = Buffer.from(text);
  return [
    ...new Set([
      text.replace(/^whsec_/, ''),
      base64,
      unpadded,
      bytes.toString('base64url'),
      encodeURIComponent(base64),
      encodeURIComponent(base64).toLowerCase(),
      base64.replaceAll('/', '\\/'),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('latin1'),
      asText.toString('hex'),
      asText.toString('base64').replace(/=+$/, '').slice(0, -2),
      asText.toString('base64url').slice(0, -2),
    ]),
  ];
}

/** @param {string} what @param {string} secret `whsec_…` */
function keep(what, secret) {
  secrets.set(`${what} (${secrets.size})`, spellings(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), secret));
  return secret;
}

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const collect = (place, text) => places.set(place, (places.get(place) ?? '') + text);

/** @param {ServerProcess} server that has ended */
function collectOutput(server) {
  collect('the log', String(server.stdout) + server.logs.map((line) => JSON.stringify(line)).join('\n'));
  collect('stderr', String(server.stderr));
}

/** An answer that must not hold one, kept with its headers. */
async function ask(webhooks, method, path, body) {
  const answer = await webhooks.ask(method, path, body);
  collect(answer.status >= 400 ? 'error answers' : 'answers', `${JSON.stringify(answer.headers)}\n${answer.text}\n`);
  return answer;
}

test('neither secrets nor keys come out anywhere, nor what a URL holds where nobody asked for it', async () => {
  const collector = await OtlpReceiver.start();
  const cluster = await PostgresCluster.start({ fsync: false });
  const receiver = await NodeReceiver.start();
  const closing = await HostileServer.start({ behave: (socket) => socket.resetAndDestroy() });
  const configured = keep('FLUXORA_WEBHOOK_SECRET', newSecret());
  const keys = [0, 1].map((index) => {
    const bytes = randomBytes(32);
    secrets.set(`key ${index} of WEBHOOK_SECRET_KEYS`, spellings(bytes, bytes.toString('base64')));
    return bytes.toString('base64');
  });
  const token = (what) => {
    const text = `planted-${what.replaceAll(' ', '-')}-${randomBytes(12).toString('hex')}`;
    urls.set(`the token in ${what}`, [
      text,
      Buffer.from(text).toString('base64').slice(0, -2),
      Buffer.from(text).toString('hex'),
    ]);
    return text;
  };
  const stack = await startWebhookStack({
    cluster,
    env: {
      LOG_LEVEL: 'debug',
      WEBHOOK_SECRET_KEYS: keys.join(','),
      WEBHOOK_RETRY_SCHEDULE: '1s',
      WEBHOOK_TIMEOUT_MS: '1000',
      FLUXORA_WEBHOOK_URL: receiver.url(`/configured/${token('configured-path')}?key=${token('configured-query')}`),
      FLUXORA_WEBHOOK_SECRET: configured,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
  });
  const second = await ServerProcess.start(stack.server.env);
  const { webhooks } = stack;
  const elsewhere = new WebhookApi(() => second.baseUrl);

  // Endpoints of all fates, whose secrets are shown once.
  const status = new Map();
  receiver.reply = ({ path }) => [...status].find(([prefix]) => path.startsWith(prefix))?.[1];
  status.set('/refuses', { status: 500, body: 'no' }).set('/gone', { status: 410 }).set('/hangs', { hang: true });
  status.set('/moves', { status: 302, headers: { location: receiver.url(`/next?key=${token('a redirect')}`) } });
  const made = [];
  for (const [index, path] of ['/takes', '/refuses', '/gone', '/hangs', '/moves'].entries()) {
    const api = index % 2 === 0 ? webhooks : elsewhere;
    const endpoint = await api.create({
      url: receiver.url(`${path}/${token(`path ${index}`)}?key=${token(`query ${index}`)}`),
    });
    keep('a created secret', endpoint.secret);
    made.push(endpoint);
  }
  const nobody = await webhooks.create({
    url: `${closing.url()}/${token('path of a reset')}?key=${token('query of a reset')}`,
  });
  keep('a created secret', nobody.secret);
  const away = await HostileServer.start({ behave: () => {} });
  const absent = await webhooks.create({
    url: `${away.url()}/${token('path of nobody')}?key=${token('query of nobody')}`,
  });
  keep('a created secret', absent.secret);
  await away.end();
  for (const [index, { id }] of made.entries())
    keep('a rotated secret', (await (index % 2 ? webhooks : elsewhere).rotate(id, 3_600)).secret);
  keep('a rotated secret', (await webhooks.rotate(made[0].id, 0)).secret);

  for (let i = 0; i < 6; i += 1) assert.equal((await create([stack, second][i % 2].baseUrl)).status, 201);
  await receiver.waitFor(new URL(made[0].url).pathname + new URL(made[0].url).search, 6);
  const logged = () => [...stack.server.logs, ...second.logs].some(({ event }) => event === 'webhook_dead_letter');
  await waitFor(logged, { what: 'a dead letter' });
  for (const { id } of [...made, nobody, absent]) {
    const { id: delivery } = await webhooks.test(id).catch(() => ({ id: undefined }));
    await ask(webhooks, 'GET', `/api/webhooks/endpoints/${id}`);
    await ask(elsewhere, 'GET', `/api/webhooks/endpoints/${id}/deliveries`);
    if (delivery !== undefined && id !== made[2].id) await webhooks.attempted(delivery);
    for (const one of await webhooks.deliveries(id)) await ask(webhooks, 'GET', `/api/webhooks/deliveries/${one.id}`);
  }
  await ask(webhooks, 'GET', '/api/webhooks/endpoints');
  await ask(webhooks, 'GET', '/admin/webhooks/dead-letters');

  // Mistakes: a secret where something else is asked for.
  const live = keep('a secret in requests', newSecret());
  const bare = encodeURIComponent(live);
  for (const [method, path, body] of [
    ['POST', '/api/webhooks/endpoints', { url: receiver.url('/a'), secret: live }],
    ['POST', '/api/webhooks/endpoints', { url: live }],
    ['POST', '/api/webhooks/endpoints', { url: `https://user:${live}@127.0.0.1/` }],
    ['POST', '/api/webhooks/endpoints', { url: `https://169.254.169.254/?key=${live}` }],
    [
      'POST',
      '/api/webhooks/endpoints',
      { url: receiver.url('/a'), events: [live], streamId: live, sender: live, recipient: live, [live]: 1 },
    ],
    ['POST', '/api/webhooks/endpoints', { url: receiver.url('/a'), description: live.repeat(20) }],
    ['PATCH', `/api/webhooks/endpoints/${made[0].id}`, { secret: live }],
    ['PATCH', `/api/webhooks/endpoints/${made[0].id}`, { url: `ftp://${live}` }],
    ['POST', `/api/webhooks/endpoints/${made[0].id}/rotate-secret`, { graceSeconds: live }],
    ['POST', `/api/webhooks/endpoints/${made[0].id}/rotate-secret`, { secret: live }],
    ['GET', `/api/webhooks/endpoints/${bare}`],
    ['GET', `/api/webhooks/endpoints?cursor=${bare}`],
    ['GET', `/api/webhooks/endpoints/${made[0].id}/deliveries?cursor=${bare}&state=${bare}`],
    ['GET', `/api/webhooks/deliveries/${bare}`],
    ['POST', `/api/webhooks/deliveries/${bare}/redeliver`],
    ['POST', '/api/webhooks/replay', { endpointId: live, after: live, through: live }],
    ['GET', `/api/webhooks/replay/${bare}`],
    ['POST', '/admin/webhooks/dead-letters/redeliver', { endpointId: live }],
  ]) {
    const answer = await ask(webhooks, method, path, body);
    assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path}: ${answer.status}`);
  }
  for (const { baseUrl } of [stack, second]) {
    for (const path of ['/metrics', '/health', '/health/ready', '/', '/openapi.json'])
      collect('pages', (await request(baseUrl + path)).text);
  }
  collect('the audit log', (await webhooks.ask('GET', '/admin/audit?limit=100')).text);

  // A server with other keys can't read them, and says so without them.
  const bytes = randomBytes(32);
  secrets.set('another key', spellings(bytes, bytes.toString('base64')));
  await second.stop();
  collectOutput(second);
  await second.restart({ WEBHOOK_SECRET_KEYS: bytes.toString('base64') });
  assert.equal((await create(second.baseUrl)).status, 201);

  // Starts that fail over them, a crash, and the database from outside.
  for (const [name, value] of [
    ['WEBHOOK_SECRET_KEYS', `${keys[0]},short`],
    ['WEBHOOK_SECRET_KEYS', keys[0].slice(0, -3)],
    ['FLUXORA_WEBHOOK_SECRET', `${configured.slice(0, -4)}????`],
    ['FLUXORA_WEBHOOK_SECRET', undefined],
    ['FLUXORA_WEBHOOK_URL', `ftp://${token('a bad URL')}`],
    ['FLUXORA_WEBHOOK_URL', `http://user:${live}@127.0.0.1/`],
  ]) {
    const { code, stdout, stderr } = await runCommand(['serve'], { ...stack.server.env, [name]: value });
    assert.notEqual(code, 0, `${name} is ${value}`);
    collect('failed starts', `${stdout}\n${stderr}\n`);
  }
  const checked = await runCommand(['check-config'], stack.server.env);
  assert.equal(checked.code, 0, checked.stderr);
  collect('check-config', checked.stdout + checked.stderr);
  stack.server.process?.kill('SIGABRT');
  await stack.server.exited;
  await stack.server.kill9();
  await second.stop();
  for (const server of [stack.server, second]) collectOutput(server);
  collect('exported spans', JSON.stringify(collector.spans));
  collect("PostgreSQL's log", String(cluster.output));
  const dump = execFileSync(
    join(cluster.programs, 'pg_dump'),
    ['--host', cluster.directory, '--port', String(cluster.port), '--username', 'fluxora', stack.db.name],
    { env: { ...process.env, PGPASSWORD: cluster.password }, encoding: 'latin1', maxBuffer: 256 * 1024 * 1024 },
  );

  assert.ok(
    dump.includes('webhook_endpoints') && dump.includes(new URL(made[0].url).pathname),
    'the dump has what it should have',
  );
  assert.ok(
    collector.spans.length > 10 && (places.get('the log') ?? '').length > 10_000,
    'there is something to search',
  );
  const found = [];
  const search = (wanted, place, text) => {
    for (const [what, forms] of wanted) {
      for (const [index, form] of forms.entries()) {
        const at = text.indexOf(form);
        if (at >= 0)
          found.push(`${what}, spelling ${index}, is in ${place}: ${text.slice(Math.max(0, at - 100), at)}…`);
      }
    }
  };
  for (const [place, text] of places) search(secrets, place, text);
  search(secrets, 'the dump', dump);
  // Who manages endpoints sees their URLs; nobody else does.
  for (const [place, text] of places) if (place !== 'answers') search(urls, place, text);
  console.log(
    `secrets: ${secrets.size} secrets and ${urls.size} parts of URLs searched for in ${places.size + 1} places`,
  );
  assert.deepEqual(found, []);
  await collector.end();
  await receiver.end();
  await closing.end();
  await cluster.end();
});
