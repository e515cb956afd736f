// GET /api/accounts/{address} and its statement, against streams that were folded a second time. SPEC section 5.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accountAddress } from '../chain-sim/src/accounts.js';
import { create, SENDER } from '../integration/harness/api_streams.js';
import { withQuery } from '../integration/harness/http_client.js';
import { balancesAt, formatAmount, formatSeconds } from '../integration/harness/independent_fold.js';
import { checkGrowth, residentBytes } from '../integration/harness/memory.js';
import { RawStream } from '../integration/harness/raw_stream.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { startStack } from '../integration/harness/stack.js';
import { stateHistories } from '../integration/harness/state_history.js';
import { waitFor } from '../integration/harness/wait.js';

const STATUSES = ['scheduled', 'active', 'paused', 'completed', 'cancelled'];
const ROLES = { sender: 'recipient', recipient: 'sender' };
const AMOUNTS = ['deposit', 'streamed', 'withdrawn', 'settled', 'remaining'];
const NOTHING = Object.fromEntries(AMOUNTS.map((name) => [name, 0n]));
const MANY = 20_000;

const account = (address) => `/api/accounts/${address}`;
const statement = (address, query = {}) => withQuery(`${account(address)}/statement`, query);
const shownStatus = (stream, at) => (stream.status === 'active' && at < stream.start ? 'scheduled' : stream.status);
const withNames = (amounts) => Object.fromEntries(Object.entries(amounts).map(([name, units]) => [`${name}Amount`, formatAmount(units)]));
const byToken = (a, b) => (a.token === b.token ? 0 : a.token === null || (b.token !== null && a.token < b.token) ? -1 : 1);

/** @param {import('../integration/harness/stack.js').Stack} stack @param {string} address @param {bigint} indexedAt */
function expectedAccount(stack, address, indexedAt) {
  let latest = indexedAt;
  const totals = (role) => {
    const tokens = new Map();
    for (const stream of stack.expected.fold.streams.values()) {
      if (stream[role] !== address) continue;
      const asOf = stream.updatedAt > indexedAt ? stream.updatedAt : indexedAt;
      if (asOf > latest) latest = asOf;
      const sums = tokens.get(stream.token) ?? { streams: 0, statuses: [], ...NOTHING, withdrawable: 0n };
      const all = { deposit: stream.deposit, withdrawn: stream.withdrawn, settled: stream.settled, ...balancesAt(stream, asOf) };
      for (const [name, units] of Object.entries(all)) sums[name] += units;
      sums.streams += 1;
      sums.statuses.push(shownStatus(stream, asOf));
      tokens.set(stream.token, sums);
    }
    return [...tokens].map(([token, { streams, statuses, ...amounts }]) => ({
      token,
      streams,
      streamsByStatus: Object.fromEntries(STATUSES.map((name) => [name, statuses.filter((one) => one === name).length])),
      ...withNames(amounts),
    })).sort(byToken);
  };
  const [asSender, asRecipient] = [totals('sender'), totals('recipient')];
  return { account: address, asOf: formatSeconds(latest), asSender, asRecipient };
}

const amountsAt = (stream, at) => {
  const { streamed, remaining } = balancesAt(stream, at);
  return { deposit: stream.deposit, streamed, withdrawn: stream.withdrawn, settled: stream.settled, remaining };
};
const difference = (a, b) => Object.fromEntries(AMOUNTS.map((name) => [name, a[name] - b[name]]));

