// A WebSocket client that collects what arrives and can be asked to wait for it.
import WebSocket from 'ws';
import { disown, own } from './ownership.js';
import { DEADLINE_MS, waitFor } from './wait.js';

const MESSAGES_KEPT = 200_000;

/** The log position that a cursor names. @param {string} cursor */
export function seqOf(cursor) {
  const [, seq] = /^[a-z0-9]{1,16}-(0|[1-9][0-9]*)$/.exec(cursor) ?? [];
  if (seq === undefined) throw new Error(`${cursor} is no cursor`);
  return Number(seq);
}

/** A refused upgrade. */
export class UpgradeRefused extends Error {
  /** @param {number} status @param {import('node:http').IncomingHttpHeaders} headers @param {string} body */
  constructor(status, headers, body) {
    super(`the upgrade was refused with ${status}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export class WsClient {
  /** Use `WsClient.open`. @param {string} url @param {WebSocket.ClientOptions} options */
  constructor(url, options) {
    /** Every message, parsed, in the order it came. @type {any[]} */
    this.messages = [];
    /** What is no JSON text frame. @type {string[]} */
    this.strays = [];
    this.pings = 0;
    /** @type {{code: number, reason: string} | null} */
    this.closed = null;
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.socket.on('message', (data, isBinary) => this.take(data, isBinary));
    this.socket.on('ping', () => { this.pings += 1; });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      disown(this);
    });
  }

  /**
   * Connects. Rejects with UpgradeRefused where the server answers anything but 101.
   * @param {string} url
   * @param {WebSocket.ClientOptions} [options]
   */
  static async open(url, options = {}) {
    const client = own(new WsClient(url, options));
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => client.socket.terminate(), DEADLINE_MS);
      const settle = (finish) => (value) => { clearTimeout(timer); finish(value); };
      client.socket.once('open', settle(resolve));
      client.socket.once('unexpected-response', (_request, response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          settle(reject)(new UpgradeRefused(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString()));
          client.socket.terminate();
        });
      });
      client.socket.once('error', settle(reject));
    });
    client.socket.on('error', () => {}); // 'close' follows and says what matters
    return client;
  }

  take(data, isBinary) {
    if (this.messages.length >= MESSAGES_KEPT) throw new Error('more WebSocket messages than any test expects');
    try {
      if (isBinary) throw new Error('a binary frame');
      this.messages.push(JSON.parse(data.toString()));
    } catch (error) {
      this.strays.push(`${error.message}: ${data.toString().slice(0, 200)}`);
    }
  }

  /** @param {unknown} message sent as JSON; a string or a Buffer goes as it is (a Buffer as a binary frame) */
  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /**
   * The first message from index `from` on that `matches`, already here or still to come.
   * @param {(message: any) => boolean} matches
   * @param {{what?: string, from?: number}} [options]
   */
  async waitFor(matches, { what = 'a WebSocket message', from = 0 } = {}) {
    let next = from;
    const find = () => {
      for (; next < this.messages.length; next += 1) if (matches(this.messages[next])) return this.messages[next];
      return undefined;
    };
    return waitFor(find, {
      what,
      describe: () => ({ closed: this.closed, strays: this.strays, last: this.messages.slice(-5) }),
      giveUp: () => this.closed && next === this.messages.length
        && new Error(`closed ${this.closed.code} ${this.closed.reason} while waiting for ${what}`),
    });
  }

  /** Sends, and gives the first message after that of the type that answers. @param {any} message @param {string} type */
  async ask(message, type) {
    const from = this.messages.length;
    this.send(message);
    return this.waitFor((answer) => answer.type === type, { what: `${type} after ${JSON.stringify(message).slice(0, 100)}`, from });
  }

  /** Subscribes and gives the server's answer. @param {Record<string, unknown>} what */
  async subscribe(what) {
    return this.ask({ type: 'subscribe', ...what }, 'subscribed');
  }

  /** A ping and its pong: everything that the server sent before is here then. */
  async barrier() {
    return this.ask({ type: 'ping' }, 'pong');
  }

  /** The payloads of the updates so far. */
  updates() {
    return this.messages.filter((message) => message.type === 'stream_update').map((message) => message.payload);
  }

  /** Waits until the update of that log position is here. @param {number} seq */
  async waitForSeq(seq) {
    return this.waitFor((message) => message.type === 'stream_update' && message.payload.seq >= seq, { what: `the update of seq ${seq}` });
  }

  /** Waits until the service message of that name is here. @param {string} event */
  async waitForService(event) {
    return this.waitFor((message) => message.type === 'service' && message.event === event, { what: event });
  }

  async waitForClose() {
    return waitFor(() => this.closed, { what: 'the connection to close', describe: () => this.messages.slice(-5) });
  }

  async close(code = 1000) {
    if (!this.closed) this.socket.close(code);
    await this.waitForClose();
    return this.closed;
  }

  async end() {
    this.endNow();
  }

  endNow() {
    this.socket.terminate();
    disown(this);
  }
}
