// The programs that are measured and that measure: each starts one, and what it gives can be ended.
import { execFile } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { spawnBound } from '../integration/harness/child.js';
import { own } from '../integration/harness/ownership.js';
import { freePort } from '../integration/harness/postgres_cluster.js';
import { waitFor } from '../integration/harness/wait.js';

const run = promisify(execFile);
/** After which wrk counts an answer as failed: a creation of the yardstick's waits its turn at one row. */
const ANSWER_SECONDS = 10;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A server that logs each request to a file, which is emptied now and then: a run makes gigabytes of lines. */
class Program {
  constructor(name, { directory, command, args, env = {}, log }) {
    this.log = log ?? join(directory, `${name}.log`);
    // Appending, so that what comes after a truncation starts at the file's beginning.
    const output = openSync(join(directory, `${name}.log`), 'a');
    this.process = spawnBound(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', output, 'inherit'] });
    this.ended = new Promise((resolve) => { this.process.once('exit', resolve); });
    own(this);
  }

  emptyLog() {
    truncateSync(this.log);
  }

  residentKiB() {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]);
  }

  async end() {
    this.process.kill('SIGTERM');
    await this.ended;
  }

  endNow() {
    this.process.kill('SIGKILL');
  }

  /** Waits until the program has said where it listens. */
  async listening() {
    const line = await waitFor(() => readFileSync(this.log, 'utf8').split('\n').find((text) => text.includes('"listening"')), {
      what: `a line about listening in ${this.log}`,
      giveUp: () => this.process.exitCode !== null && new Error(`it ended: ${readFileSync(this.log, 'utf8').slice(-1000)}`),
    });
    this.said = JSON.parse(line);
    this.url = `http://127.0.0.1:${this.said.port}`;
    return this;
  }
}

export async function startServer(name, { directory, program, databaseUrl, settings = {} }) {
  const env = { DATABASE_URL: databaseUrl, PORT: '0', WRITE_RATE_LIMIT: '0', WS_MAX_CONNECTIONS_PER_IP: '100000', ...settings };
  return new Program(name, { directory, command: program, args: ['serve'], env }).listening();
}

export async function startYardstick(name, { directory, databaseUrl, workers }) {
  const env = { DATABASE_URL: databaseUrl, WORKERS: `${workers}`, NODE_ENV: 'production' };
  return new Program(name, { directory, command: process.execPath, args: [here('yardstick/main.mjs')], env }).listening();
}

/** Something that serves a feed and makes updates when it is asked. */
export async function startFeed(name, { directory, command, args = [] }) {
  return new Program(name, { directory, command, args }).listening();
}

/** tests/webhooks' receiver: verifies each request, remembers ids, and writes down what came. */
export async function startReceiver(name, { directory, program }) {
  const record = join(directory, `${name}.records`);
  const receiver = await new Program(name, { directory, command: program, args: ['--record', record] }).listening();
  receiver.record = record;
  return receiver;
}

const STATIC_BODY = `{"status":"ok","padding":"${'x'.repeat(172)}"}`;

/** nginx with one page of 200 bytes. */
export async function startNginx(directory) {
  const port = await freePort();
  const root = join(directory, 'static');
  mkdirSync(root);
  writeFileSync(join(root, 'health'), STATIC_BODY);
  writeFileSync(join(directory, 'nginx.conf'), `
daemon off; pid nginx.pid; error_log stderr warn; worker_processes 2;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log nginx-requests.log combined buffer=64k flush=1s;
  default_type application/json; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=10; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server { listen 127.0.0.1:${port} reuseport; root static; location = /health {} }
}`);
  const args = ['-p', directory, '-c', join(directory, 'nginx.conf')];
  const nginx = new Program('nginx', { directory, command: 'nginx', args, log: join(directory, 'nginx-requests.log') });
  nginx.url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${nginx.url}/health`)).ok, { what: 'nginx to serve' });
  return nginx;
}

/**
 * @param {Program} program
 * @param {string[]} kind of requests.lua
 * @param {{connections: number, seconds: number}} load
 */
export async function wrk(program, kind, { connections, seconds }) {
  const args = ['-t2', `-c${connections}`, `-d${seconds}s`, '--timeout', `${ANSWER_SECONDS}s`, '-s', here('requests.lua'), program.url];
  const { stdout } = await run('wrk', [...args, '--', ...kind]);
  const figures = JSON.parse(/^figures (.*)$/m.exec(stdout)[1]);
  const errors = Object.entries(figures.errors).filter(([, count]) => count > 0);
  if (errors.length > 0) throw new Error(`${program.url} ${kind.join(' ')}: errors ${JSON.stringify(errors)}`);
  program.emptyLog();
  return { ...figures, rate: (figures.requests * 1e6) / figures.microseconds };
}

/** Transactions a second of pgbench, over TCP as the servers' connections. */
export async function pgbench({ cluster, database, script, connections, seconds }) {
  const args = ['-n', '-M', 'prepared', '-h', '127.0.0.1', '-p', `${cluster.port}`, '-U', 'fluxora', '-c', `${connections}`, '-j', '2',
    '-T', `${seconds}`, '-f', script, database];
  const { stdout } = await run(join(cluster.programs, 'pgbench'), args, { env: { ...process.env, PGPASSWORD: cluster.password } });
  const rate = /^tps = ([\d.]+)/m.exec(stdout);
  if (rate === null) throw new Error(`pgbench ran nothing: ${stdout}`);
  return Number(rate[1]);
}

export async function version(program, args) {
  const { stdout, stderr } = await run(program, args).catch((error) => error);
  return /\d+(\.\d+)+/.exec(stdout + stderr)[0];
}
