// `fluxora-server backup` and `restore`: a backup under load is a moment of the log, to the byte what the official SDK
// gets; what is interrupted leaves nothing; what is damaged changes nothing; what is restored is served under a new epoch.
// SPEC section 11.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cancel, create, setStatus } from '../integration/harness/api_streams.js';
import { dumpDatabase, assertSameDump, checkDatabase } from '../integration/harness/log_database.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { ServerProcess, runCommand } from '../integration/harness/server_process.js';
import { Database, newDatabase, serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { ACCESS_KEY, BUCKET, S3Server } from './harness/s3_server.js';

const S3_SECRET = `s3-${randomBytes(16).toString('hex')}`;
const S3_TOKEN = `token-${randomBytes(16).toString('hex')}`;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {S3Server} */
let s3;
/** Where backups are restored: another cluster than the one that they are of. @type {PostgresCluster} */
let elsewhere;
/** A folder of this file's. */
let folder;
/** A good backup of the stack, and what its database held then. */
let good;
/** The name of a database that has it, of which others are copies. @type {Promise<string> | undefined} */
let restoredOnce;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fluxora-backup-'));
  s3 = await S3Server.start({ secret: S3_SECRET, sessionToken: S3_TOKEN });
  elsewhere = await PostgresCluster.start({ fsync: false });
  stack = await startStack({ simulator: { seed: 'backup', streams: 10, tokenEvents: false }, server: { env: { WRITE_RATE_LIMIT: '0' } } });
  stack.runScenario(8, { actionsPerLedger: 4 });
  await stack.settle();
});

after(() => rmSync(folder, { recursive: true, force: true }));

const secrets = () => [S3_SECRET, S3_TOKEN, stack.db.cluster.password, elsewhere.password];

function assertNoSecret(text, where) {
  for (const secret of secrets()) assert.ok(!String(text).includes(secret), `${where} says a secret`);
}

/** The result of a command that has ended: one JSON object, and no secret anywhere. */
function resultOf({ code, stdout, stderr }) {
  assertNoSecret(stdout, 'stdout');
  assertNoSecret(stderr, 'stderr');
  const lines = String(stdout).trim().split('\n');
  assert.equal(lines.length, 1, `one object on stdout: ${stdout} ${stderr}`);
  const result = JSON.parse(lines[0]);
  assert.equal(result.success, code === 0, stdout);
  return { code, ...result };
}

/** A command against a database, with the S3 of the tests. */
const run = async (db, args, env = {}) => resultOf(await runCommand(args, { DATABASE_URL: db.url, ...s3.environment, ...env }));
const backup = (to, env, db = stack.db) => run(db, ['backup', '--to', to], env);
const restore = (db, from, args = [], env = {}) => run(db, ['restore', '--from', from, ...args], env);
const verify = (db) => run(db, ['verify']);

/** The same, begun and not waited for. */
function begin(args, env, db = stack.db) {
  const command = new ServerProcess({ args, env: { DATABASE_URL: db.url, ...s3.environment, ...env } });
  command.spawn();
  const ended = async () => {
    const { code, signal } = await command.exited;
    await command.kill9(); // it is gone already: nobody has to end it any more
    return { code, signal, stdout: String(command.stdout), stderr: String(command.stderr) };
  };
  return { command, ended };
}

/** A command that fails: its message, and what was said about it. */
async function refused(answer, message, error = /^/) {
  const result = await answer;
  assert.equal(result.code, 1, JSON.stringify(result));
  assert.match(result.message, message);
  assert.match(result.error ?? '', error);
  return result;
}

const newTarget = () => newDatabase({ cluster: elsewhere });

/** A database of its own into which the good backup was restored. */
async function restoredTarget() {
  restoredOnce ??= (async () => {
    const db = await newTarget();
    assert.equal((await restore(db, path('good.dump'))).code, 0);
    return db.name;
  })();
  return new Database(elsewhere, await elsewhere.createDatabase(await restoredOnce));
}

const path = (name) => join(folder, name);
const epochOf = async (db) => (await db.row('SELECT epoch FROM log_head')).epoch;

/** All rows of all tables of Fluxora, but for who keeps changing by itself. */
async function everything(db) {
  const names = await db.rows(`SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`);
  const all = names.map(({ name }) => `SELECT '${name}' AS "table", to_jsonb(t)::text AS row FROM ${name} t`).join(' UNION ALL ');
  const rows = Object.fromEntries(names.map(({ name }) => [name, []]));
  for (const { table, row } of await db.rows(`${all} ORDER BY 1, 2`)) rows[table].push(row);
  return rows;
}

