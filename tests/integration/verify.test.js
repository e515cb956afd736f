// `fluxora-server verify` and `rebuild`, and GET /api/ledgers/{n}: what is held is what the log says, or it is named
// and mended.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Address, nativeToScVal, xdr } from '@stellar/stellar-sdk';
import { cancel, create, setStatus } from './harness/api_streams.js';
import { checkDatabase } from './harness/log_database.js';
import { ServerProcess, runCommand } from './harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

/** @type {import('./harness/stack.js').Stack} */
let stack;
/** The number of a stream that others are split off from. */
let parent = 0n;

/** A command of the program, with its result; the process is given to `meanwhile` while it runs. */
async function run(db, args, meanwhile = async () => {}) {
  const command = new ServerProcess({ args, env: { DATABASE_URL: db.url } });
  command.spawn();
  await meanwhile(command);
  const { code, signal } = await command.exited;
  await command.kill9(); // it is gone already: nobody has to end it any more
  return { code, signal, result: command.logs[0], stderr: String(command.stderr) };
}
const verify = (db = stack.db) => run(db, ['verify']);
const rebuild = (meanwhile) => run(stack.db, ['rebuild', '--save-every', '50'], meanwhile);

async function checkClean(db = stack.db) {
  const { code, result, stderr } = await verify(db);
  assert.deepEqual([code, result?.differences], [0, []], stderr);
  return result;
}

/** Holds the log's end while `work` is done, as a writer would. */
async function whileLogIsHeld(work) {
  const holder = stack.db.cluster.client(stack.db.name);
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM log_head FOR UPDATE');
  try {
    await work();
  } finally {
    await holder.query('ROLLBACK');
    await holder.end();
  }
}

/** Ledgers with events, and everything behind them indexed. */
async function grow(ledgers = 4) {
  for (let i = 0; i < ledgers; i += 1) stack.sim.runScenario(1, { actionsPerLedger: 6 });
  stack.sim.closeLedger();
  await stack.waitForLedger();
}

/** The chain replaces its last ledgers, and the server has followed. */
async function fork(depth, content) {
  const retractions = async () => {
    const { count } = await stack.db.row('SELECT count(*)::int FROM events WHERE retracts IS NOT NULL');
    return count;
  };
  const before = await retractions();
  stack.sim.fork(depth, { content });
  stack.sim.closeLedger();
  await grow(1);
  await waitFor(async () => (await retractions()) > before, {
    what: 'the fork to be rolled back',
    describe: () => stack.server.logs.slice(-10),
  });
  await stack.waitForLedger();
}

/** A stream that another one splits off, as the contract tells it. */
async function delegate(parent, child) {
  const { contractId, people } = stack.sim;
  const address = new Address(Object.values(people)[0]).toScVal();
  const fields = {
    child_rate: nativeToScVal(1n, { type: 'i128' }),
    child_stream_id: nativeToScVal(child, { type: 'u64' }),
    delegatee: address,
    delegator: address,
    new_parent_rate: nativeToScVal(1n, { type: 'i128' }),
    parent_stream_id: nativeToScVal(parent, { type: 'u64' }),
    share_bps: nativeToScVal(5000, { type: 'u32' }),
  };
  const member = ([name, val]) => new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol(name), val });
  const value = xdr.ScVal.scvMap(Object.entries(fields).map(member)).toXDR('base64');
  const topics = [xdr.ScVal.scvSymbol('del_share'), nativeToScVal(parent, { type: 'u64' })];
  stack.sim.appendEvents([{ contractId, topics: topics.map((topic) => topic.toXDR('base64')), value }]);
  stack.sim.closeLedger();
  stack.sim.closeLedger();
  await stack.waitForLedger();
  const split = await stack.db.row('SELECT FROM streams WHERE id = $1', [stack.streamId(child)]);
  assert.ok(split, 'the stream was split off');
}

async function apiTraffic(count = 3) {
  for (let i = 0; i < count; i += 1) {
    const { json } = await create(stack.baseUrl);
    if (i % 3 > 0) await setStatus(stack.baseUrl, json.id, 'paused');
    if (i % 3 > 1) await cancel(stack.baseUrl, json.id);
  }
}

/** The newest ledger with a digest, hashes in hexadecimal. */
const newestDigest = () => stack.db.row(`SELECT sequence::int, encode(hash, 'hex') AS hash, closed_at,
  encode(digest, 'hex') AS digest FROM ledgers WHERE digest IS NOT NULL ORDER BY sequence DESC LIMIT 1`);

