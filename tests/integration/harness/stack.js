// The whole house for one test: a database of its own, a simulated chain, the server between them.
import { startSimulator } from '../../chain-sim/src/simulator.js';
import { ExpectedStreams } from './expected_streams.js';
import { request, withQuery } from './http_client.js';
import { disown, ownHere } from './ownership.js';
import { PostgresCluster } from './postgres_cluster.js';
import { ServerProcess } from './server_process.js';
import { waitFor } from './wait.js';
import { WsClient } from './ws_client.js';

/** Pages that a listing may have before it counts as endless. */
const MAX_PAGES = 5_000;

/** @type {Map<boolean, Promise<PostgresCluster>>} by fsync: a test file's clusters, ended with it */
const clusters = new Map();

/** @param {{fsync?: boolean}} [options] */
export function sharedCluster({ fsync = false } = {}) {
  const started = clusters.get(fsync) ?? PostgresCluster.start({ fsync });
  clusters.set(fsync, started);
  return started;
}

/** A database and how to ask it. */
export class Database {
  /** @param {PostgresCluster} cluster @param {{name: string, url: string}} database */
  constructor(cluster, { name, url }) {
    this.cluster = cluster;
    this.name = name;
    this.url = url;
  }

  /** Rows of one statement: int8 and numeric as strings, bytea as Buffer. @param {string} text @param {unknown[]} [values] @returns {Promise<any[]>} */
  async rows(text, values) {
    return (await this.cluster.query(this.name, text, values)).rows;
  }

  /** The first row. @param {string} text @param {unknown[]} [values] */
  async row(text, values) {
    return (await this.rows(text, values))[0];
  }
}

/** @param {{fsync?: boolean, cluster?: PostgresCluster}} [options] */
export async function newDatabase({ fsync, cluster } = {}) {
  const home = cluster ?? await sharedCluster({ fsync });
  return new Database(home, await home.createDatabase());
}

/**
 * What the server is told; a test's own settings come on top.
 * @param {Database} db
 * @param {any} sim or null: no chain
 */
export function serverEnvironment(db, sim) {
  const chain = sim && {
    STELLAR_RPC_URL: sim.url,
    NETWORK_PASSPHRASE: sim.networkPassphrase,
    CONTRACT_IDS: sim.contractId,
    INDEXER_START_LEDGER: String(sim.oldest.sequence),
    INDEXER_POLL_MS: '20',
  };
  return { HOST: '127.0.0.1', PORT: '0', DATABASE_URL: db.url, LOG_LEVEL: 'info', ...chain };
}

/** @param {any} sim */
function ownSimulator(sim) {
  const owner = ownHere(() => sim.stop());
  return async () => {
    await sim.stop();
    disown(owner);
  };
}

/**
 * @param {object} [options]
 * @param {import('../../chain-sim/src/simulator.js').SimulatorOptions | false} [options.simulator] false: no chain
 * @param {{eventsFile: string, ledgersFile?: string}} [options.replay] a recorded piece of a network before the simulated part
 * @param {{env?: Record<string, string | undefined>}} [options.server]
 * @param {boolean} [options.fsync] of the database
 * @param {PostgresCluster} [options.cluster] instead of the test file's shared one
 * @param {(sim: any) => void} [options.prepare] makes the chain's past, before the server starts
 */
export async function startStack({ simulator = {}, replay, server: { env = {} } = {}, fsync, cluster, prepare } = {}) {
  const db = await newDatabase({ fsync, cluster });
  const sim = simulator && await startSimulator({ ...simulator, ...(replay ? { replay } : {}) });
  const stopSimulator = sim ? ownSimulator(sim) : async () => {};
  if (sim) prepare?.(sim);
  const server = await ServerProcess.start({ ...serverEnvironment(db, sim || null), ...env });
  return new Stack(db, sim || null, server, stopSimulator);
}

export class Stack {
  constructor(db, sim, server, stopSimulator) {
    this.db = db;
    this.sim = sim;
    this.server = server;
    this.stopSimulator = stopSimulator;
    this.expected = sim && new ExpectedStreams(sim);
  }

  /** Of the simulated contract's stream. @param {bigint | number} number */
  streamId(number) {
    return `${this.sim.contractId}-${number}`;
  }

