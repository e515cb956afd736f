// The load scenarios: that a run against a server of its own and one against a server that is there come to the right
// end, and that arrivals, figures and verdicts are what they say. No time is looked at.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { adminHeaders } from '../integration/harness/admin.js';
import { create, send } from '../integration/harness/api_streams.js';
import { serverProgram } from '../integration/harness/server_process.js';
import { startStack } from '../integration/harness/stack.js';
import { MAX_OUTSTANDING, openLoop } from './scenario/arrivals.mjs';
import { weightsOf } from './scenario/mix.mjs';
import { UsageError, readOptions } from './scenario/options.mjs';
import { planFor } from './scenario/plans.mjs';
import { plot } from './scenario/plots.mjs';
import { Random } from './scenario/random.mjs';
import { Pairs, Recorder } from './scenario/recorder.mjs';
import { brokenLimit, flatnessVerdicts, loadVerdicts, robustLine } from './scenario/verdicts.mjs';

const PROGRAM = fileURLToPath(new URL('scenario.mjs', import.meta.url));

/** A busy machine has more statements at once than a server makes: what it refuses of them says nothing here. */
const HOWEVER_BUSY = ['--refused', '100'];

/**
 * Runs the program to its end; gives the report and the figures too, where it wrote them.
 * @param {string[]} args
 * @param {Record<string, string>} [more]
 */
async function runScenario(args, more = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'fluxora-report-'));
  const report = join(directory, 'report.html');
  // Without what tells a test file that it is one.
  const { NODE_TEST_CONTEXT: unused, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['--test-reporter=dot', '--test-reporter-destination=/dev/null', PROGRAM, ...args, '--report', report],
    { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
  });
  const written = (name) => {
    try {
      return readFileSync(join(directory, name), 'utf8');
    } catch {
      return '';
    }
  };
  const result = { status, output, html: written('report.html'), json: written('report.json') };
  rmSync(directory, { recursive: true, force: true });
  return result;
}