/** Streams by their columns, and the log as it is. */
const streams = () => stack.db.rows('SELECT * FROM streams ORDER BY id');

/**
 * Someone has written where nobody should: those columns of one row. Afterwards all is as it was, and found to be.
 * @param {string} table
 * @param {string} where
 * @param {Record<string, string>} values as SQL
 * @param {() => Promise<void>} check
 */
async function planted(table, where, values, check) {
  const set = Object.entries(values).map(([column, value]) => `${column} = ${value}`);
  const kept = `kept_${table}`;
  await stack.db.rows(`CREATE TABLE ${kept} AS SELECT ctid AS place, * FROM ${table} WHERE ${where}`);
  const { place } = await stack.db.row(`UPDATE ${table} SET ${set.join(', ')} WHERE ${where} RETURNING ctid AS place`);
  try {
    await check();
  } finally {
    const columns = Object.keys(values).map((column) => `${column} = k.${column}`);
    await stack.db.rows(`UPDATE ${table} t SET ${columns.join(', ')} FROM ${kept} k WHERE t.ctid = '${place}'`);
    await stack.db.rows(`DROP TABLE ${kept}`);
  }
  await checkClean();
}

before(async () => {
  stack = await startStack({ simulator: { seed: 'verify' }, server: { env: { WRITE_RATE_LIMIT: '0' } } });
  await grow(8);
  await apiTraffic();
  await fork(3, 'same');
  const { id } = await stack.db.row(`SELECT s.id FROM streams s CROSS JOIN indexer_checkpoint c
    WHERE source = 0 AND status IN (0, 1) AND end_time > c.closed_at ORDER BY id LIMIT 1`);
  parent = BigInt(id.split('-')[1]);
  await delegate(parent, 900_001n);
  await fork(2, 'empty');
  await apiTraffic();
  await delegate(parent, 900_001n);
  await grow(6);
  await fork(4, 'empty');
  await grow(4);
  await stack.waitForObservations();
});

after(() => stack?.stop());

