// From the chain to the examples: the real server sends what happens to streams, and each runtime verifies it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { adminHeaders } from '../integration/harness/admin.js';
import { freePort } from '../integration/harness/postgres_cluster.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { Packages } from './example_project.js';
import { ExampleProcess, RUNTIMES } from './example_process.js';
import { Stores } from './stores.js';

const JWT_SECRET = 'secret of the tests, of 32 bytes or more';
const LEDGERS = 8;

const SERVER = {
  JWT_SECRET,
  WEBHOOK_SECRET_KEYS: randomBytes(32).toString('base64'),
  // The receivers are on loopback, without TLS: both have to be allowed.
  WEBHOOK_HTTP_HOSTS: '127.0.0.1',
  WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8',
  // A receiver that was asked too early is asked again soon.
  WEBHOOK_RETRY_SCHEDULE: '1s,1s,1s',
};

const here = RUNTIMES.filter(({ missing }) => missing === undefined);

let stack;
let packages;
let stores;
/** By the runtime's title: { endpoint, secret, running }. */
const receivers = new Map();

async function manage(method, path, body) {
  const headers = { ...adminHeaders(JWT_SECRET), 'content-type': 'application/json' };
  const answer = await stack.request(path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

/** The endpoint first, because the receiver is started with its secret. */
async function receiveAt(runtime) {
  const port = await freePort();
  const endpoint = await manage('POST', '/api/webhooks/endpoints', { url: `http://127.0.0.1:${port}${runtime.path}` });
  const env = { PORT: String(port), FLUXORA_WEBHOOK_SECRET: endpoint.secret, ...stores.environment(runtime.example) };
  const running = await ExampleProcess.start(runtime, packages.example(runtime.example), env);
  return { endpoint, secret: endpoint.secret, running };
}

/** Everything that an endpoint was sent. */
async function deliveriesOf({ endpoint }) {
  const deliveries = [];
  for (let cursor = ''; cursor !== null;) {
    const query = `limit=100${cursor && `&cursor=${cursor}`}`;
    const page = await manage('GET', `/api/webhooks/endpoints/${endpoint.id}/deliveries?${query}`);
    deliveries.push(...page.deliveries);
    cursor = page.has_more ? page.next_cursor : null;
  }
  return deliveries;
}

const settled = (receiver, count) => waitFor(async () => {
  const deliveries = await deliveriesOf(receiver);
  return deliveries.length >= count && deliveries.every(({ state }) => state === 'delivered') && deliveries;
}, {
  what: `${receiver.running.runtime.title} to have ${count} deliveries`,
  describe: async () => ({
    deliveries: (await deliveriesOf(receiver)).filter(({ state }) => state !== 'delivered').slice(0, 5),
    receiver: receiver.running.output().slice(-3000),
    logs: stack.server.logs.slice(-10),
  }),
});

/** The log's entries, as the examples log them. */
async function lines() {
  const entries = await stack.allEvents();
  return entries.map(({ event, streamId, cursor }) => ({ type: event, streamId: streamId ?? '-', cursor }));
}

before(async () => {
  packages = new Packages();
  stores = await Stores.start();
  stack = await startStack({ server: { env: SERVER } });
  for (const runtime of here) receivers.set(runtime.title, await receiveAt(runtime));
  stack.runScenario(LEDGERS);
  await stack.settle();
});
after(async () => {
  await stack?.stop();
  stores?.stop();
  packages?.remove();
});

for (const { title, missing } of RUNTIMES) {
  describe(title, missing ? { skip: `no ${missing} for this machine` } : {}, () => {
    test('every entry of the log arrived, verified, once, and in order for each stream', async () => {
      const expected = await lines();
      assert.ok(expected.length > LEDGERS);
      const receiver = receivers.get(title);
      await settled(receiver, expected.length);
      const { running } = receiver;
      const arrived = await waitFor(() => running.handled.length >= expected.length && running.handled, {
        what: 'every line', describe: () => running.output(),
      });
      const bySequence = (a, b) => a.cursor.localeCompare(b.cursor, 'en', { numeric: true });
      const seen = arrived.map(({ deliveryId, ...line }) => line);
      assert.deepEqual(seen.toSorted(bySequence), expected.toSorted(bySequence));
      for (const streamId of new Set(expected.map((line) => line.streamId))) {
        const ofStream = (line) => line.streamId === streamId;
        assert.deepEqual(seen.filter(ofStream), expected.filter(ofStream));
      }
    });

    test('a delivery that is sent again is known', async () => {
      const receiver = receivers.get(title);
      const before = receiver.running.handled.length;
      const [{ id }] = await deliveriesOf(receiver);
      await manage('POST', `/api/webhooks/deliveries/${id}/redeliver`);
      const { attempts } = await waitFor(async () => {
        const delivery = await manage('GET', `/api/webhooks/deliveries/${id}`);
        return delivery.state === 'delivered' && delivery.attempts.length >= 2 && delivery;
      }, { what: 'the second attempt' });
      const last = attempts.toSorted((a, b) => a.number - b.number).at(-1);
      assert.deepEqual([last.status, JSON.parse(last.response)], [200, { ok: true, duplicate: true }]);
      assert.equal(receiver.running.handled.length, before);
    });
  });
}

test('while a secret is being replaced, the one before is good', async () => {
  for (const { endpoint } of receivers.values()) {
    await manage('POST', `/api/webhooks/endpoints/${endpoint.id}/rotate-secret`, {});
  }
  const before = (await stack.allEvents()).length;
  stack.runScenario(2);
  await stack.settle();
  const entries = await lines();
  assert.ok(entries.length > before);
  for (const receiver of receivers.values()) await settled(receiver, entries.length);
});

test('with a secret that was never this endpoint\'s, nothing is accepted', async () => {
  const [{ endpoint, running }] = receivers.values();
  const stranger = await manage('POST', '/api/webhooks/endpoints', { url: running.url });
  const delivery = await manage('POST', `/api/webhooks/endpoints/${stranger.id}/test`);
  assert.notEqual(stranger.secret, endpoint.secret);
  const { attempts } = await waitFor(async () => {
    const found = await manage('GET', `/api/webhooks/deliveries/${delivery.id}`);
    return found.attempts.length >= 1 && found;
  }, { what: 'the attempt' });
  assert.deepEqual([attempts[0].status, JSON.parse(attempts[0].response).error], [401, 'signature_mismatch']);
});
