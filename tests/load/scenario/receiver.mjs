// Where webhooks arrive: every request is verified, and what came is remembered by its log position.
import { createServer } from 'node:http';

import { own } from '../../integration/harness/ownership.js';
import { fluxoraSignature, standardToken } from '../../webhooks/harness/signatures.js';

const MAX_STREAMS = 100_000;

/** Log positions that were seen, a bit each. */
class Positions {
  constructor() {
    this.bits = new Uint8Array(1024);
  }

  /** Whether it is new. @param {number} seq */
  add(seq) {
    const [byte, bit] = [Math.floor(seq / 8), 1 << (seq % 8)];
    if (byte >= this.bits.length) {
      const more = new Uint8Array(Math.max(byte + 1, this.bits.length * 2));
      more.set(this.bits);
      this.bits = more;
    }
    if ((this.bits[byte] & bit) !== 0) return false;
    this.bits[byte] |= bit;
    return true;
  }

  /** How many behind `after`, up to `through`, were not seen. @param {number} after @param {number} through */
  missing(after, through) {
    let count = 0;
    for (let seq = after + 1; seq <= through; seq += 1)
      if (((this.bits[Math.floor(seq / 8)] ?? 0) & (1 << (seq % 8))) === 0) count += 1;
    return count;
  }
}

/** An endpoint of the receiver's. */
class Endpoint {
  /** @param {string} secret @param {number} after the log position behind which it hears of everything */
  constructor(secret, after) {
    this.secret = secret;
    this.after = after;
    this.positions = new Positions();
    /** Of each stream the last position. @type {Map<string, number>} */
    this.streams = new Map();
    Object.assign(this, { received: 0, repeated: 0, unsigned: 0, disordered: 0 });
  }

  /**
   * @param {import('node:http').IncomingHttpHeaders} headers
   * @param {Buffer} body
   * @returns {any} the entry, where it is the first of its kind
   */
  take(headers, body) {
    this.received += 1;
    const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
    const signed =
      headers['webhook-signature'] === standardToken(this.secret, id, timestamp, body) &&
      headers['x-fluxora-signature'] === fluxoraSignature(this.secret, timestamp, body);
    if (!signed) {
      this.unsigned += 1;
      return undefined;
    }
    const entry = JSON.parse(body.toString()).data;
    if (!this.positions.add(entry.seq)) {
      this.repeated += 1;
      return undefined;
    }
    if (entry.seq < (this.streams.get(entry.streamId) ?? 0)) this.disordered += 1;
    this.streams.set(entry.streamId, entry.seq);
    if (this.streams.size > MAX_STREAMS) this.streams.delete(this.streams.keys().next().value);
    return entry;
  }
}

export class Receiver {
  /** @param {(entry: any, path: string) => void} onEntry */
  constructor(onEntry) {
    /** By path. @type {Map<string, Endpoint>} */
    this.endpoints = new Map();
    this.strays = 0;
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('error', () => {}); // the sender left
      request.on('end', () => {
        const endpoint = this.endpoints.get(request.url ?? '');
        if (endpoint === undefined) this.strays += 1;
        const entry = endpoint?.take(request.headers, Buffer.concat(chunks));
        if (entry !== undefined) onEntry(entry, request.url ?? '');
        response.writeHead(endpoint === undefined ? 404 : 204).end();
      });
    });
  }

  /** @param {(entry: any, path: string) => void} onEntry */
  static async start(onEntry) {
    const receiver = own(new Receiver(onEntry));
    await new Promise((listening) => {
      receiver.server.listen(0, '127.0.0.1', () => listening(undefined));
    });
    return receiver;
  }

  /** @param {string} path */
  url(path) {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${port}${path}`;
  }

  /** @param {string} path @param {string} secret @param {number} after see Endpoint */
  trust(path, secret, after) {
    this.endpoints.set(path, new Endpoint(secret, after));
  }

  end() {
    this.endNow();
  }

  endNow() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