/** One stream's lines for one role: runs of states with the same two parties. */
function linesOf(states, address, role, from, to) {
  const seen = states.filter(({ since }) => since <= to);
  const opening = seen.findLastIndex(({ since }) => since <= from);
  const runs = [];
  for (let i = Math.max(opening, 0); i < seen.length; i += 1) {
    const { stream } = seen[i];
    const last = runs.at(-1);
    if (last && last.sender === stream.sender && last.recipient === stream.recipient) last.end = i;
    else runs.push({ sender: stream.sender, recipient: stream.recipient, begin: i, end: i });
  }
  return runs.filter((run) => run[role] === address).map((run) => {
    const first = seen[run.begin];
    const spanFrom = first.since > from ? first.since : from;
    const next = seen[run.end + 1];
    const spanTo = next ? next.since : to;
    const before = first.since <= from ? first.stream : seen[run.begin - 1]?.stream;
    const open = before ? amountsAt(before, spanFrom) : NOTHING;
    const { stream } = seen[run.end];
    const close = amountsAt(stream, spanTo);
    return {
      streamId: stream.id,
      role,
      counterparty: stream[ROLES[role]],
      token: stream.token,
      spanFrom: formatSeconds(spanFrom),
      spanTo: formatSeconds(spanTo),
      status: shownStatus(stream, spanTo),
      opening: withNames(open),
      closing: withNames(close),
      change: withNames(difference(close, open)),
    };
  });
}

/** In an order of our own: the server's is by stream, then by time. */
const inOrder = (lines) => [...lines].sort((a, b) => {
  const [x, y] = [a, b].map((line) => `${line.streamId} ${line.role} ${line.spanFrom} ${line.spanTo} ${line.counterparty}`);
  return x < y ? -1 : x > y ? 1 : 0;
});

const unitsOf = (text) => BigInt(text.replace('.', ''));

function expectedTotals(lines) {
  const totals = new Map();
  for (const { token, role, change } of lines) {
    const key = `${token} ${role}`;
    const sum = totals.get(key) ?? { token, role, lines: 0, change: NOTHING };
    totals.set(key, {
      ...sum,
      lines: sum.lines + 1,
      change: Object.fromEntries(AMOUNTS.map((name) => [name, sum.change[name] + unitsOf(change[`${name}Amount`])])),
    });
  }
  return [...totals.values()].map(({ change, ...rest }) => ({ ...rest, change: withNames(change) }))
    .sort((a, b) => byToken(a, b) || (a.role === 'sender' ? -1 : 1));
}

/** RFC 4180 without quotes, which a statement never needs, as the lines of the JSON. */
function readCsv(text) {
  assert.ok(text.endsWith('\r\n'), 'the last line has no end');
  const [header, ...rows] = text.slice(0, -2).split('\r\n').map((row) => row.split(','));
  return rows.map((row) => {
    assert.equal(row.length, header.length);
    const line = {};
    row.forEach((value, index) => {
      const [, group, rest] = /^(opening|closing|change)?(.*)$/.exec(header[index]) ?? [];
      assert.match(value, /^([A-Za-z][\w-]*|-?[0-9]+(\.[0-9]{7})?|)$/, 'nothing that a spreadsheet takes for a formula');
      if (group) (line[group] ??= {})[rest[0].toLowerCase() + rest.slice(1)] = value;
      else if (rest.startsWith('span')) line[rest] = formatSeconds(BigInt(value));
      else line[rest] = rest === 'token' && value === '' ? null : value;
    });
    return line;
  });
}