/** Fails unless `work` leaves the database as it is. */
async function leavesAsItIs(db, work) {
  const before_ = await everything(db);
  await work();
  assert.deepEqual(await everything(db), before_);
}

/** The stack's database has what can't be compressed while `work` is done: more than one part of it. */
async function withBulk(work) {
  // The same chance text in each row: compression doesn't look back so far.
  await stack.db.rows(`WITH chance AS MATERIALIZED
    (SELECT encode(string_agg(decode(md5(random()::text), 'hex'), ''), 'base64') AS text FROM generate_series(1, 49152))
    INSERT INTO webhook_messages (epoch, seq, event, stream_id, body, deliveries)
    SELECT '', i, 'stream.updated', '', text, 1 FROM chance CROSS JOIN generate_series(1, 26) i`);
  try {
    await work();
  } finally {
    await stack.db.rows("DELETE FROM webhook_messages WHERE epoch = ''");
  }
}

/** Whether a restore has the lock of migrations, before it drops anything. Asked elsewhere: who asks there is in its way. */
const hasBegun = async ({ name }) => (await elsewhere.query('postgres', `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE d.datname = '${name}' AND locktype = 'advisory' AND granted`)).rows.length > 0;

/** Command lines and environments of the programs that backups and restores had started when S3 was asked something. */
const children = [];

/** Those that this process has now; without such as end meanwhile. */
const childrenOf = (parent) => readdirSync('/proc').filter((id) => /^[0-9]+$/.test(id)).flatMap((id) => {
  try {
    const [, ppid] = readFileSync(`/proc/${id}/stat`, 'latin1').split(') ').at(-1).split(' ');
    if (Number(ppid) !== parent) return [];
    return [{ arguments: readFileSync(`/proc/${id}/cmdline`, 'utf8'), environment: readFileSync(`/proc/${id}/environ`, 'utf8') }];
  } catch {
    return [];
  }
});

/** Creations, changes and ledgers until it is stopped. */
function writeLoad() {
  let running = true;
  const done = (async () => {
    let writes = 0;
    for (let round = 0; running; round += 1) {
      const answers = await Promise.all([0, 1, 2, 3].map(() => create(stack.baseUrl)));
      for (const { status, text } of answers) assert.equal(status, 201, text);
      const { id } = answers[0].json;
      assert.equal((await setStatus(stack.baseUrl, id, 'paused')).status, 200);
      assert.equal((await cancel(stack.baseUrl, answers[1].json.id)).status, 200);
      if (round % 4 === 0) stack.sim.runScenario(1, { actionsPerLedger: 3 });
      writes += 6;
    }
    return writes;
  })();
  return async () => {
    running = false;
    return done;
  };
}

