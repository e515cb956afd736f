// Starting, stopping, migrating, misconfiguring, and two servers on one database.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { contractAddress } from '../chain-sim/src/accounts.js';
import { request } from './harness/http_client.js';
import { checkExact } from './harness/exactness.js';
import { checkDatabase } from './harness/log_database.js';
import { freePort } from './harness/postgres_cluster.js';
import { ServerProcess, runCommand } from './harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';
import { WsClient, seqOf } from './harness/ws_client.js';

/** A start that must fail: not by a signal, in words that `says` finds, without the database's password. */
async function refusesToStart(env, says, { args = ['serve'], password = '' } = {}) {
  const { code, signal, stdout, stderr } = await runCommand(args, env);
  const output = `${stdout}\n${stderr}`;
  assert.equal(signal, null, output);
  assert.ok(code !== null && code !== 0, `it started or ended with 0: ${output}`);
  assert.match(output, says);
  if (password) assert.ok(!output.includes(password), 'the password is in the output');
  return output;
}

describe('ending', () => {
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
    test(`${signal} ends with exit code 0, all of stdout JSON and nothing on stderr`, async () => {
      const stack = await startStack({ simulator: { seed: 'ending', streams: 10 } });
      stack.runScenario(2, { actionsPerLedger: 4 });
      await stack.settle();
      const { port } = stack.server;
      stack.server.process?.kill(signal);
      assert.deepEqual(await stack.server.exited, { code: 0, signal: null });
      assert.deepEqual(stack.server.strayLines, []);
      assert.equal(String(stack.server.stderr), '');
      assert.ok(stack.server.logs.every(({ event }) => typeof event === 'string'), 'each line names its event');
      // The port is free again.
      const taker = createServer().listen(port, '127.0.0.1');
      await once(taker, 'listening');
      taker.close();
      await checkDatabase(stack.db);
      await stack.stop();
    });
  }

  test('a database that doesn’t answer keeps no client waiting: 1001 at once, and the rest when it answers', async () => {
    const stack = await startStack({ simulator: false });
    const client = await stack.openWebSocket();
    await client.subscribe({ streamId: '*' });
    const { pid } = await stack.db.row("SELECT pid FROM pg_stat_activity WHERE application_name = 'fluxora-tail'");
    const tailAge = async () => {
      const { text } = await stack.request('/metrics');
      return sampleValue(readPrometheusText(text), 'fluxora_log_tail_age_seconds');
    };
    process.kill(pid, 'SIGSTOP');
    try {
      // The log is read twice a second.
      await waitFor(async () => await tailAge() > 2, { what: 'a read that hangs', describe: tailAge });
      stack.server.process?.kill('SIGTERM');
      assert.equal((await client.waitForClose())?.code, 1001);
      const readEnded = stack.server.logs.some(({ event }) => event === 'log_tail_unavailable');
      assert.equal(readEnded, false, 'the client was told only when the read had ended');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    assert.deepEqual(await stack.server.exited, { code: 0, signal: null });
    await stack.stop();
  });

  test('in the middle of an ingest: what is committed is whole, and the next start goes on', async () => {
    const stack = await startStack({
      simulator: { seed: 'stopped', streams: 30, tokenEvents: false },
      prepare: (sim) => sim.runScenario(400, { actionsPerLedger: 4 }),
      server: { env: { INDEXER_BATCH_LEDGERS: '2' } },
    });
    // Slow enough that four starts and stops fit into one ingest.
    stack.sim.faults.add({ kind: 'slow', count: 1_000_000, delayMs: 10, methods: ['getEvents'] });
    const total = stack.sim.events().length;
    const heads = [];
    for (let stops = 0; stops < 4; stops += 1) {
      const asked = () => stack.sim.calls.get('getEvents') ?? 0;
      const until = asked() + 5;
      await waitFor(() => asked() >= until, { what: 'some batches' });
      await stack.server.stop();
      heads.push((await checkDatabase(stack.db)).head);
      await stack.server.start();
    }
    assert.ok(heads.some((head) => head > 0 && head < total), `no stop landed in the ingest: ${heads} of ${total}`);
    stack.sim.faults.clear();
    await stack.settle();
    await checkExact(stack);
    await stack.stop();
  });
});

