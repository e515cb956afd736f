// The receiver in receiver/, as a process that is killed and comes back at the same port.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BoundedText, spawnBound } from '../../integration/harness/child.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { PROJECT_ROOT } from '../../integration/harness/server_process.js';
import { waitFor } from '../../integration/harness/wait.js';

/** $FLUXORA_WEBHOOK_RECEIVER, or the build of $FLUXORA_PRESET (dev). */
function receiverProgram() {
  const built = join('build', process.env.FLUXORA_PRESET ?? 'dev', 'tests/webhooks/receiver/fluxora_webhook_receiver');
  const program = resolve(PROJECT_ROOT, process.env.FLUXORA_WEBHOOK_RECEIVER ?? built);
  if (!existsSync(program)) throw new Error(`there is no ${program}: build it, or set FLUXORA_WEBHOOK_RECEIVER`);
  return program;
}

/**
 * A line of its record.
 * @typedef {{at: number, path: string, id: string, timestamp: string, event: string, cursor: string, streamId: string,
 *   bodySha256: string, verdict: string, handled: boolean, duplicate: boolean, status: number}} Received
 */

export class ReceiverProgram {
  /** @param {{seed?: number, threads?: number, env?: Record<string, string>}} [options] */
  constructor({ seed = 1, threads = 1, env = {} } = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'fluxora-receiver-'));
    this.record = join(this.directory, 'record.jsonl');
    this.seed = seed;
    this.threads = threads;
    this.env = env;
    this.port = 0;
    /** @type {[string, string][]} path and secret */
    this.trusted = [];
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null;
    own(this);
  }

  /** @param {ConstructorParameters<typeof ReceiverProgram>[0]} [options] */
  static async start(options) {
    const receiver = new ReceiverProgram(options);
    await receiver.start();
    return receiver;
  }

  /** Starts it, or starts it again: same port, same secrets, the record goes on. */
  async start() {
    const args = ['--port', this.port, '--threads', this.threads, '--record', this.record, '--seed', this.seed].map(
      String,
    );
    const child = spawnBound(receiverProgram(), args, {
      env: { PATH: process.env.PATH, ...this.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process = child;
    this.lines = [];
    this.stderr = new BoundedText();
    let partial = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      this.lines.push(...lines.map((line) => JSON.parse(line)));
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => this.stderr.add(text));
    child.stdin?.on('error', () => {}); // it was killed; whoever waits for its answer is told
    this.exited = new Promise((done) => {
      child.once('close', (code, signal) => done({ code, signal }));
    });
    this.port = (await this.said('listening')).port;
    for (const [path, secret] of this.trusted) this.tell(`trust ${path} ${secret}`);
    if (!this.env.FLUXORA_WEBHOOK_SECRET) {
      this.tell('serve');
      await this.said('serving');
    }
  }

  get running() {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The n-th line of that name. @param {string} event */
  said(event, count = 1) {
    return waitFor(() => this.lines.filter((line) => line.event === event)[count - 1], {
      what: `the receiver to say ${event}`,
      giveUp: () => !this.running && new Error(`the receiver ended: ${this.stderr}`),
    });
  }

  /** @param {string} line */
  tell(line) {
    this.process?.stdin?.write(`${line}\n`);
  }

  /** From now on, and over restarts. @param {string} path @param {string} secret */
  async trust(path, secret) {
    this.trusted.push([path, secret]);
    if (!this.running) return;
    this.tell(`trust ${path} ${secret}`);
    await this.said('trusted', this.trusted.length);
  }

  /** @param {string} path */
  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** What it has written down, in order. @returns {Received[]} */
  records() {
    if (!existsSync(this.record)) return [];
    const text = readFileSync(this.record, 'utf8');
    assert.ok(text === '' || text.endsWith('\n'), 'every line is whole');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  async kill9() {
    this.process?.kill('SIGKILL');
    await this.exited;
  }

  /** In order: its standard input ends. */
  async end() {
    if (this.running) {
      this.process?.stdin?.end();
      const { code } = await this.exited;
      assert.equal(code, 0, String(this.stderr));
    }
    rmSync(this.directory, { recursive: true, force: true });
    disown(this);
  }

  endNow() {
    this.process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
