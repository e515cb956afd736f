// PostgreSQL's disk is full: what is read is still answered, what is written is refused, nothing is half done, and all of it
// goes on by itself once there is room. docs/runbooks/disk-full.md tells an operator the same.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { create } from '../integration/harness/api_streams.js';
import { checkDatabase } from '../integration/harness/log_database.js';
import { chainEntries } from '../integration/harness/log_checks.js';
import { disown, own } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const DISK = '96m';

/** A small disk for a cluster's databases; its log (WAL) stays on the large one. Needs root. */
class SmallDisk {
  /** @param {PostgresCluster} cluster */
  constructor(cluster) {
    this.path = join(cluster.directory, 'small');
    mkdirSync(this.path);
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'fluxora-small-disk', this.path], { encoding: 'utf8' });
    this.refusal = status === 0 ? null : stderr.trim();
    if (this.refusal !== null) return;
    own(this);
    if (cluster.user) chownSync(this.path, cluster.user.uid, cluster.user.gid);
  }

  /** Once the cluster has ended. */
  async end() {
    this.endNow();
    disown(this);
  }

  endNow() {
    execFileSync('umount', ['--lazy', this.path]);
  }
}

test('PostgreSQL without room: reads go on, writes are refused, and it is over when there is room again', async (t) => {
  const cluster = await PostgresCluster.start({ fsync: false });
  const disk = new SmallDisk(cluster);
  if (disk.refusal !== null) {
    await cluster.end();
    t.skip(`no small disk can be mounted here: ${disk.refusal}`);
    return;
  }
  await cluster.query('postgres', `CREATE TABLESPACE small LOCATION '${disk.path}'`);
  await cluster.query('postgres', 'ALTER SYSTEM SET default_tablespace = small');
  await cluster.query('postgres', 'SELECT pg_reload_conf()');
  const stack = await startStack({ cluster, simulator: { seed: 'disk full', streams: 20 } });
  const { db } = stack;
  stack.runScenario(3, { actionsPerLedger: 5 });
  await stack.settle();
  assert.equal((await create(stack.baseUrl)).status, 201);
  const metric = async (name, labels) => sampleValue(readPrometheusText((await stack.request('/metrics')).text), name, labels);
  const before = await stack.head();

  // What a failed statement has taken of the disk stays taken.
  await db.rows('CREATE TABLE ballast (filler text)');
  await db.rows('ALTER TABLE ballast ALTER COLUMN filler SET STORAGE EXTERNAL');
  const fill = (size) => db.rows("INSERT INTO ballast SELECT repeat('x', $1) FROM generate_series(1, 1000000)", [size]);
  for (const size of [1 << 20, 1 << 12]) await assert.rejects(fill(size), { code: '53100' });

  // Pages that are there already have some room left: until they haven't.
  let refused;
  await waitFor(async () => {
    refused = await create(stack.baseUrl);
    stack.runScenario(1, { actionsPerLedger: 20 });
    return refused.status !== 201 && await metric('fluxora_indexer_failures_total') > 0;
  }, { what: 'writes to be refused' });
  assert.equal(refused.status, 503);
  assert.equal(refused.json.error, 'SERVICE_UNAVAILABLE');
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/);
  assert.doesNotMatch(refused.text, /postgres|pg_tblspc|space|INSERT|COPY/i);
  await stack.server.waitForLog(({ event, message }) => event === 'database_unavailable' && /No space left on device/.test(message), 'the cause to be logged');
  for (const path of ['/api/streams', `/api/events?after=${before.epoch}-0`, '/health/live', '/health/ready']) {
    assert.equal((await stack.request(path)).status, 200, path);
  }
  assert.equal(await metric('fluxora_db_up'), 1);
  const { dependencies, indexer } = (await stack.request('/health')).json;
  assert.deepEqual([dependencies.postgres, indexer.summary], ['healthy', 'The database can\'t be reached, or takes no writes.']);
  const full = await stack.head();
  assert.equal(full.epoch, before.epoch);
  await checkDatabase(db);

  await db.rows('DROP TABLE ballast');
  await waitFor(async () => (await create(stack.baseUrl)).status === 201, { what: 'writes to be taken again' });
  await stack.settle();
  const after = await stack.head();
  assert.equal(after.epoch, before.epoch);
  assert.ok(after.seq > full.seq);
  await checkDatabase(db);
  await checkLog(stack);
  await stack.stop();
  await cluster.stop('immediate');
  await disk.end();
  await cluster.end();
});

/** The log has the chain's events, each once and in their order. @param {import('../integration/harness/stack.js').Stack} stack */
async function checkLog(stack) {
  const log = await stack.allEvents();
  const ofTheChain = chainEntries(log).filter(({ ledger }) => ledger !== null);
  assert.deepEqual(ofTheChain.map(({ eventId }) => eventId), stack.expected.events.map(({ id }) => id));
}
