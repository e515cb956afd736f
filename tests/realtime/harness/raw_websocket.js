// RFC 6455 by hand, for frames and handshakes that no client would send.
import { RawStream } from '../../integration/harness/raw_stream.js';
import { waitFor } from '../../integration/harness/wait.js';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/**
 * An upgrade request; `fields` come last and replace a default of the same name, undefined leaves it out, and several
 * values are several lines.
 * @param {Record<string, string | string[] | undefined>} [fields]
 * @param {{path?: string, method?: string, version?: string}} [line]
 */
export function upgradeRequest(fields = {}, { path = '/ws/streams', method = 'GET', version = 'HTTP/1.1' } = {}) {
  const all = { Host: 'localhost', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY, ...fields };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`)));
  return `${method} ${path} ${version}\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * A client's frame, good unless told otherwise.
 * @param {number} opcode
 * @param {Buffer | string} [payload]
 * @param {object} [how]
 * @param {boolean} [how.fin]
 * @param {number} [how.rsv] the three bits, as a number
 * @param {boolean} [how.masked]
 * @param {bigint} [how.length] said instead of the payload's
 * @param {0 | 2 | 8} [how.lengthBytes] of the extended length, instead of as few as will do
 */
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, length, lengthBytes } = {}) {
  const data = Buffer.from(payload);
  const said = length ?? BigInt(data.length);
  const bytes = lengthBytes ?? (said < 126n ? 0 : said < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + bytes);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bytes === 0 ? Number(said) : bytes === 2 ? 126 : 127);
  if (bytes === 2) head.writeUInt16BE(Number(said), 2);
  if (bytes === 8) head.writeBigUInt64BE(said, 2);
  if (!masked) return Buffer.concat([head, data]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, key, Buffer.from(data.map((byte, index) => byte ^ key[index % 4]))]);
}

/** @param {number} code @param {string | Buffer} [reason] */
export function closeFrame(code, reason = '') {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code);
  return frame(OPCODE.close, payload);
}

/** The whole frames in a server's bytes. @param {Buffer} bytes */
function readFrames(bytes) {
  const frames = [];
  for (let offset = 0; offset + 2 <= bytes.length;) {
    if (bytes[offset + 1] & 0x80) throw new Error('the server masks a frame');
    const short = bytes[offset + 1] & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (offset + head > bytes.length) break;
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(offset + 2) : Number(bytes.readBigUInt64BE(offset + 2));
    if (offset + head + size > bytes.length) break;
    const payload = bytes.subarray(offset + head, offset + head + size);
    frames.push({ fin: (bytes[offset] & 0x80) !== 0, rsv: (bytes[offset] >> 4) & 7, opcode: bytes[offset] & 15, payload });
    offset += head + size;
  }
  return frames;
}

export class RawWebSocket {
  /** @param {RawStream} stream upgraded @param {number} headBytes of the 101 @param {string} head */
  constructor(stream, headBytes, head) {
    this.stream = stream;
    this.headBytes = headBytes;
    this.head = head;
  }

  /** @param {number} port @param {Parameters<typeof upgradeRequest>[0]} [fields] @param {Parameters<typeof upgradeRequest>[1]} [line] */
  static async open(port, fields, line) {
    const stream = await RawStream.open(port, upgradeRequest(fields, line));
    await stream.waitFor(({ text, ended }) => text.includes('\r\n\r\n') || ended, 'the answer to the upgrade');
    const [head] = stream.text.split('\r\n\r\n');
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(ACCEPT)) {
      stream.destroy();
      throw new Error(`not upgraded: ${head}`);
    }
    return new RawWebSocket(stream, head.length + 4, head);
  }

  /** @param {...Buffer} frames */
  send(...frames) {
    this.stream.send(Buffer.concat(frames));
  }

  /** @param {unknown} message */
  sendJson(message) {
    this.send(frame(OPCODE.text, JSON.stringify(message)));
  }

  frames() {
    return readFrames(this.stream.bytes().subarray(this.headBytes));
  }

  messages() {
    return this.frames().filter(({ opcode }) => opcode === OPCODE.text).map(({ payload }) => JSON.parse(payload.toString()));
  }

  /** @param {(frame: ReturnType<typeof readFrames>[0]) => boolean} matches @param {string} what */
  waitForFrame(matches, what) {
    return waitFor(() => this.frames().find(matches), {
      what,
      describe: () => ({ ended: this.stream.ended, last: this.frames().slice(-3) }),
      giveUp: () => this.stream.ended !== null && !this.frames().some(matches) && new Error(`ended while waiting for ${what}`),
    });
  }

  /** The code of the server's close frame, after which it ends the connection. */
  async waitForClose() {
    const { payload } = await this.waitForFrame(({ opcode }) => opcode === OPCODE.close, 'a close frame');
    await this.stream.toEnd();
    return payload.length >= 2 ? payload.readUInt16BE() : 1005;
  }

  /** Application ping and pong: everything sent before was taken. */
  async barrier() {
    const before = this.messages().length;
    this.sendJson({ type: 'ping' });
    await waitFor(() => this.messages().slice(before).some(({ type }) => type === 'pong'), {
      what: 'a pong', describe: () => this.messages().slice(-3), giveUp: () => this.stream.ended !== null && new Error('ended while waiting for a pong'),
    });
  }

  destroy() {
    this.stream.destroy();
  }
}
