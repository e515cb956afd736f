// Receivers over plain sockets, each behaving in one bad way.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { disown, own } from '../../integration/harness/ownership.js';

/**
 * Called for each connection with what the request's bytes were once its head and body are there, and again for each
 * further request on it.
 * @typedef {(socket: import('node:net').Socket, request: number) => void} Behaviour
 */

/** Whether a whole request is in the bytes, by its Content-Length. @param {Buffer} bytes */
function requestLength(bytes) {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const length = /\r\ncontent-length: *([0-9]+)/i.exec(bytes.subarray(0, head).toString('latin1'))?.[1] ?? '0';
  const total = head + 4 + Number(length);
  return bytes.length >= total ? total : 0;
}

export class HostileServer {
  /** @param {{behave: Behaviour, connected?: (socket: import('node:net').Socket) => void, tls?: {key: string, cert: string}}} options */
  constructor({ behave, connected, tls }) {
    /** Connections so far. */
    this.connections = 0;
    /** Whole requests so far. */
    this.requests = 0;
    /** @type {Set<import('node:net').Socket>} */
    this.sockets = new Set();
    this.secure = tls !== undefined;
    const take = (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {}); // whoever we treat badly may leave
      if (connected) {
        connected(socket);
        return;
      }
      let bytes = Buffer.alloc(0);
      let request = 0;
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        for (let length = requestLength(bytes); length > 0; length = requestLength(bytes)) {
          bytes = bytes.subarray(length);
          this.requests += 1;
          request += 1;
          behave(socket, request);
        }
      });
    };
    this.server = tls ? createTlsServer(tls, take) : createServer(take);
    this.server.on('tlsClientError', () => {});
  }

  /** @param {ConstructorParameters<typeof HostileServer>[0]} options */
  static async start(options) {
    const server = own(new HostileServer(options));
    await new Promise((done) => {
      server.server.listen(0, '127.0.0.1', () => done(undefined));
    });
    return server;
  }

  /** @param {string} [host] */
  url(host = '127.0.0.1') {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    return `${this.secure ? 'https' : 'http'}://${host}:${port}/hook`;
  }

  async end() {
    this.endNow();
    disown(this);
  }

  endNow() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** One byte after the other, until it has gone or nobody takes it. @param {import('node:net').Socket} socket @param {string} text @param {number} everyMs */
export function drip(socket, text, everyMs) {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent >= text.length || socket.destroyed) {
      clearInterval(timer);
      return;
    }
    socket.write(text[sent]);
    sent += 1;
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** The same piece again and again, as fast as it is taken. @param {import('node:net').Socket} socket @param {Buffer | string} piece */
export function flood(socket, piece) {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
    if (!socket.destroyed) socket.once('drain', more);
  };
  more();
}

/** Certificates for 127.0.0.1 from an authority of the test's own: good, expired, for another host, of nobody's. */
export class TestCertificates {
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'fluxora-certificates-'));
    own(this);
    this.openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
  }

  get authority() {
    return join(this.directory, 'ca.pem');
  }

  /** @param {string[]} args */
  openssl(...args) {
    execFileSync('openssl', args, { cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** @param {{name: string, host?: string, expired?: boolean, selfSigned?: boolean}} options */
  make({ name, host = 'IP:127.0.0.1', expired = false, selfSigned = false }) {
    writeFileSync(join(this.directory, `${name}.ext`), `subjectAltName=${host}\n`);
    this.openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=receiver',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const signer = selfSigned ? ['-signkey', `${name}.key`] : ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    // A negative number of days ends before it begins.
    this.openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signer,
      '-days',
      expired ? '-1' : '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
    const text = (file) => readFileSync(join(this.directory, file), 'utf8');
    return { key: text(`${name}.key`), cert: text(`${name}.pem`) };
  }

  async end() {
    this.endNow();
    disown(this);
  }

  endNow() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
