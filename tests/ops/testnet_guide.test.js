// docs/testnet.md, followed step by step: what it calls tried is taken out of the page and run, with a chain simulator in
// the testnet's place, and what comes out is compared with what the page shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Horizon } from '../chain-sim/src/horizon.js';
import { startSimulator } from '../chain-sim/src/simulator.js';
import { PROJECT_ROOT, ServerProcess, serverProgram } from '../integration/harness/server_process.js';
import { newDatabase } from '../integration/harness/stack.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';

const GUIDE = readFileSync(join(PROJECT_ROOT, 'docs/testnet.md'), 'utf8');
const PASSPHRASE = 'Test SDF Network ; September 2015';
const run = promisify(execFile);

/** What the page calls tried: the commands, and what they print. */
const TRIED = [...GUIDE.matchAll(/<!-- tried -->\n```sh\n([\s\S]*?)```\n\n```\w+\n([\s\S]*?)```/g)]
  .map(([, commands, output]) => ({ commands, output: output.trimEnd() }));

/** The settings of step 6, NAME=value. */
const SETTINGS = Object.fromEntries(
  (/```ini\n([\s\S]*?)```/.exec(GUIDE)?.[1] ?? '').trimEnd().split('\n').map((line) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? assert.fail(`no setting: ${line}`);
    return [name, value.replace(/^"(.*)"$/, '$1')];
  }),
);

/** `…` stands for anything within a line. @param {string} shown */
const pattern = (shown) => new RegExp(`^${shown.split('…').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`);

let sim;
let horizon;
let server;
let db;
/** What the shell of the reader has. */
let shell;

before(async () => {
  sim = await startSimulator({ seed: 'testnet guide', networkPassphrase: PASSPHRASE, streams: 6 });
  sim.runScenario(30, { actionsPerLedger: 3 });
  horizon = await Horizon.start(sim);
  db = await newDatabase();
  shell = {
    PATH: `${dirname(serverProgram())}:${process.env.PATH}`,
    HOME: process.env.HOME ?? '/',
    RPC: sim.url,
    CONTRACT: sim.contractId,
  };
});

after(async () => {
  await server?.end();
  await horizon?.stop();
  await sim?.stop();
});

/** @param {string} commands */
async function typed(commands) {
  const { stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', commands], { cwd: PROJECT_ROOT, env: shell, timeout: DEADLINE_MS });
  return { stdout: stdout.trimEnd(), stderr };
}

/** Runs the commands of the page that contain `what`, and compares. */
async function follow(what) {
  const steps = TRIED.filter(({ commands }) => commands.includes(what));
  assert.equal(steps.length, 1, `${steps.length} tried steps of the page have ${what}`);
  const [{ commands, output }] = steps;
  const { stdout, stderr } = await typed(commands);
  const lines = stdout.split('\n');
  const shown = output.split('\n');
  assert.equal(lines.length, shown.length, `the page shows ${shown.length} lines, these came:\n${stdout}\n${stderr}`);
  lines.forEach((line, index) => assert.match(line, pattern(shown[index])));
  return lines;
}

test('the page has tried steps, and settings of this server', async () => {
  assert.equal(TRIED.length, GUIDE.split('<!-- tried -->').length - 1, 'a tried step without the output that it has');
  const { stdout: help } = await typed('fluxora-server --help');
  for (const name of Object.keys(SETTINGS)) assert.match(help, new RegExp(`^ +${name}( |$)`, 'm'), name);
  assert.equal(SETTINGS.NETWORK_PASSPHRASE, PASSPHRASE);
  assert.equal(SETTINGS.STELLAR_RPC_URL, /RPC=(https:.*)/.exec(GUIDE)?.[1], 'step 1 asks another server than is followed');
});

test('asking the RPC', () => follow('getHealth'));

test('looking at the contract gives the settings that follow it', async () => {
  const lines = await follow('look.mjs');
  const printed = Object.fromEntries(lines.slice(lines.indexOf('') + 1).map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
  assert.deepEqual(Object.keys(printed).filter((name) => !(name in SETTINGS)), []);
  const events = sim.events({ contractId: sim.contractId });
  assert.equal(printed.INDEXER_START_LEDGER, String(events[0].ledger), 'the first ledger with an event of the contract');
  Object.assign(shell, {
    ...SETTINGS,
    ...printed,
    NETWORK_PASSPHRASE: JSON.parse(printed.NETWORK_PASSPHRASE),
    DATABASE_URL: db.url,
    HORIZON_URL: horizon.url,
  });
  // A contract that isn't there is said so.
  const nowhere = await typed(`node docs/testnet/look.mjs "$RPC" ${sim.tokenId}`);
  assert.match(nowhere.stdout, /^contract {2}not found, or not a stream contract$/m);
});

test('the settings are valid, and what they start follows the contract', async () => {
  await follow('check-config');
  server = await ServerProcess.start({ ...shell, PORT: '0', INDEXER_POLL_MS: '50' });
  shell.FLUXORA = server.baseUrl;
  sim.closeLedger();
  const health = async () => JSON.parse((await typed('curl -sS "$FLUXORA/health"')).stdout);
  await waitFor(async () => {
    const { status, indexer } = await health();
    return status === 'ok' && indexer.lastLedger >= sim.latest.sequence - 1;
  }, { what: 'the chain to be indexed', describe: async () => ({ health: await health(), logs: server.logs.slice(-10) }) });
  await waitFor(async () => (await db.rows('SELECT FROM observation_list')).length === 0, { what: 'the storage to be read' });
  await follow('/health');
});

test('what is held is as the log and the contract say', () => follow('fluxora-server verify'));