describe('migrations', () => {
  test('migrate brings an empty database up to date, and does nothing the second time', async () => {
    const db = await newDatabase();
    const env = { DATABASE_URL: db.url };
    const state = () => db.rows('SELECT * FROM schema_migrations ORDER BY name');
    const first = await runCommand(['migrate'], env);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const applied = await state();
    assert.ok(applied.length >= 1);
    const { epoch } = await db.row('SELECT epoch FROM log_head');
    const second = await runCommand(['migrate'], env);
    assert.equal(second.code, 0, second.stdout + second.stderr);
    assert.deepEqual(await state(), applied);
    assert.equal((await db.row('SELECT epoch FROM log_head')).epoch, epoch);
  });

  test('several processes may migrate at once', async () => {
    const db = await newDatabase();
    const runs = await Promise.all([1, 2, 3, 4].map(() => runCommand(['migrate'], { DATABASE_URL: db.url })));
    for (const { code, stdout, stderr } of runs) assert.equal(code, 0, stdout + stderr);
    assert.equal((await db.rows('SELECT * FROM log_head')).length, 1);
  });

  test('a migration that was changed after it was applied stops migrate and serve', async () => {
    const db = await newDatabase();
    assert.equal((await runCommand(['migrate'], { DATABASE_URL: db.url })).code, 0);
    const { name } = await db.row('SELECT name FROM schema_migrations ORDER BY name LIMIT 1');
    await db.rows("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE name = $1", [name]);
    const says = new RegExp(`${name}.*(changed|checksum)`, 'i');
    const { password } = db.cluster;
    await refusesToStart({ DATABASE_URL: db.url }, says, { args: ['migrate'], password });
    await refusesToStart(serverEnvironment(db, null), says, { password });
  });

  test('a database of a newer version stops migrate and serve', async () => {
    const db = await newDatabase();
    assert.equal((await runCommand(['migrate'], { DATABASE_URL: db.url })).code, 0);
    await db.rows("INSERT INTO schema_migrations (name, checksum) VALUES ('999_from_the_future', 'x')");
    await refusesToStart({ DATABASE_URL: db.url }, /newer.*999_from_the_future/, { args: ['migrate'] });
    await refusesToStart(serverEnvironment(db, null), /newer.*999_from_the_future/);
  });
});

