// What the page says of the service's health, and when it calls it trouble.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { troubleText } from '../../../web-demo/compiled/shell/trouble.js';
import { verdictOf } from '../../../web-demo/compiled/system/verdict.js';
import { indexerText, networkName, troublesOf } from '../../../web-demo/compiled/text/health.js';

/** A healthy answer, with changes. */
function health({ status = 'ok', indexer = {}, dependencies = {} } = {}) {
  return {
    status, version: '0.1.0', timestamp: '2026-03-29T09:31:27.000Z', network: 'Test ; 2026', wsConnections: 1,
    indexer: {
      status: 'healthy', lagMs: 100, thresholdMs: 300_000, lastSuccessfulSyncAt: null,
      summary: 'Up to date.', clientImpact: 'none', operatorAction: 'none',
      lastLedger: 10, lastSafeLedger: 10, reorgDetected: false, ...indexer,
    },
    dependencies: {
      postgres: 'healthy', redis: 'not_configured', rpc: 'healthy', horizon: 'not_configured', ...dependencies,
    },
  };
}

const lagging = health({ status: 'degraded', indexer: { summary: 'The RPC lags.' } });
const reorg = health({ status: 'degraded', indexer: { reorgDetected: true } });
const stalled = health({
  status: 'degraded',
  indexer: {
    status: 'stalled', summary: 'No successful sync for longer than the threshold. The RPC times out.',
    clientImpact: 'stale_chain_state', operatorAction: 'page',
  },
  dependencies: { rpc: 'unhealthy' },
});

test('each state of the service has its verdict', () => {
  const noRedis = { redis: 'unhealthy' };
  const verdicts = [
    [undefined, 'still', 'Looking…'],
    [null, 'bad', 'Unreachable'],
    [health(), 'good', 'All is well'],
    [health({ indexer: { status: 'not_configured', summary: 'No chain is followed.' } }), 'good', 'All is well'],
    [health({ indexer: { status: 'starting' } }), 'wait', 'Starting'],
    [health({ status: 'shutting_down' }), 'wait', 'Shutting down'],
    [health({ status: 'degraded', dependencies: noRedis }), 'wait', 'Degraded'],
    [lagging, 'wait', 'Degraded'],
    [reorg, 'wait', 'Following a reorg'],
    [health({ status: 'degraded', indexer: { reorgDetected: true }, dependencies: noRedis }), 'wait', 'Degraded'],
    [stalled, 'bad', 'Stalled'],
    [health({ status: 'degraded', indexer: { status: 'halted', reorgDetected: true } }), 'bad', 'Halted'],
  ];
  for (const [answer, tone, title] of verdicts) {
    const verdict = verdictOf(answer);
    assert.deepEqual({ tone: verdict.tone, title: verdict.title }, { tone, title });
    assert.ok(verdict.text.length > 0);
  }
  assert.match(verdictOf(stalled).impact, /the chain has gone on/);
  assert.match(verdictOf(stalled).action, /needed now/);
  assert.equal(verdictOf(health()).action, 'Nobody needs to do anything.');
});

test('what is wrong is named: what is away, or else what the indexer says', () => {
  assert.deepEqual(troublesOf(health()), []);
  assert.deepEqual(troublesOf(reorg), []);
  assert.deepEqual(troublesOf(lagging), ['The RPC lags.']);
  const all = { postgres: 'unhealthy', redis: 'unhealthy', rpc: 'unhealthy', horizon: 'unhealthy' };
  const told = troublesOf(health({ status: 'degraded', dependencies: all })).join(' ');
  for (const name of ['database', 'Redis', 'RPC', 'Horizon']) assert.ok(told.includes(name), `${name} in ${told}`);
  assert.deepEqual(troublesOf(stalled), [
    'No successful sync for longer than the threshold. The RPC times out.',
    'The chain’s RPC server doesn’t answer as it should.',
  ]);
});

test('the line below the head names the nearest cause, and none where nothing is wrong', () => {
  const calm = { online: true, phase: 'live', health: health(), notice: null };
  assert.equal(troubleText(calm), null);
  assert.equal(troubleText({ ...calm, health: undefined }), null);
  assert.equal(troubleText({ ...calm, phase: 'cut' }), null);
  assert.equal(troubleText({ ...calm, health: reorg }), null);
  // A connection that lives knows better than the device, or a look that failed.
  assert.equal(troubleText({ ...calm, online: false }), null);
  assert.equal(troubleText({ ...calm, health: null }), null);
  assert.match(troubleText({ ...calm, online: false, phase: 'waiting', health: null }), /^This device is offline\./);
  assert.match(troubleText({ ...calm, phase: 'waiting', health: null }), /^The service can’t be reached\./);
  assert.match(troubleText({ ...calm, notice: 'The RPC is away' }), /trouble\. The RPC is away\. Figures/);
  assert.match(troubleText({ ...calm, health: stalled, notice: 'another' }), /trouble\. No successful sync/);
});

test('the indexer and the network in a few words', () => {
  assert.equal(indexerText(null), 'Indexer unknown');
  assert.equal(indexerText(health()), 'Indexer healthy');
  assert.equal(indexerText(reorg), 'Reorg followed');
  assert.equal(indexerText(stalled), 'Indexer stalled');
  assert.equal(indexerText(health({ indexer: { status: 'not_configured' } })), 'No indexer');
  assert.equal(networkName('Public Global Stellar Network ; September 2015'), 'Public Global Stellar Network');
  assert.equal(networkName(''), '');
});
