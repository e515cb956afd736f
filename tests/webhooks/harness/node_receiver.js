// A receiver in the test's own process: keeps every request as it came, and answers as the test says.
import { createServer } from 'node:http';
import { disown, own } from '../../integration/harness/ownership.js';
import { waitFor } from '../../integration/harness/wait.js';

/**
 * @typedef {object} Delivery a request
 * @property {number} at Unix milliseconds
 * @property {string} path
 * @property {Record<string, string>} headers names in lower case
 * @property {Buffer} body as it came
 * @property {string} id `webhook-id`
 * @property {number} status of the answer; 0: none yet
 */

/** @typedef {{status?: number, headers?: Record<string, string>, body?: string, hang?: boolean}} Reply */

export class NodeReceiver {
  constructor() {
    /** @type {Delivery[]} */
    this.deliveries = [];
    /** @type {(delivery: Delivery, receiver: NodeReceiver) => Reply | undefined | Promise<Reply | undefined>} 200 unless told */
    this.reply = () => undefined;
    /** Requests that hang. @type {Set<import('node:http').ServerResponse>} */
    this.hanging = new Set();
    this.server = createServer((incoming, outgoing) => this.take(incoming, outgoing));
  }

  static async start() {
    const receiver = own(new NodeReceiver());
    await new Promise((done) => {
      receiver.server.listen(0, '127.0.0.1', () => done(undefined));
    });
    return receiver;
  }

  /** @param {string} path */
  url(path) {
    const address = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${address.port}${path}`;
  }

  async take(incoming, outgoing) {
    const chunks = [];
    incoming.on('error', () => {}); // the sender left in the middle
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', async () => {
      const delivery = {
        at: Date.now(),
        path: incoming.url,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
        id: incoming.headers['webhook-id'],
        status: 0,
      };
      this.deliveries.push(delivery);
      const { status = 200, headers = {}, body = '', hang = false } = (await this.reply(delivery, this)) ?? {};
      if (hang) {
        this.hanging.add(outgoing);
        outgoing.on('close', () => this.hanging.delete(outgoing));
        return;
      }
      delivery.status = status;
      outgoing.writeHead(status, headers).end(body);
    });
  }

  /** What came to a path, in order. @param {string} [path] */
  at(path) {
    return this.deliveries.filter((delivery) => path === undefined || delivery.path === path);
  }

  /** What came to a path, once there is that much of it. @param {string} path @param {number} count @returns {Promise<Delivery[]>} */
  waitFor(path, count) {
    return waitFor(() => this.at(path).length >= count && this.at(path), {
      what: `${count} requests at ${path}`,
      describe: () =>
        this.at(path)
          .map(({ id, headers, status }) => [id, headers['x-fluxora-event'], status])
          .slice(-20),
    });
  }

  async end() {
    this.endNow();
    disown(this);
  }

  endNow() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** The entry that a delivery carries. @param {Delivery} delivery */
export const entryOf = (delivery) => JSON.parse(String(delivery.body)).data;