// Most of a run is waiting: these wait together.
describe('whole runs', { concurrency: true }, () => {
  test('smoke, with a server of its own: every kind of request, every check, a report', async () => {
    const { status, output, html, json } = await runScenario(['smoke', '--server', serverProgram(), ...HOWEVER_BUSY]);
    assert.equal(status, 0, output);
    const { figures, checks, followers, met, samples, tables } = JSON.parse(json);
    assert.equal(met, true);
    for (const kind of [...Object.keys(weightsOf({ scenario: 'smoke', writes: true }, 1)), 'read back']) {
      assert.ok(figures.kinds[kind]?.ok > 0, `${kind}: ${JSON.stringify(figures.kinds[kind])}`);
    }
    for (const found of ['created', 'paused', 'chain', 'follower', 'endpoint', 'exit code']) {
      assert.ok(
        checks.some(({ name }) => name.includes(found)),
        `no check about ${found}`,
      );
    }
    assert.ok(
      followers.entries > 0 && followers.webhooks > 0 && followers.connections > followers.followers,
      JSON.stringify(followers),
    );
    assert.ok(figures.lags.feed.count > 0 && figures.lags.webhook.count > 0);
    assert.ok(samples.length > 0 && samples.every(({ rssMiB, descriptors }) => rssMiB > 0 && descriptors > 0));
    assert.ok(tables.length > 0 && tables[0].bytes.events > 0);
    assert.match(html, /✓ All thresholds and checks are met/);
    for (const title of [
      'Requests',
      'Latency',
      'Memory',
      'Descriptors',
      'Processor',
      'Behind',
      'Log',
      'Largest tables',
    ]) {
      assert.match(html, new RegExp(`<svg[^>]*aria-label="${title}`), title);
    }
    assert.doesNotMatch(html, /NaN|undefined|https?:\/\//, 'nothing unknown is drawn, and no other host is named');
  });

  /** Three seconds against a server that is there. A soak's latencies count only where someone asks for it. */
  const SHORT = ['soak', '--minutes', '0.05', '--rate', '40', ...HOWEVER_BUSY, '--p99'];

  test('a server that is there: reads alone; a threshold that is missed ends it with status 1', async () => {
    const stack = await startStack({ simulator: false });
    for (let n = 0; n < 5; n += 1) assert.equal((await create(stack.baseUrl)).status, 201);
    const before = await stack.head();
    const { status, output, html, json } = await runScenario([...SHORT, '0.001', '--url', stack.baseUrl]);
    assert.equal(status, 1, output);
    const { verdicts, checks, figures } = JSON.parse(json);
    assert.deepEqual(
      [...verdicts, ...checks].filter(({ met }) => !met).map(({ name }) => name),
      ['latency p99'],
    );
    assert.deepEqual(
      Object.keys(figures.kinds).sort(),
      Object.keys(weightsOf({ scenario: 'load', writes: false }, 40)).sort(),
    );
    assert.match(html, /✗ 1 of \d+ thresholds and checks are missed/);
    assert.deepEqual(await stack.head(), before, 'nothing was written');
    await stack.stop();
  });

  test('a server that is there, with a key: what is written is read back', async () => {
    const secret = 'a secret of thirty-two bytes, or more';
    const stack = await startStack({
      simulator: false,
      server: { env: { JWT_SECRET: secret, AUTH_REQUIRED: 'true' } },
    });
    const headers = adminHeaders(secret);
    const made = await send(
      `${stack.baseUrl}/admin/api-keys`,
      'POST',
      { name: 'load', scopes: ['streams:write'] },
      headers,
    );
    assert.equal(made.status, 201, made.text);
    for (let n = 0; n < 2; n += 1)
      assert.equal((await create(stack.baseUrl, {}, { 'x-api-key': made.json.key })).status, 201);
    const before = await stack.head();
    const { status, output, json } = await runScenario([...SHORT, '60000', '--url', stack.baseUrl, '--writes'], {
      FLUXORA_API_KEY: made.json.key,
    });
    assert.equal(status, 0, output);
    assert.ok(JSON.parse(json).figures.kinds['read back'].ok > 0);
    assert.ok((await stack.head()).seq > before.seq);
    assert.ok(!output.includes(made.json.key) && !json.includes(made.json.key), 'the key is told nobody');
    await stack.stop();
  });
});

test('a server of someone’s is written to at most five times a second', () => {
  const { creation, ...others } = weightsOf({ scenario: 'load', writes: true, url: 'http://a' }, 200);
  const writes = ['creation again', 'pause or resume', 'cancellation'];
  const written = writes.reduce((total, name) => total + others[name], creation);
  const all = Object.values(others).reduce((total, weight) => total + weight, creation);
  assert.ok((200 * written) / all <= 5.01, `${(200 * written) / all}`);
});

test('wrong arguments end it with status 2 and say why', async () => {
  const { status, output } = await runScenario(['marathon']);
  assert.equal(status, 2);
  assert.match(output, /smoke, load, stress, soak/);
  const nobody = await runScenario(['load', '--url', 'http://127.0.0.1:1']);
  assert.equal(nobody.status, 1);
  assert.match(nobody.output, /^GET \/api\/streams of http:\/\/127\.0\.0\.1:1: no answer: ECONNREFUSED$/m);
  const refused = (argv, env = {}) => assert.throws(() => readOptions(argv, env), UsageError, argv.join(' '));
  for (const argv of [
    [],
    ['load', 'soak'],
    ['load', '--minutes', '0'],
    ['load', '--minutes', '-1'],
    ['load', '--rate', 'many'],
    ['load', '--rate', '5001'],
    ['load', '--refused', '101'],
    ['smoke', '--minutes', '1'],
    ['load', '--url', 'ftp://a'],
    ['load', '--url', 'http://u:p@a'],
    ['load', '--url', 'http://a/path'],
    ['load', '--writes'],
    ['load', '--url', 'http://a', '--writes'],
    ['stress', '--url', 'http://a'],
    ['load', '--url', 'http://a', '--redis'],
    ['load', '--quick'],
  ])
    refused(argv);
  assert.equal(readOptions(['load', '--url', 'http://a:3000'], {}).writes, false);
  assert.equal(readOptions(['load', '--url', 'http://a', '--writes'], { FLUXORA_API_KEY: 'k' }).apiKey, 'k');
  assert.equal(readOptions(['soak', '--minutes', '0.5'], {}).minutes, 0.5);
});

test('an open loop sends what is due whether or not anything is answered', async () => {
  const count = async (answer) => {
    let sent = 0;
    await openLoop({
      rate: 2_000,
      seconds: 0.2,
      random: new Random('open'),
      send: async () => {
        sent += 1;
        await answer();
      },
      unsent: () => {},
    });
    return sent;
  };
  const quick = await count(async () => {});
  const held = [];
  const slow = count(
    () =>
      new Promise((resolve) => {
        held.push(resolve);
      }),
  );
  while (held.length < quick)
    await new Promise((later) => {
      setImmediate(later);
    });
  for (const release of held) release();
  assert.equal(await slow, quick);
});

test('an open loop has a bound to what is on its way, and says what it did not send', async () => {
  const held = [];
  let unsent = 0;
  await openLoop({
    rate: 100_000,
    seconds: 0.05,
    random: new Random('bound'),
    send: () =>
      new Promise((resolve) => {
        held.push(resolve);
      }),
    unsent: () => {
      unsent += 1;
      for (const release of held.splice(0)) release();
    },
  });
  assert.ok(unsent > 0, `${MAX_OUTSTANDING} at once, and ${unsent} not sent`);
});

test('latencies come out as they went in, those of refusals are left out', () => {
  const recorder = new Recorder(10);
  recorder.enter({ name: 'one', rate: 1, seconds: 1 });
  for (let ms = 1; ms <= 1000; ms += 1) recorder.add('kind', 'ok', ms);
  recorder.add('kind', 'refused', 90_000);
  const { total, kinds, phases } = recorder.figures();
  for (const { ok, refused, p50, p99 } of [total, kinds.kind, phases[0]]) {
    assert.deepEqual([ok, refused], [1000, 1]);
    assert.ok(Math.abs(p50 - 500) <= 2 && Math.abs(p99 - 990) <= 2, `${p50}, ${p99}`);
  }
});

test('pairs meet in either order, and what never meets is forgotten', () => {
  let met = 0;
  const pairs = new Pairs(() => {
    met += 1;
  });
  pairs.begin('a', 0);
  pairs.arrive('a');
  pairs.arrive('b');
  pairs.begin('b', 0);
  assert.equal(met, 2);
  for (let n = 0; n <= Pairs.LIMIT; n += 1) pairs.begin(`lost ${n}`, 0);
  assert.equal(pairs.begun.size, Pairs.LIMIT);
});

const samplesOf = (rssMiB) =>
  Array.from({ length: 600 }, (_, at) => ({
    at,
    rssMiB: rssMiB(at),
    anonymousMiB: 20,
    descriptors: 100 + (at % 30),
    connections: 50 + (at % 30),
    threads: 20,
    databaseConnections: 9,
    ledgersBehind: 1,
    webhooksWaiting: at % 5,
    queuedMessages: 0,
  }));
const missed = (verdicts) => verdicts.filter(({ met }) => !met).map(({ name }) => name.split(':')[0]);
const STEADY = [{ at: 0, seq: 0, bytes: { log_head: 8192 } }];

test('flatness: a leak is seen, a warm-up and noise are not', () => {
  assert.deepEqual(
    missed(
      flatnessVerdicts(
        samplesOf((at) => 40 + at / 60),
        STEADY,
      ),
    ),
    ['memory (VmRSS)'],
  );
  assert.deepEqual(
    missed(
      flatnessVerdicts(
        samplesOf((at) => Math.min(60, 20 + at / 3) + Math.sin(at)),
        STEADY,
      ),
    ),
    [],
  );
  assert.ok(
    missed(flatnessVerdicts(samplesOf(() => 40).slice(0, 10), STEADY)).includes('threads'),
    'ten looks are too few to tell',
  );
  const burst = (at) => (at > 400 && at < 480 ? 30 : 0);
  assert.deepEqual(
    missed(
      flatnessVerdicts(
        samplesOf((at) => 40 + burst(at)),
        STEADY,
      ),
    ),
    [],
    'a burst is no leak',
  );
  const { slope, at } = robustLine([
    [0, 1],
    [1, 3],
    [2, 5],
    [3, 70],
    [4, 9],
  ]);
  assert.deepEqual([slope, at(10)], [2, 21]);
});

test('a limit that is broken is named', () => {
  const { limits } = planFor({ scenario: 'load' });
  assert.equal(planFor({ scenario: 'soak', refusedShare: 0.5 }).limits.refusedShare, 0.5);
  const good = { ok: 100, refused: 0, failed: 0, unsent: 0, p50: 1, p99: 2 };
  assert.equal(brokenLimit(good, limits), '');
  for (const change of [{ failed: 1 }, { unsent: 1 }, { refused: 2 }, { p99: limits.p99Ms + 1 }])
    assert.notEqual(brokenLimit({ ...good, ...change }, limits), '', JSON.stringify(change));
  const verdicts = (total, lags = {}) => missed(loadVerdicts(limits, { total, lags }, [{ ledgersBehind: 1 }]));
  assert.deepEqual(verdicts(good), []);
  assert.deepEqual(verdicts({ ...good, p50: 1_000 }), ['latency p50']);
  assert.deepEqual(verdicts(good, { webhook: { p99: 60_000 } }), ["from a creation's request to its webhook, p99"]);
});

test('plots hold for no value, one, all alike and gaps', () => {
  assert.equal(plot({ title: 'none', series: [{ name: 'a', points: [[0, null]] }] }), '');
  for (const points of [
    [[0, 5]],
    [
      [0, 5],
      [1, 5],
    ],
    [
      [0, 0],
      [1, 0],
    ],
    [
      [0, 1],
      [1, null],
      [2, 3],
    ],
  ]) {
    const drawn = plot({ title: '<b>', series: [{ name: 'a&b', points }], fromZero: false });
    assert.match(drawn, /<path class="line c1" d="M/);
    assert.doesNotMatch(drawn, /NaN|Infinity|<b>/);
  }
});
