// Endpoints anybody may make must not reach what only the server can reach: by no spelling of an address and by no name,
// whatever its lookups say. Every connect() of the process is written down. SPEC section 8, "Delivery".
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { create } from '../integration/harness/api_streams.js';
import { serverProgram } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { NodeReceiver } from './harness/node_receiver.js';
import { startWebhookStack } from './harness/webhook_server.js';

const SHIM = resolve(dirname(serverProgram()), '../../tests/webhooks/rebinding/libfluxora_rebinding.so');
/** What stands for the public Internet: connections to it end at the receiver here. */
const PUBLIC_ADDRESS = '8.8.8.8';

/** Where names lead. */
const ADDRESSES = `127.0.0.1 127.0.0.2 127.255.255.254 0.0.0.0 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200
  168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1
  198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1
  ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1
  2001:0:7f00:1::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254
  fe80::1 fe80::a9fe:a9fe fec0::1 ff02::1`.split(/\s+/);

/** The same in URLs, and ways to write it that some resolver or parser takes for it. */
const SPELLINGS = [
  ...`127.0.0.1 127.0.0.2 127.1 127.0.1 0177.0.0.1 0x7f.0.0.1 0x7f.1 0X7F.0X0.0X0.0X1 2130706433 017700000001 0x7f000001
  127.0.0.1. 127.0.0.01 00000177.0.0.1 4294967297 localhost LOCALHOST localhost. a.localhost %31%32%37.0.0.1
  127%2e0.0.1 0.0.0.0 0 0x0 255.255.255.255 4294967295 224.0.0.1 240.0.0.1 10.0.0.1 10.1 012.0.0.1 0xa000001 167772161
  172.16.0.1 192.168.0.1 192.168.257 0300.0250.0.1 3232235521 100.64.0.1 100.100.100.200 169.254.169.254
  169.254.43518 2852039166 0xa9fea9fe 0251.0376.0251.0376 0251.254.0xa9fe 168.63.129.16 192.0.0.192 198.18.0.1
  [::] [::1] [0:0:0:0:0:0:0:1] [::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:169.254.169.254] [::ffff:a9fe:a9fe]
  [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::169.254.169.254] [64:ff9b:1::a00:1] [2002:7f00:1::]
  [2002:a9fe:a9fe::1] [2001:0:7f00:1::1] [fe80::1] [fe80::1%25lo] [fe80::1%lo] [fc00::1] [fd00:ec2::254] [ff02::1]
  ⑯⑨.254.169.254 ①②⑦.0.0.1 127。0。0。1 １２７.0.0.1 user@127.0.0.1 user:password@127.0.0.1
  8.8.8.8@127.0.0.1 8.8.8.8:80@127.0.0.1 8.8.8.8\\@127.0.0.1 127.0.0.1\\@8.8.8.8 8.8.8.8#@127.0.0.1`.split(/\s+/),
];

/** @type {Awaited<ReturnType<typeof startWebhookStack>>} */
let stack;
/** @type {NodeReceiver} */
let receiver;
/** @type {string} */
let folder;
/** Host names by kind: what rebinding.cpp answers their lookups with. @type {Record<string, string[]>} */
const names = Object.fromEntries(
  ['bad', 'turn', 'back', 'mixed'].map((kind) => [kind, ADDRESSES.map((_, n) => `${kind}-${n}.rebind.test`)]),
);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fluxora-ssrf-'));
  receiver = await NodeReceiver.start();
  stack = await startWebhookStack({
    env: {
      LD_PRELOAD: SHIM,
      REBINDING_ADDRESSES: ADDRESSES.join(','),
      REBINDING_LOG: join(folder, 'connections'),
      WEBHOOK_HTTP_HOSTS: Object.values(names).flat().join(','),
      WEBHOOK_PRIVATE_NETWORKS: undefined,
      WEBHOOK_RETRY_SCHEDULE: '1h',
    },
  });
});
after(async () => {
  await stack.stop();
  await receiver.end();
  rmSync(folder, { recursive: true });
});

/** "8.8.8.8 4000" of every connect() so far but those to the database. */
function connections() {
  const { port } = new URL(stack.db.url);
  const lines = readFileSync(join(folder, 'connections'), 'utf8').trimEnd().split('\n');
  return lines.filter((line) => line !== `127.0.0.1 ${port}`);
}

/** Every endpoint's first attempt, once all have one: id → error. @param {string[]} ids */
async function firstAttempts(ids) {
  const read = async () => {
    const rows = await stack.db.rows('SELECT endpoint, error FROM webhook_attempts WHERE number = 1');
    const attempts = new Map(rows.map(({ endpoint, error }) => [endpoint, error]));
    return ids.every((id) => attempts.has(id)) && attempts;
  };
  return waitFor(read, {
    what: `first attempts for ${ids.length} endpoints`,
    describe: () => stack.db.rows('SELECT error, count(*) FROM webhook_attempts GROUP BY error'),
  });
}

test('no endpoint can be made with such a URL', async () => {
  assert.ok(SPELLINGS.length >= 60);
  for (const host of SPELLINGS) {
    const answer = await stack.webhooks.ask('POST', '/api/webhooks/endpoints', { url: `https://${host}/hook` });
    assert.ok(answer.status === 400 || answer.status === 422, `${host}: ${answer.status} ${answer.text}`);
    assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  }
  assert.deepEqual(await stack.webhooks.endpoints(), []);
});

test('none of these addresses is connected to, however its name or URL says it', async () => {
  const { port } = new URL(receiver.url('/'));
  const make = async (url) => (await stack.webhooks.create({ url })).id;
  const ids = /** @type {Record<string, string[]>} */ ({ spelled: [] });
  // Past the check of the API, as URLs that an older version took or an operator wrote into the table.
  for (const host of SPELLINGS) {
    const id = await make('https://receiver.example/');
    await stack.db.rows('UPDATE webhook_endpoints SET url = $2 WHERE id = $1', [id, `https://${host}:${port}/hook`]);
    ids.spelled.push(id);
  }
  await stack.db.rows('UPDATE log_head SET webhooks_version = webhooks_version + 1');
  for (const [kind, hosts] of Object.entries(names)) {
    ids[kind] = [];
    for (const host of hosts) ids[kind].push(await make(`http://${host}:${port}/${host}`));
  }

  await create(stack.baseUrl);
  const all = Object.values(ids).flat();
  const errors = await firstAttempts(all);
  const errorsOf = (kind) => new Set(ids[kind].map((id) => errors.get(id)));
  for (const kind of ['spelled', 'bad', 'back']) assert.deepEqual(errorsOf(kind), new Set(['target_refused']), kind);
  // Where a public address is among them that one is taken, and what the next lookup would say doesn't matter.
  for (const kind of ['turn', 'mixed']) assert.deepEqual(errorsOf(kind), new Set(['']), kind);
  const reached = [...names.turn, ...names.mixed].map((host) => `/${host}`);
  assert.deepEqual(new Set(receiver.at().map(({ path }) => path)), new Set(reached));
  assert.deepEqual(new Set(connections()), new Set([`${PUBLIC_ADDRESS} ${port}`]));
});
