// One endpoint that hangs for ever among 200: the others' deliveries all arrive while it hangs. SPEC section 8.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cancel, create, setStatus } from '../integration/harness/api_streams.js';
import { waitFor } from '../integration/harness/wait.js';
import { NodeReceiver, entryOf } from './harness/node_receiver.js';
import { startWebhookStack } from './harness/webhook_server.js';

const ENDPOINTS = 200;
const STREAMS = 15;
const ENTRIES = 3 * STREAMS;
const ENDPOINT_CONCURRENCY = 10;

test(`${ENDPOINTS} endpoints, one of which hangs for ever: the others have everything meanwhile`, async () => {
  const receiver = await NodeReceiver.start();
  receiver.reply = ({ path }) => ({ hang: path === '/dead' });
  // A timeout that no test waits for: whatever arrives does so while the dead one's requests are open.
  const stack = await startWebhookStack({
    env: { WEBHOOK_TIMEOUT_MS: '60000', WEBHOOK_ENDPOINT_CONCURRENCY: String(ENDPOINT_CONCURRENCY) },
  });
  const paths = Array.from({ length: ENDPOINTS }, (_, index) =>
    index === ENDPOINTS / 2 ? '/dead' : `/alive/${index}`,
  );
  for (const path of paths) await stack.webhooks.create({ url: receiver.url(path) });

  const created = await Promise.all(Array.from({ length: STREAMS }, () => create(stack.baseUrl)));
  await receiver.waitFor('/dead', 1);
  for (const { json } of created) assert.equal((await setStatus(stack.baseUrl, json.id, 'paused')).status, 200);
  for (const { json } of created) assert.equal((await cancel(stack.baseUrl, json.id)).status, 200);

  const alive = () => receiver.deliveries.filter(({ path }) => path !== '/dead');
  await waitFor(() => alive().length >= (ENDPOINTS - 1) * ENTRIES, {
    what: 'what the others are to get',
    deadlineMs: 55_000,
    describe: () => alive().length,
  });
  const hung = receiver.at('/dead');
  assert.equal(receiver.hanging.size, hung.length, 'the first requests to the dead one are still open');
  assert.ok(hung.length >= 1 && hung.length <= ENDPOINT_CONCURRENCY, `${hung.length} at once`);
  for (const path of paths.filter((one) => one !== '/dead')) {
    const came = receiver.at(path);
    assert.equal(came.length, ENTRIES, path);
    const places = new Map();
    for (const delivery of came) {
      const { streamId, seq } = entryOf(delivery);
      assert.ok(seq > (places.get(streamId) ?? 0), `${path}: in order per stream`);
      places.set(streamId, seq);
    }
  }

  // An end in order doesn't wait for it either, and repeats nothing but what hung.
  await stack.stop();
  await receiver.end();
});
