// A private Redis: own directory, own port, own password, nothing written to disk.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoundedText, spawnBound } from '../../integration/harness/child.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { freePort } from '../../integration/harness/postgres_cluster.js';
import { DEADLINE_MS, waitFor } from '../../integration/harness/wait.js';

const PASSWORD = 'p@ss:word-of-redis';

/** A command as Redis' protocol has it; words may be bytes. @param {(string | Buffer)[]} words */
function encode(words) {
  const parts = words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(word)));
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ]);
}

export class RedisServer {
  /** Use `RedisServer.start`. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'fluxora-redis-'));
    this.port = 0;
    this.password = PASSWORD;
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null;
  }

  static async start() {
    const redis = own(new RedisServer());
    redis.port = await freePort();
    await redis.start();
    return redis;
  }

  /** @param {string} [password] */
  url(password = this.password) {
    return `redis://:${encodeURIComponent(password)}@127.0.0.1:${this.port}/1`;
  }

  /** Starts it, or starts it again, empty, on the same port. */
  async start() {
    this.output = new BoundedText();
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory, '--save', '', '--appendonly', 'no',
      '--requirepass', this.password];
    const child = spawnBound('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    let ended = false;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => { this.output.add(String(error)); ended = true; resolve(null); });
      child.once('exit', () => { ended = true; resolve(null); });
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => this.output.add(text));
    await waitFor(async () => (await this.command('PING')) === '+PONG', {
      what: 'Redis to answer',
      giveUp: () => ended && new Error(`Redis ended at its start:\n${this.output}`),
    });
  }

  /**
   * One command on a connection of its own; the reply as the protocol has it, its lines joined by spaces.
   * @param {...(string | Buffer)} words
   */
  async command(...words) {
    const socket = connect(this.port, '127.0.0.1');
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('Redis did not answer')));
    try {
      await once(socket, 'connect');
      const chunks = [];
      const ended = new Promise((resolve, reject) => { socket.once('end', resolve); socket.once('error', reject); });
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.write(Buffer.concat([encode(['AUTH', this.password]), encode(['SELECT', '1']), encode(words), encode(['QUIT'])]));
      await ended;
      return Buffer.concat(chunks).toString().split('\r\n').slice(2, -2).join(' ');
    } finally {
      socket.destroy();
    }
  }

  /** Leaves it there without a word, until `resume`. */
  pause() {
    this.process?.kill('SIGSTOP');
  }

  resume() {
    this.process?.kill('SIGCONT');
  }

  async kill9() {
    this.process?.kill('SIGKILL');
    await this.exited;
  }

  async end() {
    await this.kill9();
    this.endNow();
    disown(this);
  }

  endNow() {
    this.process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
