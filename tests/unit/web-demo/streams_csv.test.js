// The table of streams as a file.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { streamsTable } from '../../../web-demo/compiled/streams/streams_csv.js';

const stream = {
  id: 'C-1', source: 'chain', sender: 'GA', recipient: 'GB', token: null, kind: 'linear', status: 'active', archived: false,
  depositAmount: '10.0000000', ratePerSecond: '0.0000001', withdrawnAmount: '1.0000000', settledAmount: '0.0000000',
  startTime: 200, cliffTime: 200, endTime: '18446744073709551615',
};

test('each row has its stream’s exact amounts and its status at the second', () => {
  const texts = (name) => [`${name} 0`, `${name} 1`];
  const [head, ...rows] = streamsTable([{ stream }, { stream: { ...stream, token: 'CT' } }], 199, texts);
  assert.deepEqual(rows.map((row) => row.length), [head.length, head.length]);
  const [first, second] = rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
  assert.deepEqual(first, {
    id: 'C-1', source: 'chain', sender: 'GA', recipient: 'GB', token: '', kind: 'linear', status: 'scheduled',
    archived: 'false', deposit: '10.0000000', rate_per_second: '0.0000001', streamed: 'streamed 0',
    withdrawable: 'withdrawable 0', withdrawn: '1.0000000', settled: '0.0000000', start: '200', cliff: '200',
    end: '18446744073709551615', as_of: '199',
  });
  assert.deepEqual([second.token, second.streamed, second.withdrawable], ['CT', 'streamed 1', 'withdrawable 1']);
});