describe('verify', () => {
  test('after traffic with forks everything is as the log says', async () => {
    const result = await checkClean();
    const counts = await stack.db.row(`SELECT (SELECT count(*)::int FROM events) AS entries,
      (SELECT count(*)::int FROM streams) AS streams,
      (SELECT count(*)::int FROM ledgers WHERE digest IS NOT NULL) AS ledgers`);
    const { entries, streams: folded, ledgers } = result;
    assert.deepEqual({ entries, streams: folded, ledgers }, counts);
    assert.equal(result.success, true);
    assert.equal(result.differenceCount, 0);
    assert.equal(result.digest, (await newestDigest()).digest);
    const kinds = (await stack.db.rows('SELECT DISTINCT event FROM events')).map(({ event }) => event);
    for (const event of ['stream.retracted', 'stream.observed', 'stream.created']) {
      assert.ok(kinds.includes(event), event);
    }
  });

  test('shows its progress as lines where stderr is no terminal', async () => {
    const { stderr } = await verify();
    const lines = stderr.trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.length >= 2);
    for (const line of lines) assert.equal(line.job, 'verify');
    assert.equal(lines.at(-1).done, lines.at(-1).total);
    assert.equal(lines.at(-1).remainingMs === null || lines.at(-1).remainingMs === 0, true);
  });

  test('names a wrong amount of a stream', async () => {
    const { id, deposit } = await stack.db.row('SELECT id, deposit FROM streams ORDER BY id LIMIT 1');
    await planted('streams', `id = '${id}'`, { deposit: 'deposit + 1' }, async () => {
      const { code, result } = await verify();
      assert.equal(code, 1);
      assert.equal(result.success, false);
      assert.equal(result.differenceCount, 1);
      const held = String(BigInt(deposit) + 1n);
      assert.deepEqual(result.differences, [{ stream: id, field: 'deposit', held, folded: deposit }]);
    });
  });

  test('names values that no stream can have', async () => {
    const { id } = await stack.db.row('SELECT id FROM streams ORDER BY id DESC LIMIT 1');
    await planted('streams', `id = '${id}'`, { status: '9', token: "'x'" }, async () => {
      const { result } = await verify();
      const told = result.differences.map(({ stream, field, held }) => [stream, field, held]);
      assert.deepEqual(told, [[id, 'status', '9'], [id, 'token', 'x']]);
    });
  });

  test('names missing and additional streams', async () => {
    const { id } = await stack.db.row('SELECT id FROM streams ORDER BY id LIMIT 1');
    await planted('streams', `id = '${id}'`, { id: "'zzz'" }, async () => {
      const { result } = await verify();
      assert.deepEqual(result.differences, [
        { stream: 'zzz', field: 'id', held: 'zzz', folded: null },
        { stream: id, field: 'id', held: null, folded: id },
      ]);
    });
  });

  test('names what is wrong with an entry', async () => {
    const { seq, state, change, prev } = await stack.db.row(`SELECT seq, encode(stream_state, 'hex') AS state, change,
      prev_seq AS prev FROM events WHERE prev_seq IS NOT NULL AND stream_state <> '' ORDER BY seq DESC LIMIT 1`);
    const names = (field, value, held, folded) =>
      planted('events', `seq = ${seq}`, { [field]: value }, async () => {
        const { code, result } = await verify();
        assert.equal(code, 1);
        assert.deepEqual(result.differences, [{ entry: Number(seq), field, held, folded }]);
      });
    const other = `${state.slice(0, 20)}${state[20] === '0' ? '1' : '0'}${state.slice(21)}`;
    const before = String(Number(prev) - 1);
    await names('stream_state', `'\\x${other}'`, other, state);
    await names('stream_state', 'NULL', null, state);
    await names('change', "'{\"x\":1}'", '{"x":1}', change);
    await names('prev_seq', before, before, prev);
    await names('prev_seq', 'NULL', null, prev);
  });

  test('names a retraction of nothing', async () => {
    const { seq } = await stack.db.row('SELECT seq FROM events WHERE retracts IS NOT NULL ORDER BY seq LIMIT 1');
    await planted('events', `seq = ${seq}`, { retracts: seq }, async () => {
      const { result } = await verify();
      const told = result.differences.find(({ entry, field }) => entry === Number(seq) && field === 'retracts');
      assert.equal(told?.held, seq);
    });
  });

  test('names a hole, which a rebuild refuses to fold', async () => {
    // An entry of its own stream, in nobody's way.
    await create(stack.baseUrl);
    await create(stack.baseUrl);
    const last = Number((await stack.db.row('SELECT seq FROM log_head')).seq);
    await stack.db.rows(`CREATE TABLE taken AS SELECT * FROM events WHERE seq = ${last - 1}`);
    await stack.db.rows(`DELETE FROM events WHERE seq = ${last - 1}`);
    const { result } = await verify();
    const [{ entry, field, held, folded }] = result.differences;
    assert.deepEqual([entry, field, held, folded], [last - 1, 'seq', String(last), String(last - 1)]);
    assert.equal(result.differenceCount, 2, 'and its stream is one that the log knows nothing of');
    const refused = await rebuild();
    assert.equal(refused.code, 1);
    assert.match(refused.result.message, new RegExp(`entry ${last - 1} is missing`));
    await stack.db.rows('INSERT INTO events SELECT * FROM taken');
    await stack.db.rows('DROP TABLE taken');
    await checkClean();
  });

  test('names a wrong digest', async () => {
    const { sequence, digest } = await newestDigest();
    await planted('ledgers', `sequence = ${sequence}`, { digest: "sha256('')" }, async () => {
      const { result } = await verify();
      assert.equal(result.differenceCount, 1);
      const [{ ledger, field, folded }] = result.differences;
      assert.deepEqual([ledger, field, folded], [sequence, 'digest', digest]);
    });
  });

  test('names a row that is no entry at all', async () => {
    const { seq } = await stack.db.row('SELECT seq FROM events ORDER BY seq DESC LIMIT 1');
    await planted('events', `seq = ${seq}`, { event: "'nonsense'" }, async () => {
      const { code, result } = await verify();
      assert.equal(code, 1);
      assert.deepEqual([result.differences[0].entry, result.differences[0].field], [Number(seq), 'entry']);
    });
  });

  test('reads one moment, whatever is written meanwhile', async () => {
    let writing = true;
    const traffic = (async () => {
      while (writing) await create(stack.baseUrl);
    })();
    try {
      for (let i = 0; i < 3; i += 1) await checkClean();
    } finally {
      writing = false;
      await traffic;
    }
  });

  test('without a database says so, on stdout as JSON', async () => {
    const nowhere = { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' };
    const { code, stdout } = await runCommand(['verify'], nowhere);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout), { success: false, message: "The database can't be reached." });
  });

  test('and so it does, with code 2, where it is called or configured wrongly', async () => {
    for (const command of ['verify', 'rebuild', 'replay']) {
      const { code, stdout } = await runCommand([command], {});
      assert.equal(code, 2, command);
      const { success, message } = JSON.parse(stdout);
      assert.equal(success, false);
      assert.match(message, /configuration/);
    }
    for (const args of [['nothing'], ['rebuild', '--save-every', '0'], ['replay', '--from'], []]) {
      assert.equal((await runCommand(args, {})).code, 2, args.join(' '));
    }
    assert.equal((await runCommand(['--help'], {})).code, 0);
  });
});

