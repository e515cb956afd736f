// A private PostgreSQL: own directory, own port, own password, as an unprivileged user (PostgreSQL refuses root).
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { BoundedText, spawnBound } from './child.js';
import { disown, own } from './ownership.js';
import { waitFor } from './wait.js';

const START_TRIES = 5;
const SUPERUSER = 'fluxora';

/** The directory of PostgreSQL's programs: $FLUXORA_PG_BIN, what pg_config says, or the newest in Debian's place. */
function findPrograms() {
  const candidates = [];
  if (process.env.FLUXORA_PG_BIN) candidates.push(process.env.FLUXORA_PG_BIN);
  const asked = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (asked.status === 0) candidates.push(asked.stdout.trim());
  const debian = '/usr/lib/postgresql';
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a));
    candidates.push(...versions.map((version) => join(debian, version, 'bin')));
  }
  const found = candidates.find((directory) => existsSync(join(directory, 'initdb')));
  if (!found) throw new Error('PostgreSQL is not installed: no initdb found (set FLUXORA_PG_BIN)');
  return found;
}

/** Whom to be instead of root. @returns {{uid: number, gid: number} | undefined} undefined: stay who we are */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':')).map((fields) => [fields[0], fields]),
  );
  const user = users.get('postgres') ?? users.get('nobody');
  if (!user) throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** A loopback port that nobody listens on at this moment. */
export async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}

const PREFIX = 'fluxora-pg-';

/** Removes what a test process that was killed outright has left: its PostgreSQL died with it (child.js). @param {string} parent */
function removeAbandoned(parent) {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
    try {
      process.kill(Number(readFileSync(join(parent, name, 'owner'), 'utf8')), 0);
    } catch (error) {
      // ESRCH: nobody of that id. Anything else: not ours to judge, or gone already.
      if (/** @type {any} */ (error).code === 'ESRCH') rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** A short directory that the unprivileged user can reach: a socket's path must stay under 108 bytes. */
function makeDirectory(user) {
  const parent = user || tmpdir().length > 40 ? '/tmp' : tmpdir();
  removeAbandoned(parent);
  const directory = mkdtempSync(join(parent, PREFIX));
  writeFileSync(join(directory, 'owner'), String(process.pid));
  if (user) chownSync(directory, user.uid, user.gid);
  chmodSync(directory, 0o700);
  return directory;
}

export class PostgresCluster {
  /** Use `PostgresCluster.start`. */
  constructor({ fsync, maxConnections }) {
    this.programs = findPrograms();
    this.user = unprivilegedUser();
    this.directory = makeDirectory(this.user);
    this.password = randomBytes(12).toString('hex');
    this.fsync = fsync;
    this.maxConnections = maxConnections;
    this.port = 0;
    this.databases = 0;
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null;
    this.output = new BoundedText();
  }

  /**
   * @param {object} [options]
   * @param {boolean} [options.fsync] true: as in production. false is enough where only the server dies: what it
   *   committed is in the kernel's hands by then.
   * @param {number} [options.maxConnections]
   */
  static async start({ fsync = true, maxConnections = 100 } = {}) {
    const cluster = own(new PostgresCluster({ fsync, maxConnections }));
    cluster.initialise();
    await cluster.start();
    return cluster;
  }

  /** A hot standby that streams from this cluster, with its users and databases. Ended like any other. */
  async startStandby() {
    const standby = own(new PostgresCluster({ fsync: this.fsync, maxConnections: this.maxConnections }));
    standby.password = this.password;
    const args = ['--pgdata', standby.data, '--host', '127.0.0.1', '--port', String(this.port), '--username', SUPERUSER,
      '--wal-method', 'stream', '--checkpoint', 'fast', '--write-recovery-conf', '--no-sync'];
    execFileSync(join(this.programs, 'pg_basebackup'), args, {
      ...this.user, cwd: standby.directory, env: { PATH: process.env.PATH, PGPASSWORD: this.password }, stdio: ['ignore', 'ignore', 'pipe'],
    });
    standby.port = await freePort();
    standby.databases = this.databases; // its URLs are known, so that its port stays
    await standby.start();
    return standby;
  }

  get data() {
    return join(this.directory, 'data');
  }

  initialise() {
    const passwordFile = join(this.directory, 'password');
    writeFileSync(passwordFile, this.password, { mode: 0o600 });
    if (this.user) chownSync(passwordFile, this.user.uid, this.user.gid);
    const args = ['--pgdata', this.data, '--username', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256',
      '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-instructions', '--no-sync'];
    execFileSync(join(this.programs, 'initdb'), args, { ...this.user, cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Starts it, or starts it again on the same port. */
  async start() {
    for (let tries = 1; ; tries += 1) {
      if (!this.databases) this.port = await freePort();
      try {
        await this.startOnce();
        return;
      } catch (error) {
        // Somebody else may have taken the port in between; once a URL is out it can't change any more.
        if (tries >= START_TRIES || !/could not bind|Address already in use/.test(String(this.output))) throw error;
      }
    }
  }

  async startOnce() {
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.directory,
      fsync: this.fsync ? 'on' : 'off',
      full_page_writes: this.fsync ? 'on' : 'off',
      shared_buffers: '64MB',
      max_connections: this.maxConnections,
      log_min_messages: 'warning',
      log_line_prefix: '%m ',
    };
    const args = ['-D', this.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    this.output = new BoundedText();
    const child = spawnBound(join(this.programs, 'postgres'), args, {
      ...this.user,
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => { this.output.add(String(error)); resolve(null); });
      child.once('exit', resolve);
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => this.output.add(text));
    let ended = false;
    this.exited.then(() => { ended = true; });
    await waitFor(() => this.query('postgres', 'SELECT 1'), {
      what: 'PostgreSQL to accept connections',
      giveUp: () => ended && new Error(`PostgreSQL ended at its start:\n${this.output}`),
    });
  }

  /** One statement over the unix socket, on a connection of its own. @param {string} database @param {string} text @param {unknown[]} [values] */
  async query(database, text, values) {
    const client = this.client(database);
    await client.connect();
    try {
      return await client.query(text, values);
    } finally {
      await client.end();
    }
  }

  client(database) {
    const client = new pg.Client({ host: this.directory, port: this.port, user: SUPERUSER, password: this.password, database });
    client.on('error', () => {}); // the cluster went away; the next query says so
    return client;
  }

  /** @param {string} database */
  url(database) {
    return `postgres://${SUPERUSER}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** A new, empty database. @returns {Promise<{name: string, url: string}>} */
  /** @param {string} [template] a database that nobody is connected to: the new one begins as its copy */
  async createDatabase(template = 'template1') {
    this.databases += 1;
    const name = `fluxora_${this.databases}`;
    await this.query('postgres', `CREATE DATABASE ${name} TEMPLATE ${template}`);
    return { name, url: this.url(name) };
  }

  get running() {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }

  /**
   * @param {'fast' | 'immediate'} [mode] fast: ends the sessions and checkpoints. immediate: as a crash would.
   */
  async stop(mode = 'fast') {
    if (!this.running) return;
    this.process?.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
    await this.exited;
  }

  async end() {
    await this.stop('immediate');
    rmSync(this.directory, { recursive: true, force: true });
    disown(this);
  }

  endNow() {
    // SIGQUIT takes the backends along; SIGKILL would leave that to each of them.
    if (this.running) this.process?.kill('SIGQUIT');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
