// Each example in its runtime, and each row of the verification table on each of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFileSync } from 'node:fs';

import { Packages } from './example_project.js';
import { ExampleProcess, RUNTIMES } from './example_process.js';
import { Sender, newSecret, nowSeconds } from './sender.js';
import { Stores } from './stores.js';
import { ALTERED_TABLE, BARE_TABLE, TABLE } from './verification_table.js';

const HOUR_S = 3600;
const awkwardHandler = readFileSync(new URL('awkward_handler.js', import.meta.url), 'utf8');

let packages;
let stores;
before(async () => {
  packages = new Packages();
  stores = await Stores.start();
});
after(() => {
  stores?.stop();
  packages?.remove();
});

const secretsOf = (secret, previous, until) => ({
  FLUXORA_WEBHOOK_SECRET: secret,
  FLUXORA_WEBHOOK_PREVIOUS_SECRET: previous,
  FLUXORA_WEBHOOK_PREVIOUS_UNTIL: String(until),
});

/** Runs a table on an example that was started for it; at its end, what was handled is what was accepted, each once. */
function tableOf(title, table, start) {
  describe(title, () => {
    let target;
    before(async () => {
      target = await start();
      target.sender = new Sender(target.running.url, target.secret);
    });
    after(() => target?.running.end());
    for (const [name, check] of table) test(name, () => check(target));
    test('what was handled is what was acknowledged, each once', async () => {
      const { running, sender: { accepted } } = target;
      for (const id of accepted) await running.waitForLine(id, 'stream.updated');
      const handled = running.handled.filter(({ type }) => type !== 'started').map(({ deliveryId }) => deliveryId);
      assert.deepEqual(handled.sort(), [...accepted].sort());
    });
    test('no secret was logged', () => {
      const output = target.running.output();
      for (const secret of [target.secret, target.graceful, target.expired]) {
        if (secret !== undefined) assert.ok(!output.includes(secret.slice('whsec_'.length)));
      }
    });
  });
}

for (const runtime of RUNTIMES) {
  describe(runtime.title, runtime.missing ? { skip: `no ${runtime.missing} for this machine` } : {}, () => {
    tableOf('as it is', TABLE, async () => {
      const [secret, graceful] = [newSecret(), newSecret()];
      const env = { ...secretsOf(secret, graceful, nowSeconds() + HOUR_S), ...stores.environment(runtime.example) };
      const running = await ExampleProcess.start(runtime, packages.example(runtime.example), env);
      return { running, secret, graceful };
    });

    tableOf('with a handler and options of its owner', ALTERED_TABLE, async () => {
      const [secret, expired] = [newSecret(), newSecret()];
      const example = packages.example(runtime.example, (copy) => {
        copy.write(runtime.handler, awkwardHandler);
        copy.edit(runtime.main, '  onEvent,\n', "  onEvent,\n  allowLegacy: true,\n  duplicates: 'conflict',\n");
      });
      const running = await ExampleProcess.start(runtime, example, secretsOf(secret, expired, nowSeconds() - HOUR_S));
      return { running, secret, expired };
    });

    tableOf('without a secret', BARE_TABLE, async () => {
      const running = await ExampleProcess.start(runtime, packages.example(runtime.example));
      return { running, secret: newSecret() };
    });
  });
}