describe('a backup under write load', () => {
  test('is one moment of the log, which is restored into an empty cluster', async () => {
    const stopLoad = writeLoad();
    const target = await newTarget();
    let made;
    let begun = 0;
    try {
      await waitFor(async () => (await stack.head()).seq > 100, { what: 'the load to get going' });
      begun = (await stack.head()).seq;
      made = await backup(path('load.dump'));
      await waitFor(async () => (await stack.head()).seq > begun + 20, { what: 'the load to go on' });
    } finally {
      assert.ok(await stopLoad() > 0);
    }
    assert.deepEqual([made.code, made.bytes, made.sha256],
      [0, statSync(path('load.dump')).size, sha256(readFileSync(path('load.dump')))]);
    assert.equal(statSync(path('load.dump')).mode & 0o777, 0o600);
    assert.ok(!existsSync(path('load.dump.partial')));

    const restored = await restore(target, path('load.dump'));
    assert.deepEqual([restored.code, restored.sha256], [0, made.sha256], JSON.stringify(restored));
    const { head } = await checkDatabase(target);
    assert.ok(head >= begun, `${head} entries, of which ${begun} were there before`);
    assert.equal((await verify(target)).code, 0);
    // The log up to there is the one that goes on.
    const columns = 'SELECT * FROM events WHERE seq <= $1 ORDER BY seq';
    assert.deepEqual(await target.rows(columns, [head]), await stack.db.rows(columns, [head]));
    const digest = 'SELECT digest FROM ledgers WHERE digest IS NOT NULL AND sequence <= $1 ORDER BY sequence DESC LIMIT 1';
    const { ledger } = await target.row('SELECT ledger FROM indexer_checkpoint');
    assert.deepEqual(await target.row(digest, [ledger]), await stack.db.row(digest, [ledger]));
    assert.notEqual(await epochOf(target), await epochOf(stack.db));
  });

  test('goes to S3, as the official SDK sees it', async () => {
    await stack.settle();
    const held = await dumpDatabase(stack.db);
    const made = await backup(`s3://${BUCKET}/nightly/one.dump`);
    assert.equal(made.code, 0, JSON.stringify(made));
    const head = await s3.head('nightly/one.dump');
    assert.equal(head.ContentLength, made.bytes);
    const bytes = await s3.get('nightly/one.dump');
    assert.deepEqual([bytes.length, sha256(bytes)], [made.bytes, made.sha256]);
    assert.deepEqual(s3.uploads, []);
    writeFileSync(path('good.dump'), bytes);
    const list = execFileSync(join(elsewhere.programs, 'pg_restore'), ['--list', path('good.dump')], { encoding: 'utf8' });
    assert.match(list, /TABLE DATA public log_head/);
    good = { held, made, bytes };
  });

  test('goes there in parts where it is large', () => withBulk(async () => {
    s3.seen.length = 0;
    const { command, ended } = begin(['backup', '--to', `s3://${BUCKET}/large.dump`]);
    s3.network = ({ step }) => { if (step === 'part') children.push(...childrenOf(command.process?.pid)); };
    const made = resultOf(await ended());
    s3.calm();
    assert.equal(made.code, 0, JSON.stringify(made));
    const parts = s3.seen.filter(({ step }) => step === 'part').map(({ bytes }) => bytes);
    assert.ok(parts.length >= 2, `${parts.length} parts of ${made.bytes} bytes`);
    assert.deepEqual(parts.slice(0, -1).filter((bytes) => bytes !== 16 * 1024 * 1024), []);
    assert.equal(sha256(await s3.get('large.dump')), made.sha256);
  }));

  test('comes back from S3, and verify says identical digests', async () => {
    const target = await newTarget();
    const restored = await restore(target, `s3://${BUCKET}/nightly/one.dump`);
    assert.deepEqual([restored.code, restored.sha256], [0, good.made.sha256], JSON.stringify(restored));
    assertSameDump(await dumpDatabase(target), good.held);
    const [there, here] = [await verify(target), await verify(stack.db)];
    assert.equal(there.code, 0);
    for (const key of ['digest', 'entries', 'streams', 'ledgers']) assert.deepEqual(there[key], here[key], key);
    // Who did what: the backup in the log of the database that it is of, the restore in that of the other one.
    const [made] = await stack.db.rows("SELECT actor, target, detail FROM audit_log WHERE action = 'backup.create' AND target LIKE 's3:%/one.dump'");
    const back = await target.row("SELECT actor, target, detail FROM audit_log WHERE action = 'backup.restore'");
    for (const record of [made, back]) {
      assert.deepEqual({ ...record, detail: JSON.parse(record.detail) }, {
        actor: 'command', target: `s3://${BUCKET}/nightly/one.dump`, detail: { bytes: good.made.bytes, sha256: good.made.sha256 },
      });
    }
  });

  test('is served under a new epoch, and old cursors are told so', async () => {
    const target = await newTarget();
    const old = await stack.head();
    assert.equal((await restore(target, path('good.dump'))).code, 0);
    const server = await ServerProcess.start({ ...serverEnvironment(target, stack.sim) });
    const { resume } = await (await fetch(`${server.baseUrl}/api/events?after=${old.cursor}`)).json();
    assert.equal(resume.outcome, 'epoch_changed');
    const fresh = await epochOf(target);
    assert.notEqual(fresh, old.epoch);
    const created = await create(server.baseUrl);
    assert.equal(created.status, 201, created.text);
    await server.stop();
    await checkDatabase(target);
    assert.equal((await verify(target)).code, 0);
  });
});

