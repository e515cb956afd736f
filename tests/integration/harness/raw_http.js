// Bytes over a TCP connection, for requests that no HTTP client would send.
import { connect } from 'node:net';
import { DEADLINE_MS } from './wait.js';

/**
 * Sends the bytes and reads until the server closes.
 * @param {number} port
 * @param {string} bytes
 * @returns {Promise<string>} everything it sent
 */
export function exchange(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks = [];
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`the connection stays open after ${chunks.join('').slice(0, 200)}`)));
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => {
      // A server that has answered may cut a connection on which more than it wanted is still coming.
      if (chunks.length > 0 && ['ECONNRESET', 'EPIPE'].includes(/** @type {any} */ (error).code)) resolve(Buffer.concat(chunks).toString());
      else reject(error);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** Status, headers (lower case) and body of the first response in `text`. @param {string} text */
export function parseResponse(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const [statusLine, ...lines] = head.split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`no response: ${text.slice(0, 200)}`);
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  return { status: Number(status), headers, body: rest.join('\r\n\r\n') };
}
