// The example for Workers with KV in place of the Durable Object, as its README says it, in workerd.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Packages } from './example_project.js';
import { ExampleProcess, RUNTIMES } from './example_process.js';
import { Sender, eventBody, newSecret, nowSeconds } from './sender.js';

const workers = RUNTIMES.find(({ example }) => example === 'cloudflare-workers');
const awkwardHandler = readFileSync(new URL('awkward_handler.js', import.meta.url), 'utf8');

let packages;
let sender;
let beforeRotation;
let running;

/** The code block of a README in that language. */
function blockOf(readme, language) {
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  assert.equal(blocks.length, 1, `one block of ${language}`);
  return blocks[0][1];
}

before(async () => {
  packages = new Packages();
  const example = packages.example(workers.example, (copy) => {
    const readme = copy.read('README.md');
    copy.write('wrangler.jsonc', blockOf(readme, 'json'));
    copy.write('src/index.js', blockOf(readme, 'js'));
    copy.write('src/handler.js', awkwardHandler);
  });
  const [secret, previous] = [newSecret(), newSecret()];
  running = await ExampleProcess.start(workers, example, {
    FLUXORA_WEBHOOK_SECRET: secret,
    FLUXORA_WEBHOOK_PREVIOUS_SECRET: previous,
    FLUXORA_WEBHOOK_PREVIOUS_UNTIL: String(nowSeconds() + 3600),
  });
  sender = new Sender(running.url, secret);
  beforeRotation = new Sender(running.url, previous);
});
after(() => packages?.remove());

test('a delivery that comes again is known', async () => {
  const delivery = sender.delivery();
  assert.deepEqual((await sender.post(delivery)).json, { ok: true });
  assert.deepEqual((await sender.post(delivery)).json, { ok: true, duplicate: true });
  await running.waitForLine(delivery.id);
  assert.equal(running.handled.filter(({ deliveryId }) => deliveryId === delivery.id).length, 1);
});

test('while a secret is being replaced, the one before is good', async () => {
  assert.deepEqual((await beforeRotation.send()).json, { ok: true });
});

test('what the handler failed on is not remembered', async () => {
  const delivery = sender.delivery({ body: eventBody('fails-once') });
  assert.equal((await sender.post(delivery)).json.error, 'handler_failed');
  assert.deepEqual((await sender.post(delivery)).json, { ok: true });
  assert.deepEqual((await sender.post(delivery)).json, { ok: true, duplicate: true });
});

test('a copy in the same isolate while the first is being handled', async () => {
  const delivery = sender.delivery({ body: eventBody('slow') });
  const first = sender.post(delivery);
  await running.waitForLine(delivery.id, 'started');
  const second = await sender.post(delivery);
  assert.deepEqual([second.status, second.json.error], [503, 'duplicate_delivery']);
  assert.deepEqual((await first).json, { ok: true });
});