describe('accounts on a chain', () => {
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** Everyone who ever was a party, and the close times of some ledgers. @type {string[]} */
  let parties;
  /** @type {bigint[]} */
  let moments;
  /** @type {Map<string, {since: bigint, stream: any}[]>} */
  let states;
  const stranger = accountAddress('accounts', 'stranger');

  before(async () => {
    stack = await startStack({ simulator: { seed: 'accounts', streams: 30 } });
    // Ledger by ledger, so that every stream's token is read before anything happens to it.
    for (let ledger = 0; ledger < 60; ledger += 1) {
      stack.runScenario(1, { actionsPerLedger: 6 });
      await stack.settle();
    }
    const { sim } = stack;
    const { treasuries, recipients } = sim.people;
    // One ledger in which a stream is paid out of, given away, paid out of again, and given back.
    const id = sim.createStream({ sender: treasuries[0], recipient: recipients[0], depositAmount: 10_000_000n, ratePerSecond: 100n, duration: 100_000n });
    sim.closeLedger();
    await stack.settle();
    sim.withdraw(id);
    sim.transferRecipient(id, stranger);
    sim.withdraw(id);
    sim.transferRecipient(id, recipients[1]);
    sim.closeLedger();
    stack.expected.take();
    await stack.settle();
    states = stateHistories(stack.expected.fold);
    const all = [...states.values()].flat();
    parties = [...new Set(all.flatMap(({ stream }) => [stream.sender, stream.recipient]))];
    const times = [...new Set(all.map(({ since }) => since))].sort((a, b) => (a < b ? -1 : 1));
    moments = [0, 0.2, 0.5, 0.9].map((part) => times[Math.floor(part * times.length)]).concat(times.at(-1));
  });
  after(() => stack.stop());

  const expectedLines = (address, from, to) => inOrder([...states.values()].flatMap((history) => Object.keys(ROLES).flatMap((role) => linesOf(history, address, role, from, to))));
  const indexedAt = async () => (await stack.db.row('SELECT closed_at FROM indexer_checkpoint')).closed_at;

  test('show what their streams amount to', async () => {
    const at = BigInt(await indexedAt());
    assert.ok(parties.length > 5);
    for (const address of parties) {
      const answer = await stack.request(account(address));
      assert.deepEqual(answer.json, expectedAccount(stack, address, at));
      assert.equal(answer.headers['x-fluxora-cursor'], (await stack.head()).cursor);
      checkSecurityHeaders(answer.headers, 'an account');
    }
  });

  test('without streams are empty, and addresses that are none are refused by name', async () => {
    const nobody = accountAddress('accounts', 'nobody');
    assert.deepEqual(await stack.get(account(nobody)), { account: nobody, asOf: Number(await indexedAt()), asSender: [], asRecipient: [] });
    assert.deepEqual((await stack.get(statement(nobody))).lines, []);
    assert.deepEqual(readCsv((await stack.request(statement(nobody, { format: 'csv' }))).text), []);
    const broken = `${nobody.slice(0, -1)}${nobody.endsWith('A') ? 'B' : 'A'}`;
    for (const path of [account(broken), statement(broken)]) {
      const answer = await stack.request(path);
      assert.equal(answer.status, 400);
      assert.deepEqual(answer.json.errors.map(({ field }) => field), ['address']);
    }
  });

  test('have statements of any period, also of streams that they gave away', async () => {
    let lines = 0;
    let former = 0;
    for (const address of parties) {
      for (const from of [0n, moments[1], moments[3]]) {
        for (const to of [moments[2], moments[4], moments[4] + 1_000_000n].filter((one) => one > from)) {
          const answer = await stack.get(statement(address, { from: String(from), to: String(to) }));
          const expected = expectedLines(address, from, to);
          assert.deepEqual(inOrder(answer.lines), expected, `${address} ${from} ${to}`);
          assert.deepEqual(answer.totals, expectedTotals(answer.lines));
          assert.deepEqual([answer.account, answer.from, answer.to], [address, Number(from), Number(to)]);
          lines += expected.length;
          former += expected.filter(({ streamId, role }) => stack.expected.fold.streams.get(streamId)[role] !== address).length;
        }
      }
    }
    assert.ok(lines > 500, `${lines} lines are few`);
    assert.ok(former > 20, `${former} lines of streams that were given away are few`);
    const [own] = (await stack.get(statement(stranger))).lines;
    assert.equal(own.spanFrom, own.spanTo, 'a party for a ledger alone');
    assert.deepEqual((await stack.get(account(stranger))).asRecipient, []);
  });

  test('have statements that fit together', async () => {
    const [from, middle, to] = [moments[0], moments[2], moments.at(-1)].map(String);
    const address = stack.sim.people.treasuries[0];
    const closing = new Map();
    for (const line of (await stack.get(statement(address, { from, to: middle }))).lines) {
      if (line.spanTo === Number(middle)) closing.set(`${line.streamId} ${line.role}`, line.closing);
    }
    const going = (await stack.get(statement(address, { from: middle, to }))).lines.filter(({ spanFrom }) => spanFrom === Number(middle));
    let compared = 0;
    for (const line of going) {
      const earlier = closing.get(`${line.streamId} ${line.role}`);
      if (!earlier) continue;
      assert.deepEqual(line.opening, earlier);
      compared += 1;
    }
    assert.ok(compared > 3);
  });

  test('have the same statement as CSV, newest streams first', async () => {
    const order = (await stack.allStreams()).map(({ id }) => id);
    for (const address of parties) {
      const { lines } = await stack.get(statement(address, { format: 'json' }));
      const named = await stack.request(statement(address, { format: 'csv' }));
      const accepted = await stack.request(statement(address), { headers: { accept: 'text/csv' } });
      assert.equal(named.headers['content-type'], 'text/csv; charset=utf-8; header=present');
      assert.equal(named.headers['content-disposition'], 'attachment; filename="fluxora-statement.csv"');
      assert.equal(accepted.text, named.text);
      assert.deepEqual(readCsv(named.text), lines);
      const places = lines.map(({ streamId }) => order.indexOf(streamId));
      assert.deepEqual(places, [...places].sort((a, b) => a - b));
    }
  });

  test('refuse periods that are none', async () => {
    const address = parties[0];
    const now = Number((await stack.get(statement(address))).to);
    for (const [query, fields] of [
      [{ from: 10, to: 10 }, ['from']],
      [{ from: now }, ['from']],
      [{ from: -1, to: 'x', format: 'xml', points: 3 }, ['from', 'to', 'format', 'points']],
    ]) {
      const answer = await stack.request(statement(address, query));
      assert.equal(answer.status, 400, JSON.stringify(query));
      assert.deepEqual(answer.json.errors.map(({ field }) => field), fields);
    }
  });

  test('never show less than the version asked for', async () => {
    const { seq } = await stack.head();
    for (const path of [account(parties[0]), statement(parties[0])]) {
      assert.equal((await stack.request(path, { headers: { 'x-fluxora-min-version': String(seq) } })).status, 200);
      const early = await stack.request(path, { headers: { 'x-fluxora-min-version': String(seq + 1) } });
      assert.equal(early.status, 503);
      assert.ok(early.headers['retry-after']);
    }
  });
});