describe('what a restore finds', () => {
  test('is replaced, whatever the database had: other partitions, a replay under way, a newer table', async () => {
    const target = await restoredTarget();
    const before_ = await everything(target);
    const first = await epochOf(target);
    const { partitioned_to: from } = await target.row('SELECT partitioned_to FROM log_head');
    await target.rows(`CREATE TABLE events_${from} PARTITION OF events FOR VALUES FROM (${from}) TO (${Number(from) + 1000})`);
    await target.rows('CREATE SCHEMA fluxora_next');
    await target.rows('CREATE TABLE fluxora_next.events (seq bigint)');
    await target.rows('CREATE TABLE of_a_newer_version (id bigint GENERATED ALWAYS AS IDENTITY, epoch text)');
    await target.rows("INSERT INTO replay_jobs (kind, state, contracts, restart, started_by) VALUES ('rebuild', 'running', '', false, 'command')");
    await target.rows('DELETE FROM streams');
    assert.equal((await restore(target, path('good.dump'))).code, 0);
    assert.equal((await target.rows("SELECT FROM pg_class WHERE relname IN ('of_a_newer_version', $1)", [`events_${from}`])).length, 0);
    assert.equal((await target.rows("SELECT FROM pg_namespace WHERE nspname = 'fluxora_next'")).length, 0);
    const now = await everything(target);
    for (const table of ['events', 'streams', 'ledgers', 'replay_jobs', 'webhook_endpoints']) assert.deepEqual(now[table], before_[table], table);
    assert.notEqual(await epochOf(target), first);
    assert.equal((await verify(target)).code, 0);
  });

  test('is refused where it is something else’s', async () => {
    const target = await newTarget();
    await target.rows('CREATE TABLE users (id bigint)');
    await refused(restore(target, path('good.dump')), /tables of something else/);
    assert.equal((await target.rows('SELECT FROM users')).length, 0);
  });

  test('is replaced by its owner, who is no superuser', async () => {
    const target = await newTarget();
    const password = randomBytes(16).toString('hex');
    await elsewhere.query('postgres', `CREATE ROLE plain_owner LOGIN PASSWORD '${password}'`);
    await elsewhere.query('postgres', `ALTER DATABASE ${target.name} OWNER TO plain_owner`);
    const url = Object.assign(new URL(target.url), { username: 'plain_owner', password });
    const owned = new Database(elsewhere, { name: target.name, url: url.href });
    for (const args of [[], ['--terminate']]) {
      const result = await restore(owned, path('good.dump'), args);
      assert.equal(result.code, 0, JSON.stringify(result));
    }
    assert.equal((await backup(path('owned.dump'), {}, owned)).code, 0);
    assert.equal((await verify(owned)).code, 0);
  });

  test('ends jobs and replays of webhooks that belonged to the old epoch', async () => {
    const source = await restoredTarget();
    await source.rows("INSERT INTO replay_jobs (kind, state, contracts, restart, started_by) VALUES ('replay', 'paused', 'C', false, 'command')");
    await source.rows(`INSERT INTO webhook_replays (endpoint, epoch, after_seq, through_seq, place, state, started_by)
      SELECT 1, epoch, 0, 5, 0, 'running', 'command' FROM log_head`);
    const { webhooks_version: version } = await source.row('SELECT webhooks_version FROM log_head');
    assert.equal((await backup(path('jobs.dump'), {}, source)).code, 0);
    assert.equal((await restore(source, path('jobs.dump'))).code, 0);
    assert.deepEqual(await source.rows('SELECT state, message FROM replay_jobs'), [{ state: 'failed', message: 'The database was restored' }]);
    assert.deepEqual(await source.rows('SELECT state, message FROM webhook_replays'), [{ state: 'failed', message: 'The database was restored' }]);
    const now = await source.row('SELECT webhooks_version FROM log_head');
    assert.ok(BigInt(now.webhooks_version) > BigInt(version), 'whoever kept the endpoints in mind reads them again');
  });
});