describe('rebuild', () => {
  /**
   * Wrong, missing and additional rows, of streams that nothing happens to any more: whoever changes a stream takes the
   * table's word for it. Gives what there was.
   */
  async function spoil() {
    const right = await streams();
    const [wrong, missing] = right.filter(({ source, status }) => source === 1 && status === 3).map(({ id }) => id);
    await stack.db.rows('UPDATE streams SET withdrawn = withdrawn + 7, sender = recipient WHERE id = $1', [wrong]);
    await stack.db.rows(`CREATE TEMPORARY TABLE another AS SELECT * FROM streams WHERE id = '${missing}';
      UPDATE another SET id = 'zzz'; INSERT INTO streams SELECT * FROM another`);
    await stack.db.rows('DELETE FROM streams WHERE id = $1', [missing]);
    return { right, wrong, missing };
  }

  test('of streams that are right changes nothing', async () => {
    const before = await stack.db.rows('SELECT id, xmin FROM streams ORDER BY id');
    const { code, result } = await rebuild();
    assert.equal(code, 0);
    assert.deepEqual([result.mended, result.mendedCount, result.resumedFrom], [[], 0, 0]);
    assert.equal(result.streams, before.length);
    assert.deepEqual(await stack.db.rows('SELECT id, xmin FROM streams ORDER BY id'), before, 'no row was written');
  });

  test('mends what differs, names it, and leaves the log alone', async () => {
    const { right, wrong, missing } = await spoil();
    const digestOfLog = "SELECT md5(string_agg(e::text, '|' ORDER BY seq)) FROM events e";
    const log = await stack.db.rows(digestOfLog);
    const { code, result } = await rebuild();
    assert.equal(code, 0);
    assert.deepEqual(await streams(), right);
    assert.equal(result.mendedCount, 3);
    assert.deepEqual(result.mended.map(({ stream }) => stream).sort(), [wrong, missing, 'zzz'].sort());
    const { differences } = result.mended.find(({ stream }) => stream === wrong);
    assert.deepEqual(differences.map(({ field }) => field), ['sender', 'withdrawn']);
    assert.deepEqual([differences[1].held, differences[1].folded], ['7', '0']);
    assert.deepEqual(await stack.db.rows(digestOfLog), log);
    const audited = await stack.db.row('SELECT actor, action, detail FROM audit_log ORDER BY position DESC LIMIT 1');
    assert.deepEqual(audited, { actor: 'command', action: 'rebuild.mend', detail: '{"streams":3}' });
    await checkClean();
  });

  test('beside live traffic is exact', async () => {
    await spoil();
    let writing = true;
    const traffic = (async () => {
      while (writing) {
        await apiTraffic(3);
        stack.sim.runScenario(1, { actionsPerLedger: 6 });
      }
    })();
    try {
      const { code, result } = await rebuild();
      assert.equal(code, 0);
      assert.equal(result.mendedCount, 3, 'what was spoilt, and nothing else');
    } finally {
      writing = false;
      await traffic;
    }
    await grow(1);
    await checkClean();
    await checkDatabase(stack.db);
  });

  /** Runs a rebuild up to its end, where it waits for the log, and ends it there by a signal. */
  async function interrupted(signal) {
    let ended;
    await whileLogIsHeld(async () => {
      ended = await rebuild(async (command) => {
        const waits = () => stack.db.row(`SELECT FROM pg_stat_activity WHERE application_name = 'fluxora-rebuild'
          AND wait_event_type = 'Lock' AND datname = current_database()`);
        await waitFor(async () => (await waits()) !== undefined, {
          what: 'the rebuild to wait for the log',
          describe: () => command.outcome(),
        });
        command.process.kill(signal);
      });
    });
    return ended;
  }

  test('ended by a signal says how to go on, and goes on', async () => {
    const { right } = await spoil();
    const { code, result } = await interrupted('SIGTERM');
    assert.equal(code, 3);
    assert.equal(result.success, false);
    assert.match(result.message, /^Paused behind entry [0-9]+: run rebuild again/);
    const again = await rebuild();
    assert.equal(again.code, 0);
    assert.equal(again.result.resumedFrom, result.entries);
    assert.equal(again.result.mendedCount, 3);
    assert.deepEqual(await streams(), right);
  });

  test('killed goes on from its last place, also where what it had folded is undone since', async () => {
    await delegate(parent, 900_002n);
    await delegate(900_002n, 900_003n);
    const { signal } = await interrupted('SIGKILL');
    assert.equal(signal, 'SIGKILL');
    const { seq } = await stack.db.row('SELECT seq FROM rebuild_place');
    assert.ok(Number(seq) > 0);
    await grow(2);
    await fork(12, 'empty');
    await spoil();
    const again = await rebuild();
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.result.resumedFrom, Number(seq));
    assert.equal(again.result.mendedCount, 3);
    await checkClean();
    assert.equal(await stack.db.row('SELECT FROM rebuild_place'), undefined);
    assert.equal(await stack.db.row('SELECT FROM rebuild_states'), undefined);
  });

  test('is refused while another one runs', async () => {
    await whileLogIsHeld(async () => {
      await rebuild(async (command) => {
        // The lower half of its lock's number.
        const claimed = () => stack.db.row(`SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
          WHERE locktype = 'advisory' AND datname = current_database() AND objid = ${0x72626c64}`);
        await waitFor(async () => (await claimed()) !== undefined, { what: 'the rebuild to begin' });
        const { code, result } = await rebuild();
        assert.equal(code, 1);
        assert.match(result.message, /Another rebuild/);
        command.process.kill('SIGINT');
      });
    });
    assert.equal((await rebuild()).code, 0);
  });
});

