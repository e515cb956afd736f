import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call } from './rpc_client.js';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** Starts the command; `line` is its first line, `done` its exit. */
function start(...args) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk) => (err += chunk));
  const line = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('\n')) resolve(out.split('\n')[0]);
    });
  });
  const done = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, out, err })));
  return { child, line, done };
}

test('it says where it listens, serves a chain with a past, and leaves cleanly', async () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const started = Math.floor(Date.now() / 1000);
    const { child, line, done } = start('--port', '0', '--seed', '7', '--close-every', '1000');
    const match = /^chain-sim listening on (http:\/\/127\.0\.0\.1:\d+) network "(.+)" contract (C[A-Z2-7]{55})$/.exec(await line);
    assert.ok(match);
    const health = await call(match[1], 'getHealth');
    assert.ok(health.latestLedger > health.oldestLedger + 240);
    const closedAt = Number(health.latestLedgerCloseTime);
    // The past ends a second before the start. A ledger that a timer closes early is still a second behind the last one.
    assert.ok(closedAt >= started - 1 && closedAt <= Date.now() / 1000 + 1, `${closedAt}, started at ${started}`);
    const { events } = await call(match[1], 'getEvents', { startLedger: health.oldestLedger, filters: [{ contractIds: [match[3]] }] });
    assert.ok(events.length >= 100);
    child.kill(signal);
    const { code, err } = await done;
    assert.deepEqual([code, err], [0, '']);
  }
});

test('--fork-every replaces ledgers that were there', async () => {
  const { child, line, done } = start('--port', '0', '--history', '0', '--close-every', '1000', '--fork-every', '4');
  const url = /(http:\S+) /.exec(await line)[1];
  const hashes = new Map();
  const replaced = new Set();
  while (replaced.size === 0) {
    const { ledgers } = await call(url, 'getLedgers', { startLedger: 1000 });
    for (const { sequence, hash } of ledgers) {
      if (hashes.has(sequence) && hashes.get(sequence) !== hash) replaced.add(sequence);
      hashes.set(sequence, hash);
    }
    await delay(50);
  }
  assert.ok([...replaced].every((sequence) => sequence > 1000 && sequence <= 1003), `${[...replaced]}`);
  child.kill('SIGTERM');
  await done;
});

test('a taken port and wrong options are told plainly', async () => {
  const first = start('--port', '0', '--history', '0');
  const port = /:(\d+) /.exec(await first.line)[1];
  const second = await start('--port', port).done;
  assert.equal(second.code, 1);
  assert.equal(second.err, `chain-sim: port ${port} on 127.0.0.1 is taken: choose another with --port\n`);
  first.child.kill('SIGTERM');
  await first.done;

  for (const [args, message] of [
    [['--port', '70000'], /--port must be a whole number from 0 to 65535/],
    [['--prot', '1'], /Unknown option '--prot'/],
    [['--host', 'example'], /--host must be an IPv4 address, got "example"/],
    [['--close-every', '500'], /--close-every must be 0, or at least 1000/],
    [['--fork-every', '3'], /--fork-every must be 0, or more than 3/],
    [['--fork-every', '30', '--close-every', '0'], /--fork-every needs --close-every/],
    [['--fork-every', '4', '--retention', '3'], /--retention must be more than 3 with --fork-every/],
    [['--kinds', 'round'], /unknown kind "round"/],
    [['--replay-ledgers', 'x'], /--replay-ledgers needs --replay/],
  ]) {
    const { code, err } = await start(...args).done;
    assert.equal(code, 2, args.join(' '));
    assert.match(err, message);
  }
  const missing = await start('--replay', '/nonexistent.jsonl').done;
  assert.deepEqual([missing.code, missing.err.startsWith('chain-sim: cannot read /nonexistent.jsonl')], [1, true]);
});

test('--host is where it listens', async () => {
  const everywhere = start('--port', '0', '--host', '0.0.0.0', '--history', '0');
  assert.match(await everywhere.line, /listening on http:\/\/0\.0\.0\.0:\d+ /);
  everywhere.child.kill('SIGTERM');
  await everywhere.done;
});

test('--help lists the options', async () => {
  const { code, out } = await start('--help').done;
  assert.equal(code, 0);
  for (const option of ['--port', '--host', '--seed', '--close-every', '--fork-every', '--replay', '--replay-ledgers', '--retention']) assert.ok(out.includes(option));
});
