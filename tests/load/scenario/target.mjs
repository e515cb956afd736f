// What the requests go to: a server of the scenario's own with all that belongs to it, or one that runs already.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { accountAddress } from '../../chain-sim/src/accounts.js';
import { adminHeaders } from '../../integration/harness/admin.js';
import { BoundedText, spawnBound } from '../../integration/harness/child.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { PostgresCluster } from '../../integration/harness/postgres_cluster.js';
import { Database } from '../../integration/harness/stack.js';
import { waitFor } from '../../integration/harness/wait.js';
import { RedisServer } from '../../realtime/harness/redis_server.js';
import { startServer } from '../programs.mjs';

const SIMULATOR = fileURLToPath(new URL('../../chain-sim/src/main.js', import.meta.url));
const LISTENING = /^chain-sim listening on (\S+) network "(.*)" contract (\S+)$/m;
const CHAIN_STREAMS = 40;
const HISTORY_LEDGERS = 60;
const SENDERS = 5;
/** So many that what is asked about one stays short, however many streams are made. */
const RECIPIENTS = 200;
const FOLLOWED = 5;
const ERROR_LINE = '"level":"error"';
const SEED_OF_PARTIES = 'load scenario';

/** The chain simulator as a process of its own, so that its work isn't this program's. */
class Chain {
  static async start() {
    const chain = new Chain();
    const args = [
      SIMULATOR,
      '--port',
      '0',
      '--close-every',
      '1000',
      '--history',
      `${HISTORY_LEDGERS}`,
      '--streams',
      `${CHAIN_STREAMS}`,
      '--kinds',
      'linear,cliffOnly,cliffSlope',
    ];
    chain.process = spawnBound(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    chain.output = new BoundedText();
    chain.process.stdout.setEncoding('utf8').on('data', (text) => chain.output.add(text));
    chain.ended = new Promise((resolve) => {
      chain.process.once('exit', resolve);
    });
    own(chain);
    const [, url, network, contract] = await waitFor(() => LISTENING.exec(String(chain.output)), {
      what: 'the simulated chain',
      giveUp: () => chain.process.exitCode !== null && new Error(`it ended: ${chain.output}`),
    });
    return Object.assign(chain, { url, network, contract });
  }

  /** How many events the contract has up to a ledger. @param {number} through */
  async countEvents(through) {
    const filters = [{ type: 'contract', contractIds: [this.contract] }];
    const first = (await this.#call('getHealth')).oldestLedger;
    let count = 0;
    for (let from = first; from <= through; from += 100) {
      const endLedger = Math.min(from + 100, through + 1);
      const { events } = await this.#call('getEvents', {
        startLedger: from,
        endLedger,
        filters,
        pagination: { limit: 10_000 },
      });
      count += events.length;
    }
    return count;
  }

  async #call(method, params) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const { result, error } = await (
      await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    ).json();
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async end() {
    this.process.kill('SIGTERM');
    await this.ended;
    disown(this);
  }

  endNow() {
    this.process.kill('SIGKILL');
  }
}

/** A server of our own, with its database and its chain. */
class OwnTarget {
  own = true;

  /** @param {{server: string, redis: boolean}} options */
  static async start({ server, redis }) {
    const target = new OwnTarget();
    target.directory = mkdtempSync(join(tmpdir(), 'fluxora-scenario-'));
    own({ end: () => {}, endNow: () => rmSync(target.directory, { recursive: true, force: true }) });
    const cluster = await PostgresCluster.start();
    target.db = new Database(cluster, await cluster.createDatabase());
    target.chain = await Chain.start();
    target.redis = redis ? await RedisServer.start() : undefined;
    const secret = randomBytes(32).toString('hex');
    target.adminHeaders = adminHeaders(secret);
    const settings = {
      STELLAR_RPC_URL: target.chain.url,
      NETWORK_PASSPHRASE: target.chain.network,
      CONTRACT_IDS: target.chain.contract,
      INDEXER_POLL_MS: '500',
      JWT_SECRET: secret,
      TRUSTED_PROXIES: '127.0.0.1',
      WRITE_RATE_LIMIT: '100',
      WS_MAX_CONNECTIONS_PER_IP: '1000',
      WEBHOOK_SECRET_KEYS: randomBytes(32).toString('base64'),
      WEBHOOK_HTTP_HOSTS: '127.0.0.1',
      WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8',
      ...(target.redis ? { REDIS_URL: target.redis.url() } : {}),
    };
    target.program = await startServer('fluxora', {
      directory: target.directory,
      program: server,
      databaseUrl: target.db.url,
      settings,
    });
    target.url = target.program.url;
    target.errorLines = 0;
    return target;
  }

  get pid() {
    return this.program.process.pid;
  }

  /** Accounts that no one on the chain has, so that their streams stay theirs. */
  parties() {
    const some = (role, count) =>
      Array.from({ length: count }, (_, n) => accountAddress(SEED_OF_PARTIES, `${role}-${n}`));
    return {
      senders: some('sender', SENDERS),
      recipients: some('recipient', RECIPIENTS),
      followed: some('followed', FOLLOWED),
    };
  }

  /** @param {string} url of the receiver's */
  async makeEndpoint(url) {
    const answer = await fetch(`${this.url}/api/webhooks/endpoints`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.adminHeaders },
      body: JSON.stringify({ url }),
    });
    if (answer.status !== 201) throw new Error(`an endpoint was answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** The log of a long run would fill the disk: what matters in it is counted, the rest goes. */
  emptyLog() {
    const lines = readFileSync(this.program.log);
    this.program.emptyLog();
    for (let at = lines.indexOf(ERROR_LINE); at >= 0; at = lines.indexOf(ERROR_LINE, at + 1)) this.errorLines += 1;
  }

  /** Ends the server; gives its exit code. */
  async stop() {
    await this.program.end();
    this.emptyLog();
    return this.program.ended;
  }

  dispose() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A server of someone's. */
class ExistingTarget {
  own = false;

  /** @param {string} url @param {string | undefined} apiKey */
  constructor(url, apiKey) {
    this.url = url;
    this.headers = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  }

  /** Whoever has streams there. @param {any[]} streams */
  parties(streams) {
    const some = (name, most) => [...new Set(streams.map((stream) => stream[name]))].slice(0, most);
    const [senders, recipients] = [some('sender', SENDERS), some('recipient', RECIPIENTS)];
    // A stream isn't anyone's to himself.
    return { senders: senders.filter((address) => !recipients.includes(address)), recipients, followed: recipients };
  }

  dispose() {}
}

/** @param {{url?: string, apiKey?: string, server?: string, redis: boolean}} options */
export async function startTarget({ url, apiKey, server, redis }) {
  if (url !== undefined) return new ExistingTarget(url, apiKey);
  if (server === undefined) throw new Error('--server names the program to be started');
  return OwnTarget.start({ server, redis });
}
