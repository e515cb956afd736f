// The real server as a process: started, watched by its log lines, stopped in order or killed.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BoundedText, spawnBound } from './child.js';
import { disown, own } from './ownership.js';
import { DEADLINE_MS, waitFor } from './wait.js';

export const PROJECT_ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

const LOGS_KEPT = 20_000;
/** What a child may inherit; everything else about the server is said in its `env`. */
const INHERITED = /^(PATH|TMPDIR|LANG|LC_ALL|TZ|HOME|LLVM_PROFILE_FILE|GCOV_PREFIX.*|[A-Z]+SAN_OPTIONS)$/;

/** $FLUXORA_SERVER, or the build of $FLUXORA_PRESET (dev). */
export function serverProgram() {
  const preset = process.env.FLUXORA_PRESET ?? 'dev';
  const program = resolve(
    process.env.FLUXORA_SERVER ?? join(PROJECT_ROOT, 'build', preset, 'native-server/app/fluxora-server'),
  );
  if (!existsSync(program)) throw new Error(`there is no ${program}: build it, or set FLUXORA_SERVER or FLUXORA_PRESET`);
  return program;
}

/** @param {Record<string, string | undefined>} env */
function childEnvironment(env) {
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  const given = Object.entries(env).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...inherited, ...given]);
}

/**
 * Runs a command of the program to its end.
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>}
 */
export async function runCommand(args, env = {}) {
  const server = new ServerProcess({ args, env });
  server.spawn();
  const timer = setTimeout(() => server.kill9(), DEADLINE_MS);
  const { code, signal } = await server.exited;
  clearTimeout(timer);
  disown(server);
  return { code, signal, stdout: String(server.stdout), stderr: String(server.stderr) };
}

/**
 * One line of the log.
 * @typedef {Record<string, any> & {event?: string}} LogLine
 */

export class ServerProcess {
  /** @param {{args?: string[], env: Record<string, string | undefined>}} options */
  constructor({ args = ['serve'], env }) {
    this.args = args;
    this.env = env;
    this.port = 0;
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null;
    /** @type {Promise<{code: number | null, signal: string | null}>} */
    this.exited = Promise.resolve({ code: null, signal: null });
    this.clearOutput();
  }

  /** Starts `serve` and waits until it listens. @param {Record<string, string | undefined>} env */
  static async start(env) {
    const server = new ServerProcess({ env });
    await server.start();
    return server;
  }

  clearOutput() {
    /** @type {LogLine[]} the newest lines */
    this.logs = [];
    /** Lines on stdout that are no JSON object. @type {string[]} */
    this.strayLines = [];
    this.stdout = new BoundedText();
    this.stderr = new BoundedText();
    this.partialLine = '';
  }

  spawn() {
    this.clearOutput();
    const child = spawnBound(serverProgram(), this.args, {
      env: childEnvironment(this.env),
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    own(this);
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text) => this.takeOutput(text));
    child.stderr?.setEncoding('utf8').on('data', (text) => this.stderr.add(text));
    this.exited = new Promise((done) => {
      child.once('error', (error) => { this.stderr.add(String(error)); done({ code: null, signal: null }); });
      // 'close' comes after 'exit' and after the last output.
      child.once('close', (code, signal) => done({ code, signal }));
    });
  }

  /** @param {string} text */
  takeOutput(text) {
    this.stdout.add(text);
    const lines = (this.partialLine + text).split('\n');
    this.partialLine = lines.pop() ?? '';
    for (const line of lines) {
      let parsed;
      try {
        parsed = JSON.parse(line);
      } catch {
        parsed = null;
      }
      if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) this.strayLines.push(line.slice(0, 200));
      else this.logs.push(parsed);
    }
    if (this.logs.length > LOGS_KEPT) this.logs.splice(0, this.logs.length - LOGS_KEPT);
    if (this.strayLines.length > LOGS_KEPT) this.strayLines.length = LOGS_KEPT;
  }

  async start() {
    this.spawn();
    const line = await this.waitForLog((entry) => entry.event === 'listening', 'the server to listen');
    this.port = line.port;
    if (!Number.isInteger(this.port) || this.port < 1) throw new Error(`a listening line without a port: ${JSON.stringify(line)}`);
  }

  get running() {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }

  get baseUrl() {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl() {
    return `ws://127.0.0.1:${this.port}/ws/streams`;
  }

  outcome() {
    return `exit code ${this.process?.exitCode}, signal ${this.process?.signalCode}\n--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }

  /**
   * The first line, past or to come, that `matches`.
   * @param {(line: LogLine) => boolean} matches
   * @param {string} what
   * @returns {Promise<LogLine>}
   */
  async waitForLog(matches, what) {
    let ended = false;
    this.exited.then(() => { ended = true; });
    return waitFor(() => this.logs.find(matches), {
      what,
      describe: () => this.logs.slice(-20),
      giveUp: () => ended && new Error(`the server ended while waiting for ${what}: ${this.outcome()}`),
    });
  }

  /**
   * All lines of an event, once there are as many: what a request or a table shows may be ahead of the log, which comes
   * through a pipe.
   * @param {string} event
   * @param {number} [count]
   * @returns {Promise<LogLine[]>}
   */
  async linesOf(event, count = 1) {
    const lines = () => this.logs.filter((line) => line.event === event);
    await this.waitForLog(() => lines().length >= count, `${count} × ${event}`);
    return lines();
  }

  /**
   * SIGTERM, and its orderly end. Anything but exit code 0 is an error: a sanitizer's finding ends here too.
   * A process that doesn't end by itself is killed, and that is an error as well.
   */
  async stop() {
    if (this.running) this.process?.kill('SIGTERM');
    const timer = setTimeout(() => this.process?.kill('SIGKILL'), DEADLINE_MS);
    const { code, signal } = await this.exited;
    clearTimeout(timer);
    disown(this);
    if (code !== 0) throw new Error(`the server ended with code ${code}, signal ${signal}: ${this.outcome()}`);
    if (this.strayLines.length > 0) throw new Error(`not JSON on stdout: ${this.strayLines.slice(0, 5).join('\n')}`);
  }

  /** kill -9. Resolves when the process is gone. */
  async kill9() {
    if (this.running) this.process?.kill('SIGKILL');
    await this.exited;
    disown(this);
  }

  /** Stops it, if it still runs, and starts it with the same environment (and `env`'s changes). */
  async restart(env = {}) {
    if (this.running) await this.stop();
    this.env = { ...this.env, ...env };
    await this.start();
  }

  async end() {
    if (this.running) await this.stop();
    else disown(this);
  }

  endNow() {
    if (this.running) this.process?.kill('SIGKILL');
  }
}