describe('accounts with streams of the API', () => {
  test('have sums that no single amount could hold', async () => {
    const stack = await startStack({ simulator: false });
    const victim = accountAddress('accounts', 'victim');
    const most = '17014118346046923173168730371588.4105727';
    const ids = [];
    for (let i = 0; i < 3; i += 1) {
      const made = await create(stack.baseUrl, { recipient: victim, depositAmount: most, ratePerSecond: most });
      assert.equal(made.status, 201, made.text);
      ids.push(made.json.id);
    }
    const { asRecipient, asSender } = await stack.get(account(victim));
    const sum = formatAmount(3n * ((1n << 127n) - 1n));
    assert.deepEqual([asSender.length, asRecipient.length], [0, 1]);
    assert.deepEqual([asRecipient[0].token, asRecipient[0].streams, asRecipient[0].depositAmount], [null, 3, sum]);
    assert.equal((await stack.get(account(SENDER))).asSender[0].depositAmount, sum);
    const { lines, totals, to, asOf } = await stack.get(statement(victim, { to: Number((await stack.get(account(victim))).asOf) + 10 }));
    assert.deepEqual(lines.map(({ streamId }) => streamId), ids.reverse());
    assert.equal(totals[0].change.depositAmount, sum);
    assert.equal(totals[0].change.streamedAmount, sum, 'ten seconds later all is streamed');
    assert.ok(to > asOf);
    await stack.stop();
  });
});

