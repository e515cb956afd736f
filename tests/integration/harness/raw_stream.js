// A TCP connection in the hands of a test: sends what it is told, when it is told, and reads only while it wants to.
import { once } from 'node:events';
import { connect } from 'node:net';
import { DEADLINE_MS, waitFor } from './wait.js';

export class RawStream {
  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** @type {Buffer[]} */
    this.chunks = [];
    this.length = 0;
    /** @type {null | 'closed' | 'reset'} how the server has ended the connection */
    this.ended = null;
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.length += chunk.length;
    });
    socket.on('end', () => { this.ended ??= 'closed'; });
    socket.on('error', () => { this.ended ??= 'reset'; });
    socket.on('close', () => { this.ended ??= 'closed'; });
  }

  /** @param {number} port @param {string | Buffer} [bytes] sent at once */
  static async open(port, bytes) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    const stream = new RawStream(socket);
    if (bytes !== undefined) stream.send(bytes);
    return stream;
  }

  /** All that was received, a character a byte. */
  get text() {
    return this.bytes().toString('latin1');
  }

  bytes() {
    this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  /** Without putting it all together: for answers of many megabytes. @param {string} text shorter than a segment */
  endsWith(text) {
    const tail = Buffer.concat(this.chunks.slice(-2)).subarray(-text.length);
    return tail.toString('latin1') === text;
  }

  /** @param {string | Buffer} bytes text goes out as Latin-1, a byte a character */
  send(bytes) {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  halfClose() {
    this.socket.end();
  }

  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  /** @param {(stream: RawStream) => unknown} check @param {string} what */
  async waitFor(check, what) {
    await waitFor(() => check(this), { what, describe: () => ({ received: this.text.slice(-500), ended: this.ended }) });
  }

  /** Everything up to the server's end. */
  async toEnd() {
    this.resume();
    await this.waitFor(() => this.ended !== null, `the server to end the connection within ${DEADLINE_MS} ms`);
    return this.text;
  }

  /** Ends it at once, with a reset where something is unread. */
  destroy() {
    this.socket.destroy();
  }
}
