// The parts of scripts/load but for the page's, a second each: that they work, not how fast.
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { serverProgram } from '../integration/harness/server_process.js';
import { checkRows } from './check_rows.js';

test('every row of the service is measured', () => checkRows('load.mjs', [], 12));
const programs = () => join(dirname(serverProgram()), '../../tests/load');
test('every row of the indexer is measured', () => {
  checkRows('indexer.mjs', ['--indexer', join(programs(), 'fluxora_indexer_load')], 7);
});
test('every row of the feed is measured', () => checkRows('realtime.mjs', ['--programs', programs()], 15));
test('every row of webhooks is measured', () => {
  checkRows('webhooks.mjs', ['--receiver', join(programs(), '../webhooks/receiver/fluxora_webhook_receiver')], 4);
});
