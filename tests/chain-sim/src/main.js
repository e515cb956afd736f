#!/usr/bin/env node
// The command: a chain that lives by itself, or a recorded one.
import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import { KIND } from './accrual.js';
import { HISTORY_SECONDS, OWN_FORK_DEPTHS, Simulator, TEST_PASSPHRASE } from './simulator.js';

const EXIT = Object.freeze({ ok: 0, failed: 1, usage: 2 });

const HELP = `chain-sim: a Stellar RPC server with a payment-stream contract on it

usage: node src/main.js [options]

  --port N                port (8100; 0 for any free one)
  --host ADDRESS          IPv4 address to listen on (127.0.0.1)
  --seed TEXT             decides keys, addresses and everything that happens (1)
  --close-every MS        close a ledger this often, at least 1000 (5000; with --replay 0: never)
  --fork-every LEDGERS    so often replace the last two or three ledgers by others: a reorg (never)
  --start-ledger N        first ledger (1000)
  --network PASSPHRASE    network passphrase ("${TEST_PASSPHRASE}")
  --retention N           ledgers kept (17280; with --replay all recorded ones)
  --history N             ledgers of activity before the first answer (240)
  --streams N             streams kept open (12)
  --kinds LIST            kinds of stream, of ${Object.keys(KIND).join(',')} (linear)
  --uncheckpointed-rates  change some rates without a checkpoint: only storage shows which
  --no-token-events       leave out the token's transfer events
  --replay FILE           serve recorded getEvents items, one a line
  --replay-ledgers FILE   their ledgers' headers, one a line
  --help                  this text
`;

const OPTIONS = /** @type {const} */ ({
  port: { type: 'string', default: '8100' },
  host: { type: 'string', default: '127.0.0.1' },
  seed: { type: 'string', default: '1' },
  'close-every': { type: 'string' },
  'fork-every': { type: 'string', default: '0' },
  'start-ledger': { type: 'string', default: '1000' },
  network: { type: 'string', default: TEST_PASSPHRASE },
  retention: { type: 'string' },
  history: { type: 'string', default: '240' },
  streams: { type: 'string', default: '12' },
  kinds: { type: 'string', default: 'linear' },
  'uncheckpointed-rates': { type: 'boolean', default: false },
  'no-token-events': { type: 'boolean', default: false },
  replay: { type: 'string' },
  'replay-ledgers': { type: 'string' },
  help: { type: 'boolean', default: false },
});

class UsageError extends Error {}

function integer(text, name, low, high) {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) throw new UsageError(`--${name} must be a whole number from ${low} to ${high}, got "${text}"`);
  return value;
}

/** @param {string[]} argv */
function configure(argv) {
  /** @type {Record<string, any>} */
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options: OPTIONS, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.help) return undefined;
  const replaying = values.replay !== undefined;
  if (values['replay-ledgers'] !== undefined && !replaying) throw new UsageError('--replay-ledgers needs --replay');
  const closeEveryMs = integer(values['close-every'] ?? (replaying ? '0' : '5000'), 'close-every', 0, 3_600_000);
  if (closeEveryMs > 0 && closeEveryMs < 1000) throw new UsageError('--close-every must be 0, or at least 1000: close times are whole seconds');
  const forkEvery = integer(values['fork-every'], 'fork-every', 0, 1_000_000);
  const { most } = OWN_FORK_DEPTHS;
  if (forkEvery > 0 && forkEvery <= most) throw new UsageError(`--fork-every must be 0, or more than ${most}: forks are up to ${most} ledgers deep`);
  if (forkEvery > 0 && closeEveryMs === 0) throw new UsageError('--fork-every needs --close-every: it counts the ledgers that close by themselves');
  const retentionLedgers = values.retention === undefined ? (replaying ? undefined : 17_280) : integer(values.retention, 'retention', 1, 1_000_000);
  if (forkEvery > 0 && retentionLedgers <= most) throw new UsageError(`--retention must be more than ${most} with --fork-every: what a fork takes back has to be kept`);
  const kinds = values.kinds.split(',');
  if (!isIPv4(values.host)) throw new UsageError(`--host must be an IPv4 address, got "${values.host}"`);
  const unknown = kinds.find((kind) => KIND[kind] === undefined);
  if (unknown !== undefined) throw new UsageError(`--kinds: unknown kind "${unknown}", one of ${Object.keys(KIND).join(', ')}`);
  if (values.network === '') throw new UsageError('--network must not be empty');
  const historyLedgers = replaying ? 0 : integer(values.history, 'history', 0, 20_000);
  const now = Math.floor(Date.now() / 1000);
  return {
    historyLedgers,
    now,
    simulator: {
      port: integer(values.port, 'port', 0, 65_535),
      host: values.host,
      seed: values.seed,
      closeEveryMs,
      scenario: !replaying,
      forkEvery,
      startLedger: integer(values['start-ledger'], 'start-ledger', 1, 2_000_000_000),
      startTime: historyLedgers > 0 ? now - HISTORY_SECONDS : now - 1,
      networkPassphrase: values.network,
      retentionLedgers,
      tokenEvents: !values['no-token-events'],
      streams: integer(values.streams, 'streams', 1, 1000),
      kinds,
      uncheckpointedRates: values['uncheckpointed-rates'],
      maxHealthyLatencySeconds: closeEveryMs > 0 ? Math.max(30, Math.ceil((closeEveryMs * 5) / 1000)) : undefined,
      replay: replaying ? { eventsFile: values.replay, ledgersFile: values['replay-ledgers'] } : undefined,
    },
  };
}

async function main() {
  const config = configure(process.argv.slice(2));
  if (config === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const simulator = new Simulator(config.simulator);
  if (config.historyLedgers > 0) simulator.runHistory({ ledgers: config.historyLedgers, until: config.now });
  try {
    await simulator.listen();
  } catch (error) {
    if (error.code === 'EADDRINUSE') throw new Error(`port ${config.simulator.port} on ${config.simulator.host} is taken: choose another with --port`);
    if (error.code === 'EACCES') throw new Error(`not allowed to listen on port ${config.simulator.port}`);
    throw error;
  }
  process.stdout.write(
    `chain-sim listening on ${simulator.url} network "${simulator.networkPassphrase}" contract ${simulator.contractId}\n`,
  );
  const stop = () => {
    simulator.stop().then(() => process.exit(EXIT.ok));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error) => {
  process.stderr.write(`chain-sim: ${error.message}\n`);
  if (error instanceof UsageError) process.stderr.write('try --help\n');
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
});
