// An example that runs, as a process of its own on loopback, in the runtime that it is for.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { BoundedText, spawnBound } from '../integration/harness/child.js';
import { disown, own } from '../integration/harness/ownership.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';
import { bun, deno } from '../packaging/runtimes/processes.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const LINES_KEPT = 100_000;
const host = (file) => [process.execPath, join(HERE, 'hosts', file), '.'];

const PROGRAMS = { node: process.execPath, deno, bun };

/** The words of `npm start`. Deno neither asks for permissions nor looks anything up. */
function startScript({ manifest }) {
  const [program, ...args] = manifest.scripts.start.split(' ');
  if (program === 'deno') args.splice(1, 0, '--quiet', '--no-prompt', '--cached-only', '--no-remote');
  return [PROGRAMS[program], ...args];
}

/**
 * How each example is started and where it receives. `handsOnText`: bodies are decoded before the receiver has them.
 * `missing`: what isn't there for this machine.
 * @type {{title: string, example: string, command: (example: any) => string[], path: string, main: string,
 *   handler: string, handsOnText?: boolean, missing?: string}[]}
 */
export const RUNTIMES = [
  { title: 'Node http', example: 'node-http', command: startScript, path: '/webhooks' },
  { title: 'Express', example: 'express', command: startScript, path: '/webhooks' },
  { title: 'Deno', example: 'deno', command: startScript, path: '/webhooks', missing: deno ? undefined : 'Deno' },
  { title: 'Bun', example: 'bun', command: startScript, path: '/webhooks', missing: bun ? undefined : 'Bun' },
  {
    title: 'workerd (Cloudflare Workers)', example: 'cloudflare-workers', command: () => host('workerd_host.js'),
    path: '/webhooks', main: 'src/index.js', handler: 'src/handler.js',
  },
  {
    title: 'edge-runtime (Vercel Edge)', example: 'vercel-edge', command: () => host('vercel_host.js'),
    path: '/api/webhooks', main: 'api/webhooks.js',
  },
  {
    title: 'Lambda, REST API', example: 'aws-lambda', command: () => host('lambda_host.js'), path: '/rest-api',
    handsOnText: true,
  },
  {
    title: 'Lambda, HTTP API', example: 'aws-lambda', command: () => host('lambda_host.js'), path: '/http-api',
    handsOnText: true,
  },
  {
    title: 'Lambda, Function URL', example: 'aws-lambda', command: () => host('lambda_host.js'),
    path: '/function-url',
  },
].map((runtime) => ({ main: 'index.js', handler: 'handler.js', ...runtime }));

const LISTENING = /^listening on (http:\/\/127\.0\.0\.1:\d+)/;
const HANDLED = /^(\S+) (\S+) (\S+) ((?:msg|wd|wt)_\S+)$/;

export class ExampleProcess {
  /**
   * @param {typeof RUNTIMES[number]} runtime
   * @param {import('./example_project.js').Example} example
   * @param {Record<string, string>} env
   */
  static async start(runtime, example, env = {}) {
    const started = own(new ExampleProcess(runtime, example));
    started.#spawn({ PORT: '0', ...env });
    await started.#listening();
    return started;
  }

  constructor(runtime, example) {
    this.runtime = runtime;
    this.example = example;
    this.base = '';
    /** Of its standard output. @type {string[]} */
    this.lines = [];
    this.errors = new BoundedText();
  }

  #spawn(env) {
    const [program, ...args] = this.runtime.command(this.example);
    const { PATH } = process.env;
    this.child = spawnBound(program, args, {
      cwd: this.example.folder,
      env: { PATH, HOME: this.example.folder, DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let partial = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      this.lines.push(...lines);
      this.lines.splice(0, Math.max(0, this.lines.length - LINES_KEPT));
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => this.errors.add(text));
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => { this.errors.add(String(error)); this.ended = true; resolve(); });
      this.child.once('close', () => { this.ended = true; resolve(); });
    });
  }

  async #listening() {
    this.base = await waitFor(() => this.lines.map((line) => LISTENING.exec(line)?.[1]).find(Boolean), {
      what: `${this.runtime.title} to listen`,
      describe: () => this.output(),
      giveUp: () => this.ended && new Error(`${this.runtime.title} ended: ${this.output()}`),
    });
  }

  get url() {
    return this.base + this.runtime.path;
  }

  get port() {
    return Number(new URL(this.base).port);
  }

  output() {
    return `--- stdout\n${this.lines.slice(-50).join('\n')}\n--- stderr\n${this.errors}`;
  }

  /** What its handler has logged, in order. */
  get handled() {
    return this.lines.map((line) => HANDLED.exec(line)).filter(Boolean)
      .map(([, type, streamId, cursor, deliveryId]) => ({ type, streamId, cursor, deliveryId }));
  }

  /** Waits until a delivery has been logged, by the type that the line begins with. */
  waitForLine(deliveryId, type) {
    const isIt = (line) => line.deliveryId === deliveryId && (type === undefined || line.type === type);
    return waitFor(() => this.handled.find(isIt), {
      what: `${deliveryId} to be logged`, describe: () => this.output(),
    });
  }

  async end() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.endNow(), DEADLINE_MS);
    await this.exited;
    clearTimeout(timer);
    disown(this);
  }

  endNow() {
    this.child.kill('SIGKILL');
  }
}
