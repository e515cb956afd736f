// haproxy with the configuration that ships (docker/haproxy.cfg): only where it listens and whom it asks are the test's.
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoundedText, spawnBound } from '../../integration/harness/child.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { freePort } from '../../integration/harness/postgres_cluster.js';
import { PROJECT_ROOT } from '../../integration/harness/server_process.js';
import { waitFor } from '../../integration/harness/wait.js';

const SHIPPED = join(PROJECT_ROOT, 'docker/haproxy.cfg');
/** Words behind a server's address that are about finding it by name. */
const BY_NAME = /\s(resolvers|init-addr|resolve-prefer|resolve-opts)\s+\S+/g;

/** The lines of a configuration by its sections; what stands before the first is a section without a name. */
function sections(text) {
  const found = [{ name: '', lines: [] }];
  for (const line of text.split('\n')) {
    if (/^[a-z]/.test(line)) found.push({ name: line.split(/\s+/)[0], lines: [] });
    /** @type {any} */ (found.at(-1)).lines.push(line);
  }
  return found;
}

/**
 * The shipped configuration with other addresses: the first `bind` is the test's port, later ones any, and the
 * servers of the service are these.
 * @param {string} text
 * @param {{port: number, otherPorts: number[], servers: number[], socket: string}} place
 */
export function placed(text, { port, otherPorts, servers, socket }) {
  const ports = [port, ...otherPorts];
  let binds = 0;
  let backends = 0;
  const place = (line) => {
    const bind = /^(\s+bind\s+)\S+(.*)$/.exec(line);
    if (bind) {
      binds += 1;
      return [`${bind[1]}127.0.0.1:${ports[binds - 1]}${bind[2]}`];
    }
    if (/^\s+default-server\s/.test(line)) return [line.replace(BY_NAME, '')];
    const server = /^(\s+)server(?:-template\s+(\S+)\s+\S+|\s+(\S+))\s+\S+(.*)$/.exec(line);
    if (!server) return [line];
    backends += 1;
    const [, indent, template, name, rest] = server;
    const options = rest.replace(BY_NAME, '');
    return servers.map((one, index) => `${indent}server ${template ?? name}${index + 1} 127.0.0.1:${one}${options}`);
  };
  const lines = sections(text).filter(({ name }) => name !== 'resolvers').flatMap(({ name, lines: own }) => [
    ...own.filter((line) => !(name === 'global' && /^\s+maxconn\s/.test(line))).flatMap(place), // descriptors are the machine's
    ...(name === 'global' ? [`  stats socket ${socket} mode 600 level admin`] : []),
  ]);
  if (binds < 1 || binds > ports.length || backends !== 1) {
    throw new Error(`docker/haproxy.cfg has ${binds} binds and ${backends} lines of servers`);
  }
  return lines.join('\n');
}

export class LoadBalancer {
  /** Use `LoadBalancer.start`. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'fluxora-lb-'));
    chmodSync(this.directory, 0o755); // it may become another user
    this.socket = join(this.directory, 'stats');
    this.output = new BoundedText();
    this.port = 0;
  }

  /** @param {number[]} servers ports of the instances */
  static async start(servers) {
    const balancer = own(new LoadBalancer());
    balancer.port = await freePort();
    const otherPorts = [await freePort(), await freePort()];
    const file = join(balancer.directory, 'haproxy.cfg');
    const { port, socket } = balancer;
    writeFileSync(file, placed(readFileSync(SHIPPED, 'utf8'), { port, otherPorts, servers, socket }));
    const child = spawnBound('haproxy', ['-db', '-f', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    balancer.process = child;
    let ended = false;
    balancer.exited = new Promise((resolve) => {
      child.once('error', (error) => { balancer.output.add(String(error)); ended = true; resolve(null); });
      child.once('exit', () => { ended = true; resolve(null); });
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => balancer.output.add(text));
    const giveUp = () => ended && new Error(`haproxy ended:\n${balancer.output}`);
    await waitFor(() => balancer.states(), { what: 'haproxy to answer', giveUp });
    return balancer;
  }

  get baseUrl() {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl() {
    return `ws://127.0.0.1:${this.port}/ws/streams`;
  }

  /** Of a command on its socket. @param {string} command */
  async ask(command) {
    const socket = connect(this.socket);
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.end(`${command}\n`);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  }

  /** What it thinks of each instance, by port: UP, DOWN, … @returns {Promise<Map<number, string>>} */
  async states() {
    const [head, ...rows] = (await this.ask('show stat')).trim().split('\n').map((line) => line.replace(/^# /, '').split(','));
    const [status, address] = [head.indexOf('status'), head.indexOf('addr')];
    return new Map(rows.filter((row) => row[address]).map((row) => [Number(row[address].split(':').pop()), row[status]]));
  }

  /** @param {number} port @param {RegExp} state */
  waitForState(port, state) {
    return waitFor(async () => state.test((await this.states()).get(port) ?? ''), {
      what: `haproxy to see port ${port} as ${state}`,
      describe: async () => Object.fromEntries(await this.states()),
    });
  }

  async end() {
    this.process?.kill('SIGTERM'); // -db: ends at once
    await this.exited;
    this.endNow();
    disown(this);
  }

  endNow() {
    this.process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
