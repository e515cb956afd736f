// Three instances as an operator runs them: one database with a streaming replica, Redis, a load balancer in front, and
// a chain to follow.
import { startSimulator } from '../../chain-sim/src/simulator.js';
import { request } from '../../integration/harness/http_client.js';
import { disown, ownHere } from '../../integration/harness/ownership.js';
import { PostgresCluster, freePort } from '../../integration/harness/postgres_cluster.js';
import { ServerProcess } from '../../integration/harness/server_process.js';
import { Stack, newDatabase, serverEnvironment } from '../../integration/harness/stack.js';
import { waitFor } from '../../integration/harness/wait.js';
import { RedisServer } from '../../realtime/harness/redis_server.js';
import { LoadBalancer } from './load_balancer.js';

export const INSTANCES = 3;

export class Fleet {
  /** @param {{seed: string, env?: Record<string, string>}} options settings on top of those that make it a fleet */
  static async start({ seed, env = {} }) {
    const fleet = new Fleet();
    fleet.primary = await PostgresCluster.start({ fsync: false });
    fleet.redis = await RedisServer.start();
    const sim = await startSimulator({ seed, streams: 20, tokenEvents: false });
    fleet.simulator = ownHere(() => sim.stop());
    fleet.sim = sim;
    sim.runScenario(5, { actionsPerLedger: 5 });
    const db = await newDatabase({ cluster: fleet.primary });
    fleet.standby = await fleet.primary.startStandby();
    const settings = {
      ...serverEnvironment(db, sim),
      DATABASE_REPLICA_URL: fleet.standby.url(db.name),
      REDIS_URL: fleet.redis.url(),
      TRUSTED_PROXIES: '127.0.0.1',
      WS_MAX_CONNECTIONS_PER_IP: '1000',
      SHUTDOWN_DELAY_MS: '3000',
      ...env,
    };
    fleet.servers = [];
    for (let i = 0; i < INSTANCES; i += 1) {
      const server = new ServerProcess({ env: { ...settings, PORT: String(await freePort()) } });
      await server.start();
      fleet.servers.push(server);
    }
    fleet.balancer = await LoadBalancer.start(fleet.servers.map(({ port }) => port));
    for (const { port } of fleet.servers) await fleet.balancer.waitForState(port, /^UP/);
    // What is asked of it goes through the load balancer, whichever instance has its logs read.
    fleet.stack = new Stack(db, sim, fleet.servers[0], async () => {});
    Object.defineProperties(fleet.stack, {
      baseUrl: { get: () => fleet.balancer.baseUrl },
      wsUrl: { get: () => fleet.balancer.wsUrl },
    });
    await fleet.stack.waitForLedger();
    await fleet.waitForReplay();
    for (const server of fleet.servers) await fleet.usesReplica(server);
    return fleet;
  }

  get baseUrl() {
    return this.balancer.baseUrl;
  }

  /** Reads until that instance's log says that the replica answers them: it finds out by reads. @param {ServerProcess} server */
  usesReplica(server) {
    return waitFor(async () => {
      await request(`${server.baseUrl}/api/streams`);
      return server.logs.some(({ event }) => event === 'replica_in_use');
    }, { what: 'reads from the replica', describe: () => server.logs.slice(-10) });
  }

  /** Until the replica has what the primary has. */
  async waitForReplay() {
    const { rows: [{ lsn }] } = await this.primary.query('postgres', 'SELECT pg_current_wal_lsn()::text AS lsn');
    const done = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done';
    await waitFor(async () => (await this.standby.query('postgres', done, [lsn])).rows[0].done, {
      what: 'the replica to have what the primary has',
    });
  }

  pauseReplay() {
    return this.standby.query('postgres', 'SELECT pg_wal_replay_pause()');
  }

  resumeReplay() {
    return this.standby.query('postgres', 'SELECT pg_wal_replay_resume()');
  }

  /** The instance that indexes: who holds the lock says it last. */
  leader() {
    return waitFor(async () => {
      const leading = this.servers.filter((server) => server.running && server.logs.some(({ event }) => event === 'indexer_leads'));
      return leading.length === 1 && leading[0];
    }, { what: 'one instance to lead', describe: () => this.servers.map(({ running, logs }) => [running, logs.slice(-3)]) });
  }

  /** Ends an instance in order, starts it again, and waits until it is asked again. @param {ServerProcess} server */
  async restart(server) {
    await server.stop();
    await this.startAgain(server);
  }

  /** @param {ServerProcess} server that has ended */
  async startAgain(server) {
    await this.balancer.waitForState(server.port, /^DOWN/);
    await server.start();
    await this.balancer.waitForState(server.port, /^UP/);
  }

  async end() {
    await this.balancer.end();
    for (const server of this.servers) {
      server.env = { ...server.env, SHUTDOWN_DELAY_MS: '0' };
      if (server.running) await server.kill9();
      await server.end();
    }
    await this.redis.end();
    await this.standby.end();
    await this.primary.end();
    await this.sim.stop();
    disown(this.simulator);
  }
}