describe('configuration', () => {
  const CONTRACT = 'CDLZFC3SYJYDZT7K67VZ75HPJVIEUVNIXF47ZG2FB2RMQQVU2HHGCYSC';
  /** @type {[string, string[]][]} */
  const BAD = [
    ['PORT', ['x', '-1', '65536', '80 ', '1e3']],
    ['DATABASE_URL', ['', 'mysql://localhost/x', 'localhost', 'file:///etc/passwd']],
    ['STELLAR_RPC_URL', ['ftp://127.0.0.1/', 'not a url', 'http://']],
    ['CONTRACT_IDS', ['nonsense', `${CONTRACT},`, `${CONTRACT},*`, CONTRACT.toLowerCase(), `G${CONTRACT.slice(1)}`]],
    ['INDEXER_START_LEDGER', ['x', '-1', '4294967296', '1.5']],
    ['INDEXER_POLL_MS', ['x', '-1', '0']],
    ['INDEXER_BATCH_LEDGERS', ['x', '0', '-1']],
    ['LOG_LEVEL', ['loud', 'INFO ']],
    ['DB_POOL_SIZE', ['0', 'x', '-1']],
    ['IO_THREADS', ['0', 'x', '100000']],
  ];

  for (const [name, values] of BAD) {
    test(`a bad ${name} stops the start with a message that names it`, async () => {
      const { url } = await newDatabase();
      const good = { HOST: '127.0.0.1', PORT: '0', DATABASE_URL: url, STELLAR_RPC_URL: 'http://127.0.0.1:1/', CONTRACT_IDS: CONTRACT };
      for (const value of values) {
        await refusesToStart({ ...good, [name]: value }, new RegExp(`\\b${name}\\b`));
        await refusesToStart({ ...good, [name]: value }, new RegExp(`\\b${name}\\b`), { args: ['check-config'] });
      }
    });
  }

  test('check-config accepts a good configuration, and shows no password', async () => {
    const { code, stdout, stderr } = await runCommand(['check-config'], {
      DATABASE_URL: 'postgres://user:very-secret@127.0.0.1:1/none', STELLAR_RPC_URL: 'http://127.0.0.1:1/', CONTRACT_IDS: CONTRACT, PORT: '0',
    });
    assert.equal(code, 0, stdout + stderr);
    assert.ok(!(stdout + stderr).includes('very-secret'));
  });

  test('--help lists the variables, version says which, other commands are refused', async () => {
    const help = await runCommand(['--help']);
    assert.equal(help.code, 0);
    for (const name of ['PORT', 'HOST', ...BAD.map(([bad]) => bad), 'NETWORK_PASSPHRASE']) assert.match(help.stdout, new RegExp(`\\b${name}\\b`));
    const version = await runCommand(['version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /\d+\.\d+\.\d+/);
    const other = await runCommand(['frobnicate']);
    assert.ok(other.code !== null && other.code !== 0);
    assert.match(other.stdout + other.stderr, /subcommand|frobnicate/);
  });

  test('a taken port is said in so many words', async () => {
    const db = await newDatabase();
    const port = await freePort();
    const taker = createServer().listen(port, '127.0.0.1');
    await once(taker, 'listening');
    const output = await refusesToStart({ ...serverEnvironment(db, null), PORT: String(port) }, new RegExp(`\\b${port}\\b`));
    assert.match(output, /in use|taken/i);
    taker.close();
  });

  test('two servers don’t share a port by accident', async () => {
    const db = await newDatabase();
    const first = await ServerProcess.start(serverEnvironment(db, null));
    await refusesToStart({ ...serverEnvironment(db, null), PORT: String(first.port) }, /in use|taken/i);
    await first.stop();
  });

  test('a database that can’t be reached is named, without its password', async () => {
    const url = `postgres://fluxora:very-secret@127.0.0.1:${await freePort()}/none`;
    await refusesToStart({ DATABASE_URL: url, PORT: '0' }, /database|connect/i, { args: ['migrate'], password: 'very-secret' });
  });
});

describe('two servers on one database', () => {
  test('both serve and show the same; one indexes; clients of both see every change; the other takes over', async () => {
    const stack = await startStack({ simulator: { seed: 'two servers', streams: 20 } });
    stack.runScenario(2, { actionsPerLedger: 5 });
    await stack.settle();
    const second = await ServerProcess.start(stack.server.env);
    const { epoch } = await stack.head();
    const clients = await Promise.all([WsClient.open(stack.wsUrl), WsClient.open(second.wsUrl)]);
    const begins = [];
    for (const client of clients) begins.push(seqOf((await client.subscribe({ streamId: '*' })).cursor));

    for (let round = 0; round < 4; round += 1) {
      stack.runScenario(2, { actionsPerLedger: 5 });
      await stack.settle();
    }
    const { seq } = await stack.head();
    const entries = await stack.allEvents();
    for (const [index, client] of clients.entries()) {
      await client.waitForSeq(seq);
      await client.barrier();
      assert.deepEqual(client.updates(), entries.filter((entry) => entry.seq > begins[index]));
    }
    const leads = (server) => server.logs.some(({ event }) => event === 'indexer_leads');
    assert.deepEqual([leads(stack.server), leads(second)], [true, false]);
    const other = async (path) => (await request(second.baseUrl + path)).json;
    assert.deepEqual(await other('/api/streams?limit=100'), await stack.get('/api/streams', { limit: 100 }));
    assert.equal((await other('/health')).indexer.status, 'healthy');
    assert.equal((await other('/health')).indexer.lastLedger, (await stack.health()).indexer.lastLedger);

    // The leader dies; the other goes on where it stopped, and its client notices nothing but news.
    await stack.server.kill9();
    stack.server = second;
    stack.runScenario(3, { actionsPerLedger: 5 });
    await stack.settle();
    assert.ok(leads(second));
    const head = await stack.head();
    await clients[1].waitForSeq(head.seq);
    assert.deepEqual(clients[1].updates(), (await stack.allEvents()).filter((entry) => entry.seq > begins[1]));
    assert.equal(head.epoch, epoch);
    await checkExact(stack);
    await checkDatabase(stack.db);
    await stack.stop();
  });
});

test('following fewer contracts goes on from the checkpoint; between contracts and * there is no way, and none is tried', async () => {
  const other = contractAddress('fewer contracts', 'other');
  const stack = await startStack({ simulator: { seed: 'fewer contracts', streams: 8, tokenEvents: false }, server: { env: {} } });
  await stack.server.restart({ CONTRACT_IDS: `${other},${stack.sim.contractId}` });
  stack.runScenario(5, { actionsPerLedger: 4 });
  await stack.settle();
  const before = await stack.db.row('SELECT ledger, contracts FROM indexer_checkpoint');
  assert.ok(before.contracts.includes(','));

  await stack.server.restart({ CONTRACT_IDS: stack.sim.contractId });
  stack.runScenario(2, { actionsPerLedger: 4 });
  await stack.settle();
  await checkExact(stack);
  const indexed = await stack.server.linesOf('ledgers_indexed');
  assert.ok(indexed.every(({ first }) => first > Number(before.ledger)), 'ledgers were read again');
  assert.equal((await stack.db.row('SELECT contracts FROM indexer_checkpoint')).contracts, stack.sim.contractId);

  const entries = await stack.allEvents();
  const kept = await stack.db.row('SELECT * FROM indexer_checkpoint');
  await stack.server.restart({ CONTRACT_IDS: '*' });
  await stack.server.waitForLog(({ event, message }) => event === 'indexer_halted' && message.includes('fluxora-server replay'), 'the halt');
  assert.equal((await stack.health()).indexer.status, 'halted');
  assert.deepEqual(await stack.allEvents(), entries, 'reads go on');
  assert.deepEqual(await stack.db.row('SELECT * FROM indexer_checkpoint'), kept, 'nothing is written');

  await stack.server.restart({ CONTRACT_IDS: stack.sim.contractId });
  stack.runScenario(1, { actionsPerLedger: 4 });
  await stack.settle();
  await checkExact(stack);
  await stack.stop();
});
