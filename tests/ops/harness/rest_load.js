// Clients of the REST API behind a load balancer that write streams and read what they wrote, over kept connections.
// Whatever isn't the answer that a client may count on is written down.
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TERMS } from '../../integration/harness/api_streams.js';
import { DEADLINE_MS } from '../../integration/harness/wait.js';

const TROUBLES_KEPT = 20;
const TRIES = 100;

/** A client with its connection, which it keeps. */
class HttpClient {
  /** @param {string} baseUrl */
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** @param {string} method @param {string} path @param {Record<string, string>} [headers] @param {unknown} [body] */
  ask(method, path, headers = {}, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const all = text === undefined ? headers : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(this.baseUrl + path, { method, headers: all, agent: this.agent, timeout: DEADLINE_MS }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode, headers: response.headers, text: answer });
        });
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  leave() {
    this.agent.destroy();
  }
}

export class RestLoad {
  /** @param {string} baseUrl of the load balancer */
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
    this.requests = 0;
    this.replayed = 0;
    /** Answers that must not be, and requests without one: `method path: what`. @type {string[]} */
    this.failures = [];
    this.failed = 0;
    /** What was older than it may be. @type {string[]} */
    this.stale = [];
    /** The stream that each key has made. @type {Map<string, string>} */
    this.made = new Map();
  }

  fail(what) {
    this.failed += 1;
    if (this.failures.length < TROUBLES_KEPT) this.failures.push(what);
  }

  /** The answer, or null where there was none or another than wanted; that is written down. */
  async expect(client, statuses, method, path, headers, body) {
    this.requests += 1;
    try {
      const answer = await client.ask(method, path, headers, body);
      if (statuses.includes(answer.status)) return answer;
      this.fail(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    } catch (error) {
      this.fail(`${method} ${path}: ${error.code ?? ''} ${error.message}`);
    }
    return null;
  }

  /** The same request under the same key until it is answered, as a client that lost its answer does. */
  async create(client, key) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const answer = await this.expect(client, [201], 'POST', '/api/streams', { 'idempotency-key': key }, TERMS);
      if (answer) {
        if (answer.headers['idempotency-replayed'] === 'true') this.replayed += 1;
        return answer;
      }
      await sleep(100);
    }
    throw new Error(`${key} was never answered: ${this.failures.slice(-3)}`);
  }

  /** A read that names what it has to show. */
  async read(client, path, version) {
    const answer = await this.expect(client, [200], 'GET', path, { 'x-fluxora-min-version': version });
    return answer && JSON.parse(answer.text);
  }

  /**
   * Writes, reads what was written, and again, until it is over.
   * @param {string} name
   * @param {() => boolean} goesOn
   * @param {number} pauseMs between rounds
   */
  async live(name, goesOn, pauseMs) {
    const client = new HttpClient(this.baseUrl);
    for (let round = 0; goesOn(); round += 1) {
      const key = `${name}-${round}`;
      const made = await this.create(client, key);
      const { id } = JSON.parse(made.text);
      this.made.set(key, id);
      await this.check(client, id, made, 'active');
      const paused = await this.expect(client, [200], 'PATCH', `/api/streams/${id}`, {}, { status: 'paused' });
      if (paused) await this.check(client, id, paused, 'paused');
      await this.expect(client, [200], 'GET', '/api/streams?limit=20');
      await sleep(pauseMs);
    }
    client.leave();
  }

  /** What a write has answered is what reads show from then on, whichever instance and database they meet. */
  async check(client, id, written, status) {
    const version = String(written.headers['x-fluxora-version']);
    const stream = await this.read(client, `/api/streams/${id}`, version);
    if (stream && (stream.version < Number(version) || stream.status !== status)) {
      this.stale.push(`${id} is ${stream.status} of ${stream.version}, and was written ${status} as ${version}`);
    }
    const list = await this.read(client, '/api/streams?limit=100', version);
    if (list && !list.streams.some((one) => one.version >= Number(version))) this.stale.push(`a list without ${version}`);
  }
}