describe('what isn’t a whole backup changes nothing', () => {
  /** @type {import('../integration/harness/stack.js').Database} */
  let target;
  before(async () => {
    target = await restoredTarget();
  });

  const whole = () => good.bytes;
  /** Of the table that has most of them: each table's are one stream of zlib. */
  const middleOfRows = (bytes) => {
    const starts = [];
    for (let at = bytes.indexOf('789c', 0, 'hex'); at >= 0; at = bytes.indexOf('789c', at + 1, 'hex')) starts.push(at);
    const spans = starts.map((start, i) => ({ start, length: (starts[i + 1] ?? bytes.length) - start }));
    const { start, length } = spans.reduce((most, span) => (span.length > most.length ? span : most));
    return start + (length >> 1);
  };
  for (const [name, bytes, message] of [
    ['an empty file', () => Buffer.alloc(0), /it is empty/],
    ['garbage', () => randomBytes(100_000), /isn't a backup/],
    ['a plain SQL dump', () => Buffer.from('-- PostgreSQL database dump\nDROP TABLE events;\n'), /isn't a backup/],
    ['a head alone', () => Buffer.from('PGDMP'), /damaged or not whole/],
    ['one that lacks its last byte', () => whole().subarray(0, whole().length - 1), /damaged or not whole/],
    ['one that lacks its second half', () => whole().subarray(0, whole().length >> 1), /damaged or not whole/],
    ['one with a changed byte in its rows', () => {
      const changed = Buffer.from(whole());
      changed[middleOfRows(changed)] ^= 0x55;
      return changed;
    }, /damaged or not whole/],
  ]) {
    test(`${name}, from a file and from S3`, () => leavesAsItIs(target, async () => {
      const bad = bytes();
      writeFileSync(path('bad.dump'), bad);
      await s3.put('bad.dump', bad);
      for (const place of [path('bad.dump'), `s3://${BUCKET}/bad.dump`]) await refused(restore(target, place), message);
    }));
  }

  test('another backup than the one of that hash', async () => {
    await leavesAsItIs(target, () => refused(restore(target, path('load.dump'), ['--sha256', good.made.sha256]), /isn't the one of that SHA-256/));
    assert.equal((await restore(target, path('good.dump'), ['--sha256', 'abc'])).code, 2);
    assert.equal((await restore(target, path('good.dump'), ['--sha256', good.made.sha256])).code, 0);
  });

  test('a backup of something else', () => leavesAsItIs(target, async () => {
    const other = await newTarget();
    await other.rows('CREATE TABLE users (id bigint)');
    const dump = execFileSync(join(elsewhere.programs, 'pg_dump'), ['--format=custom', other.url]);
    writeFileSync(path('other.dump'), dump);
    await refused(restore(target, path('other.dump')), /backup of something else/);
    await refused(backup(path('none.dump'), {}, other), /nothing to back up/);
    assert.ok(!existsSync(path('none.dump')));
  }));

  test('a backup of a newer version', () => leavesAsItIs(target, async () => {
    const newer = await restoredTarget();
    await newer.rows("INSERT INTO schema_migrations (name, checksum) VALUES ('999_future', 'aa')");
    assert.equal((await backup(path('newer.dump'), {}, newer)).code, 0);
    await refused(restore(target, path('newer.dump')), /newer version: it has migration 999_future/);
  }));

  test('a backup with large objects, whose SQL would commit halfway', () => leavesAsItIs(target, async () => {
    const other = await restoredTarget();
    await other.rows("SELECT lo_from_bytea(0, 'somebody else’s')");
    writeFileSync(path('objects.dump'), execFileSync(join(elsewhere.programs, 'pg_dump'), ['--format=custom', other.url]));
    await refused(restore(target, path('objects.dump')), /has large objects/);
    // Our own leaves them out.
    assert.equal((await backup(path('objects.dump'), {}, other)).code, 0);
    assert.equal((await restore(other, path('objects.dump'))).code, 0);
  }));

  test('one that can’t be put in: the transaction takes all back', () => leavesAsItIs(target, async () => {
    const other = await restoredTarget();
    await other.rows('CREATE TABLE zz_odd (id bigint)');
    await other.rows('INSERT INTO zz_odd VALUES (1), (1)');
    assert.equal((await backup(path('odd.dump'), {}, other)).code, 0);
    // A backup whose last table can't be made: there is a schema of that name's type in the way.
    await target.rows('CREATE SCHEMA kept');
    await target.rows('CREATE FUNCTION kept.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN'
      + " IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.zz_odd') THEN RAISE EXCEPTION 'not this one'; END IF; END $$");
    await target.rows("CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION kept.refuse()");
    await refused(restore(target, path('odd.dump')), /The database refused, and is as it was/, /not this one/);
    await target.rows('DROP EVENT TRIGGER refuse');
    await target.rows('DROP SCHEMA kept CASCADE');
  }));

  test('places that a shell would read otherwise, or that there aren’t', async () => {
    for (const place of ['/tmp/a;id', '$(id)', 'a b', '`x`', 's3://bucket/a|b', 's3://B/x', 'ftp://x/y', '/tmp/']) {
      for (const args of [['backup', '--to', place], ['restore', '--from', place]]) {
        const result = await run(target, args);
        assert.equal(result.code, 2, JSON.stringify(result));
      }
    }
    await refused(restore(target, path('absent.dump')), /can't be read/, /No such file/);
    await refused(restore(target, `s3://${BUCKET}/absent.dump`), /no such object/, /404 NoSuchKey/);
    await refused(restore(target, 's3://another-bucket/absent.dump'), /no such bucket/, /404 NoSuchBucket/);
    const other = await runCommand(['backup', '--to', path('x.dump')], { DATABASE_URL: 'mysql://u:hidden@h/d' });
    assert.equal(other.code, 2);
    assert.match(other.stderr, /DATABASE_URL must begin with postgres/);
    assert.ok(!`${other.stdout}${other.stderr}`.includes('hidden'));
  });
});

describe('other sessions', () => {
  test('are named and left alone', async () => {
    const target = await restoredTarget();
    const client = elsewhere.client(target.name);
    await client.connect();
    await client.query("SET application_name = 'somebody'");
    await leavesAsItIs(target, async () => {
      const { error } = await refused(restore(target, path('good.dump')), /Other sessions are connected/, /somebody/);
      assert.ok(!error.includes('fluxora-'), 'its own isn’t one');
    });
    assert.equal((await client.query('SELECT 1')).rows.length, 1);
    await client.end();
  });

  test('are ended by --terminate, also where they hold the tables, and a server goes on with what was restored', async () => {
    const target = await restoredTarget();
    const server = await ServerProcess.start({ ...serverEnvironment(target, null), CONTRACT_IDS: undefined });
    assert.equal((await create(server.baseUrl)).status, 201);
    const holder = elsewhere.client(target.name);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM log_head FOR UPDATE');
    const { code, message, error } = await restore(target, path('good.dump'), ['--terminate']);
    assert.equal(code, 0, `${message} ${error}`);
    await assert.rejects(holder.query('SELECT 1'));
    await holder.end().catch(() => {});
    // Its connections come back, and it has the log that is there now.
    const epoch = await epochOf(target);
    await waitFor(async () => {
      const answer = await fetch(`${server.baseUrl}/api/streams?limit=1`);
      return answer.status === 200 && answer.headers.get('x-fluxora-cursor')?.startsWith(`${epoch}-`);
    }, { what: 'the server to serve the restored log', describe: () => server.logs.slice(-10) });
    assert.equal((await waitFor(async () => {
      const answer = await create(server.baseUrl);
      return answer.status === 201 && answer;
    }, { what: 'a creation' })).status, 201);
    await server.stop();
    await checkDatabase(target);
    assert.equal((await verify(target)).code, 0);
  });

  test('that come while it checks the archive end it before anything is dropped', async () => {
    const target = await restoredTarget();
    const client = elsewhere.client(target.name);
    await leavesAsItIs(target, async () => {
      let gets = 0;
      s3.network = async () => {
        gets += 1;
        if (gets === 1) await client.connect();
      };
      await refused(restore(target, `s3://${BUCKET}/nightly/one.dump`), /The database refused, and is as it was/, /other sessions are connected: 1/);
      s3.calm();
      await client.end();
    });
  });

  test('that come while it restores wait, and find what was restored', async () => {
    const target = await newTarget();
    const late = new ServerProcess({ env: serverEnvironment(target, stack.sim) });
    // The second reading of the archive is held up until somebody has come.
    let gets = 0;
    s3.network = async ({ step }) => {
      if (step === 'get') gets += 1;
      if (step !== 'get' || gets !== 2) return;
      await waitFor(() => hasBegun(target), { what: 'the restore to lock others out' });
      late.spawn();
      await waitFor(async () => (await elsewhere.query('postgres', `SELECT FROM pg_stat_activity
        WHERE datname = '${target.name}' AND wait_event = 'advisory'`)).rows.length > 0, { what: 'the server to wait' });
    };
    const restored = await restore(target, `s3://${BUCKET}/nightly/one.dump`);
    s3.calm();
    assert.equal(restored.code, 0, JSON.stringify(restored));
    await late.waitForLog(({ event }) => event === 'listening', 'the server to listen');
    await late.stop();
    await checkDatabase(target);
    assert.equal((await verify(target)).code, 0);
  });
});

describe('a backup that is interrupted leaves nothing', () => {
  /** An empty database. @type {import('../integration/harness/stack.js').Database} */
  let empty;
  before(async () => { empty = await newTarget(); });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL']) {
    test(`by ${signal} in the middle of an upload`, async () => {
      const key = `interrupted/${signal}.dump`;
      let reached = false;
      s3.network = ({ step }) => {
        if (step !== 'part') return undefined;
        reached = true;
        return 'hang';
      };
      const { command, ended } = begin(['backup', '--to', `s3://${BUCKET}/${key}`]);
      await waitFor(() => reached, { what: 'the upload’s first part', describe: () => command.outcome() });
      command.process?.kill(signal);
      const end = await ended();
      s3.calm();
      assertNoSecret(end.stdout + end.stderr, 'the output');
      assert.ok(!(await s3.keys()).includes(key), 'no object');
      if (signal === 'SIGKILL') {
        assert.equal(s3.uploads.length, 1, 'the parts are left to the bucket’s lifecycle rule');
        rmSync(s3.uploadDirectory(s3.uploads[0]), { recursive: true });
      } else {
        assert.deepEqual(JSON.parse(end.stdout), { success: false, message: 'Stopped by a signal.' });
        assert.equal(end.code, 3);
        assert.deepEqual(s3.uploads, [], 'the upload was aborted');
      }
      await waitFor(async () => (await stack.db.rows("SELECT FROM pg_stat_activity WHERE application_name LIKE '%backup%'")).length === 0,
        { what: 'pg_dump’s session to end' });
      await refused(restore(empty, `s3://${BUCKET}/${key}`), /no such object/);
    });
  }

  test('by a database that goes away, in a file as in S3', async () => {
    writeFileSync(path('former.dump'), 'what was there before');
    // pg_dump waits for a table that somebody holds, until its session is ended.
    for (const to of [path('former.dump'), `s3://${BUCKET}/gone.dump`]) {
      const holder = stack.db.cluster.client(stack.db.name);
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
      const { command, ended } = begin(['backup', '--to', to]);
      await waitFor(async () => (await stack.db.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE '%backup%' AND wait_event_type = 'Lock'`)).length > 0, { what: 'pg_dump to wait', describe: () => command.outcome() });
      await holder.query('ROLLBACK');
      await holder.end();
      const result = resultOf(await ended());
      assert.equal(result.code, 1);
      assert.match(result.message, /pg_dump ended with exit code 1/);
      assert.match(result.error, /terminating connection|connection to the server was lost|closed the connection/);
    }
    assert.equal(readFileSync(path('former.dump'), 'utf8'), 'what was there before');
    assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.partial')), []);
    assert.deepEqual(s3.uploads, []);
    assert.ok(!(await s3.keys()).includes('gone.dump'));
  });

  test('a restore that is killed leaves the database as it was, and runs again', async () => {
    const target = await restoredTarget();
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      await leavesAsItIs(target, async () => {
        let gets = 0;
        s3.network = ({ step }) => {
          if (step === 'get') gets += 1;
          return gets > 1 ? 'hang' : undefined;
        };
        const { command, ended } = begin(['restore', '--from', `s3://${BUCKET}/nightly/one.dump`], {}, target);
        await waitFor(() => gets > 1 && hasBegun(target), { what: 'the second reading', describe: () => command.outcome() });
        command.process?.kill(signal);
        const { code } = await ended();
        s3.calm();
        assert.equal(code, signal === 'SIGTERM' ? 3 : null);
        await waitFor(async () => (await target.rows("SELECT FROM pg_stat_activity WHERE application_name LIKE '%restore%'")).length === 0,
          { what: 'psql’s session to end' });
      });
    }
    assert.equal((await restore(target, `s3://${BUCKET}/nightly/one.dump`)).code, 0);
  });
});

describe('a network that fails', () => {
  test('costs attempts, not backups: lost connections, refusals, changed bytes, lost answers', () => withBulk(async () => {
    s3.seen.length = 0;
    const counts = new Map();
    const plan = {
      // No request fails twice in a row, so that no pause is longer than the first.
      uploads: ['drop'],
      part: ['corrupt', undefined, 'lose the answer'],
      complete: ['lose the answer'],
      get: [503, undefined, 'drop', undefined, 429],
    };
    s3.network = ({ step }) => {
      const at = counts.get(step) ?? 0;
      counts.set(step, at + 1);
      return plan[step]?.[at];
    };
    const made = await backup(`s3://${BUCKET}/flaky.dump`);
    assert.equal(made.code, 0, JSON.stringify(made));
    assert.equal(sha256(await s3.get('flaky.dump')), made.sha256);
    assert.deepEqual(s3.uploads, []);
    const target = await newTarget();
    const restored = await restore(target, `s3://${BUCKET}/flaky.dump`);
    assert.deepEqual([restored.code, restored.sha256], [0, made.sha256], JSON.stringify(restored));
    for (const step of ['uploads', 'part', 'complete', 'get']) assert.ok(counts.get(step) > plan[step].length, step);
    s3.calm();
  }));

  test('that doesn’t let a part through ends the backup, and the upload', async () => {
    s3.network = ({ step }) => (step === 'part' ? 413 : undefined);
    await refused(backup(`s3://${BUCKET}/never.dump`), /refuses to take a part/, /413/);
    s3.calm();
    assert.deepEqual(s3.uploads, []);
    assert.ok(!(await s3.keys()).includes('never.dump'));
  });

  test('an object that is written again while it is restored is found out', async () => {
    const target = await newTarget();
    await s3.put('changing.dump', good.bytes);
    const changed = Buffer.concat([good.bytes, Buffer.from('x')]);
    let gets = 0;
    s3.network = async ({ step }) => {
      if (step !== 'get') return;
      gets += 1;
      if (gets === 2) await s3.put('changing.dump', changed);
    };
    await refused(restore(target, `s3://${BUCKET}/changing.dump`), /isn't the one any more|damaged or not whole/);
    s3.calm();
    assert.equal((await target.rows("SELECT FROM pg_class WHERE relname = 'log_head'")).length, 0);
  });
});

describe('credentials', () => {
  test('that are wrong are named and not printed', async () => {
    const to = `s3://${BUCKET}/refused.dump`;
    const wrong = 'a-wrong-secret-that-nobody-prints';
    const target = await newTarget();
    for (const [env, message, error] of [
      [{ AWS_SECRET_ACCESS_KEY: wrong }, /AWS_SECRET_ACCESS_KEY isn't the one of AWS_ACCESS_KEY_ID/, /403 SignatureDoesNotMatch/],
      [{ AWS_SESSION_TOKEN: wrong }, /AWS_SESSION_TOKEN isn't valid any more/, /403 InvalidToken/],
      [{ AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN' }, /AWS_/, /403/],
    ]) {
      for (const answer of [await backup(to, env), await restore(target, `s3://${BUCKET}/nightly/one.dump`, [], env)]) {
        await refused(answer, message, error);
        assert.ok(!JSON.stringify(answer).includes(wrong));
      }
    }
    const { code, message } = await backup(to, { AWS_SECRET_ACCESS_KEY: undefined });
    assert.deepEqual([code, message], [2, 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set: the place is one of S3.']);
    const database = stack.db.url.replace(stack.db.cluster.password, wrong);
    for (const args of [['backup', '--to', path('refused.dump')], ['restore', '--from', path('good.dump')]]) {
      const result = resultOf(await runCommand(args, { DATABASE_URL: database }));
      await refused(result, /database can't be reached/, /password authentication failed for user "fluxora"/);
      assert.ok(!JSON.stringify(result).includes(wrong));
    }
    assert.ok(!(await s3.keys()).includes('refused.dump'));
  });

  test('never reach a program’s arguments or environment', async () => {
    const { command, ended } = begin(['restore', '--from', `s3://${BUCKET}/nightly/one.dump`], {}, await newTarget());
    s3.network = ({ step }) => { if (step === 'get') children.push(...childrenOf(command.process?.pid)); };
    assert.equal(resultOf(await ended()).code, 0);
    s3.calm();
    for (const program of ['pg_dump', 'pg_restore', 'psql']) {
      assert.ok(children.some((child) => child.arguments.includes(`/${program}\0`)), `${program} was seen`);
    }
    for (const child of children) {
      assertNoSecret(child.arguments, 'a command line');
      assertNoSecret(child.environment, 'an environment');
      assert.ok(!child.environment.includes(ACCESS_KEY));
    }
  });
});