describe('GET /api/ledgers/{n}', () => {
  const ledger = (number) => stack.request(`/api/ledgers/${number}`);

  test('shows the nearest digest, and the header where it is held', async () => {
    const held = await newestDigest();
    const answer = await ledger(held.sequence);
    assert.equal(answer.status, 200);
    const last = Number((await stack.db.row('SELECT ledger FROM indexer_checkpoint')).ledger);
    assert.deepEqual(answer.json, {
      ledger: held.sequence,
      hash: held.hash,
      closedAt: new Date(Number(held.closed_at) * 1000).toISOString().replace('.000', ''),
      digest: held.digest,
      digestLedger: held.sequence,
      firstLedger: stack.sim.oldest.sequence,
      lastLedger: last,
      contracts: [stack.sim.contractId],
    });
    assert.match(answer.headers['x-fluxora-cursor'], /^[a-z0-9]+-[0-9]+$/);
    const newest = (await ledger(last)).json;
    assert.equal(newest.digest, held.digest);
  });

  test('is 404 outside of what is held, and 400 for what is no number', async () => {
    const first = stack.sim.oldest.sequence;
    const last = Number((await stack.db.row('SELECT ledger FROM indexer_checkpoint')).ledger);
    assert.equal((await ledger(first)).status, 200);
    assert.equal((await ledger(first - 1)).status, 404);
    assert.equal((await ledger(last + 1)).status, 404);
    assert.equal((await ledger('x')).status, 400);
  });

  test('agrees with another installation that reads the same chain, whatever forks it has seen', async () => {
    const db = await newDatabase();
    const other = await ServerProcess.start(serverEnvironment(db, stack.sim));
    try {
      const last = stack.sim.latest.sequence - 1;
      const there = async (number) => JSON.parse(await (await fetch(`${other.baseUrl}/api/ledgers/${number}`)).text());
      await waitFor(async () => (await there(last)).lastLedger >= last, {
        what: 'the other installation to have it all',
      });
      const compared = ({ digest, digestLedger, firstLedger }) => ({ digest, digestLedger, firstLedger });
      for (let number = stack.sim.oldest.sequence; number <= last; number += 1) {
        assert.deepEqual(compared(await there(number)), compared((await ledger(number)).json), `ledger ${number}`);
      }
      await checkClean(db);
    } finally {
      await other.end();
    }
  });

  test('is 404 where nothing is indexed', async () => {
    const db = await newDatabase();
    const empty = await ServerProcess.start(serverEnvironment(db, null));
    try {
      assert.equal((await fetch(`${empty.baseUrl}/api/ledgers/1`)).status, 404);
      await checkClean(db);
    } finally {
      await empty.end();
    }
  });
});