  get baseUrl() {
    return this.server.baseUrl;
  }

  get wsUrl() {
    return this.server.wsUrl;
  }

  /** @param {string} path @param {Parameters<typeof request>[1]} [options] */
  request(path, options) {
    return request(this.baseUrl + path, options);
  }

  /** GET that must be 200; its JSON. @param {string} path @param {Record<string, any>} [query] */
  async get(path, query = {}) {
    const answer = await this.request(withQuery(path, query));
    if (answer.status !== 200) throw new Error(`GET ${withQuery(path, query)} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    return answer.json;
  }

  async health() {
    return (await this.request('/health')).json;
  }

  /** @param {import('ws').ClientOptions} [options] */
  openWebSocket(options) {
    return WsClient.open(this.wsUrl, options);
  }

  /**
   * Waits until that ledger (the latest but one unless told: the tip isn't safe yet) is indexed, and the storage of its
   * streams read. The deadline is one
   * for each step forward, so that long chains may take their time.
   * @param {number} [ledger]
   */
  async waitForLedger(ledger = this.sim.latest.sequence - 1) {
    const indexed = async () => (await this.health()).indexer.lastLedger;
    for (let reached = 0; reached < ledger;) {
      reached = await waitFor(async () => {
        const now = await indexed();
        return now > reached && now;
      }, {
        what: `ledger ${ledger} to be indexed, after ${reached}`,
        describe: async () => ({ health: await this.health().catch(String), logs: this.server.logs.slice(-10) }),
        giveUp: () => !this.server.running && new Error(`the server ended: ${this.server.outcome()}`),
      });
    }
    await this.waitForObservations();
  }

  /** Waits until no stream's storage is still to be read, but for what lies above the last indexed ledger. */
  waitForObservations() {
    const due = 'SELECT FROM observation_list WHERE not_before <= (SELECT ledger FROM indexer_checkpoint)';
    return waitFor(async () => (await this.db.rows(due)).length === 0, {
      what: 'the contract’s storage to be read',
      describe: async () => ({ list: await this.db.rows('SELECT * FROM observation_list LIMIT 5'), logs: this.server.logs.slice(-10) }),
    });
  }

  /** Takes the simulator's news into `expected`, closes an empty ledger on top and waits until the server has it all. */
  async settle() {
    const { sequence } = this.sim.latest;
    this.expected.take(sequence);
    this.sim.closeLedger();
    await this.waitForLedger(sequence);
  }

  /** Scenario ledgers, one at a time, so that `expected` sees the storage after each. @param {number} ledgers @param {object} [options] */
  runScenario(ledgers, options) {
    for (let i = 0; i < ledgers; i += 1) {
      this.sim.runScenario(1, options);
      this.expected.take();
    }
  }

  /**
   * All pages of a listing.
   * @param {string} path
   * @param {string} name of the array
   * @param {Record<string, any>} [query]
   * @param {string} [cursorName] the parameter that takes next_cursor
   */
  async all(path, name, query = {}, cursorName = 'cursor') {
    const items = [];
    let cursor = query[cursorName];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await this.get(path, { ...query, [cursorName]: cursor });
      items.push(...answer[name]);
      if (!answer.has_more) return items;
      cursor = answer.next_cursor;
    }
    throw new Error(`${path} has no last page`);
  }

  allStreams(query = {}) {
    return this.all('/api/streams', 'streams', { limit: 100, ...query });
  }

  /** The log's newest cursor, and its two parts. @returns {Promise<{cursor: string, epoch: string, seq: number}>} */
  async head() {
    const cursor = String((await this.request('/api/streams?limit=1')).headers['x-fluxora-cursor']);
    const [, epoch, seq] = /^([a-z0-9]+)-(0|[1-9][0-9]*)$/.exec(cursor) ?? [];
    if (epoch === undefined) throw new Error(`X-Fluxora-Cursor is ${cursor}`);
    return { cursor, epoch, seq: Number(seq) };
  }

  /** The whole log, from its first entry on. @param {Record<string, any>} [query] */
  async allEvents(query = {}) {
    const { epoch } = await this.head();
    return this.all('/api/events', 'events', { limit: 1000, after: `${epoch}-0`, ...query }, 'after');
  }

  async stop() {
    await this.server.end();
    await this.stopSimulator();
  }
}