describe('an account with many streams', () => {
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** @type {any} */
  let stream;

  /** Copies of one stream and of its creation, as many as make an account large. */
  async function fillUp() {
    const columns = async (table) => (await stack.db.rows(`SELECT column_name FROM information_schema.columns
      WHERE table_name = '${table}' ORDER BY ordinal_position`)).map(({ column_name: name }) => name);
    const copy = async (table, condition, changed) => {
      const names = await columns(table);
      const values = names.map((name) => changed[name] ?? `t.${name}`);
      await stack.db.rows(`INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')}
        FROM ${table} t, log_head h, generate_series(1, ${MANY}) n WHERE ${condition}`);
    };
    const id = `'${stream.id.split('-')[0]}-' || (1000000 + n)`;
    // The state begins with the id, an XDR string: 64 bytes now, which need no padding.
    const rest = 4 + Math.ceil(stream.id.length / 4) * 4 + 1;
    await copy('streams', `t.id = '${stream.id}'`, { id, created_seq: 'h.seq + n', version: 'h.seq + n' });
    await copy('events', `t.stream_id = '${stream.id}' AND t.event = 'stream.observed'`, {
      seq: 'h.seq + n',
      stream_id: id,
      event_id: "t.event_id || '-' || n",
      stream_state: `'\\x00000040'::bytea || convert_to(${id}, 'UTF8') || substring(t.stream_state from ${rest})`,
    });
    await stack.db.rows(`UPDATE log_head SET seq = seq + ${MANY}`);
  }

  before(async () => {
    stack = await startStack({ simulator: { seed: 'a large account', streams: 1 } });
    stack.runScenario(2, { actionsPerLedger: 0 });
    await stack.settle();
    [stream] = await stack.allStreams();
    await stack.server.stop();
    await fillUp();
    await stack.server.restart();
  });
  after(() => stack.stop());

  const running = () => stack.db.rows(`SELECT state, query FROM pg_stat_activity
    WHERE application_name = 'fluxora-statement' AND datname = current_database()`);
  const allGone = () => waitFor(async () => (await running()).length === 0, { what: 'the statements to let go of the database' });
  /** One whose client doesn't read. */
  const begin = async () => {
    const reader = await RawStream.open(stack.server.port);
    reader.pause();
    reader.send(`GET ${statement(stream.recipient)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return reader;
  };
  const isWaiting = (count) => waitFor(async () => {
    const found = await running();
    // While one opens, its session is idle for moments, too.
    return found.length === count && found.every(({ state, query }) => state === 'idle in transaction' && / states$/.test(query));
  }, { what: `${count} statements to wait for their readers` });

  test('is read in bounded memory', async () => {
    const start = residentBytes(stack.server);
    const { asRecipient } = await stack.get(account(stream.recipient));
    assert.equal(asRecipient[0].streams, MANY + 1);
    assert.equal(asRecipient[0].depositAmount, formatAmount(BigInt(MANY + 1) * unitsOf(stream.depositAmount)));
    const { lines, totals } = await stack.get(statement(stream.recipient));
    assert.equal(new Set(lines.map(({ streamId }) => streamId)).size, MANY + 1);
    assert.equal(totals[0].lines, MANY + 1);
    assert.equal(totals[0].change.depositAmount, asRecipient[0].depositAmount);
    checkGrowth(stack.server, start, 16);
    await allGone();
  });

  test('has few statements at once, exports apart; their places are free when the clients go', async () => {
    const readers = [await begin(), await begin()];
    await isWaiting(2);
    const refused = await stack.request(statement(stream.recipient));
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['retry-after'], '10');
    checkSecurityHeaders(refused.headers, 'a refused statement');
    assert.equal((await stack.request('/api/streams/export?status=cancelled')).status, 200, 'exports have places of their own');
    assert.equal((await stack.request(account(stream.sender))).status, 200, 'other reads have threads of their own');
    for (const reader of readers) reader.destroy();
    await allGone();
    assert.equal((await stack.request(statement(stream.recipient), { method: 'HEAD' })).status, 200);
    await allGone();
  });

  test('whose database goes away has a statement without its last chunk', async () => {
    const reader = await begin();
    await isWaiting(1);
    await stack.db.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxora-statement'");
    const text = await reader.toEnd();
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.ok(!text.endsWith('0\r\n\r\n'));
    assert.equal((await stack.request(account(stream.recipient))).status, 200);
    await allGone();
  });
});
