// The Autobahn suite's cases (crossbario/autobahn-testsuite) against an echo over the server's WebSocket sessions, by
// frames that are written and read here.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsVectors, vectorPath } from '../integration/harness/vectors.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';
import { startEchoServer } from './harness/echo_server.js';
import { OPCODE, RawWebSocket, frame } from './harness/raw_websocket.js';

/** Long enough that what was sent before is read by itself; the cases say a second. */
const PAUSE_MS = 20;
/** RFC 6455 section 7.1.5: a close frame that says none. */
const NO_CODE = 1005;

/** A server's whole frames, taken off as they come: cases have up to 65,000 of them, and messages of 16 MiB. */
class Incoming {
  /** @param {RawWebSocket} connection */
  constructor(connection) {
    this.stream = connection.stream;
    this.left = this.stream.bytes().subarray(connection.headBytes);
    this.stream.chunks = [];
    /** @type {{kind: string, payload: Buffer}[]} messages and pongs */
    this.events = [];
    /** @type {number | null} of the close frame; 1005 where it has none */
    this.closeCode = null;
    /** @type {Buffer[]} */
    this.waiting = [];
    this.needed = 2;
  }

  /** @returns {this} up to what has come */
  read() {
    this.waiting.push(...this.stream.chunks.splice(0));
    const size = this.left.length + this.waiting.reduce((sum, chunk) => sum + chunk.length, 0);
    if (size < this.needed) return this;
    this.left = Buffer.concat([this.left, ...this.waiting.splice(0)]);
    while (this.takeFrame());
    return this;
  }

  takeFrame() {
    const bytes = this.left;
    this.needed = 2;
    if (bytes.length < 2) return false;
    const short = bytes[1];
    assert.ok(short < 128, 'a server masks nothing');
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    this.needed = head;
    if (bytes.length < head) return false;
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    this.needed = head + size;
    if (bytes.length < head + size) return false;
    this.keep(bytes[0], bytes.subarray(head, head + size));
    this.left = bytes.subarray(head + size);
    return true;
  }

  keep(first, payload) {
    assert.equal(first & 0xf0, 0x80, 'whole frames without reserved bits');
    assert.equal(this.closeCode, null, 'nothing behind the close frame');
    const opcode = first & 15;
    if (opcode === OPCODE.close) this.closeCode = payload.length < 2 ? NO_CODE : payload.readUInt16BE();
    else if (opcode === OPCODE.pong) this.events.push({ kind: 'pong', payload });
    else this.events.push({ kind: opcode === OPCODE.binary ? 'binary' : 'text', payload });
  }
}

/** @param {{hex: string} | {repeat: string, count?: number, bytes?: number}} described */
function bytesOf(described) {
  if ('hex' in described) return Buffer.from(described.hex, 'hex');
  const unit = Buffer.from(described.repeat, 'hex');
  return Buffer.alloc(described.bytes ?? unit.length * described.count, unit);
}

/** The events that a case wants, spelled out. */
function expectedEvents(list) {
  return list.flatMap(([kind, ...rest]) => {
    if (kind === 'times') {
      const [count, inner, ...of] = rest;
      return Array.from({ length: count }, () => expectedEvents([[inner, ...of]])[0]);
    }
    const [payload, isBinary] = rest;
    return [{ kind: kind === 'pong' ? 'pong' : isBinary ? 'binary' : 'text', payload: bytesOf(payload) }];
  });
}

function sendIn(connection, bytes, pieceBytes) {
  for (let at = 0; at < bytes.length; at += pieceBytes) connection.stream.send(bytes.subarray(at, at + pieceBytes));
}

function sendFragmented(connection, { opcode, payload, fragmentSize }) {
  const bytes = bytesOf(payload);
  const frames = [];
  for (let at = 0; at < bytes.length; at += fragmentSize) {
    const fin = at + fragmentSize >= bytes.length;
    frames.push(frame(at === 0 ? opcode : OPCODE.continuation, bytes.subarray(at, at + fragmentSize), { fin }));
  }
  connection.send(...frames);
}

/** Parts of one frame's payload, behind each other: the head comes with the first. */
function partsOf(actions) {
  const parts = actions.filter((action) => action.frameData).map(({ frameData }) => bytesOf(frameData));
  if (parts.length === 0) return [];
  const whole = frame(actions.find((action) => action.frameData).opcode, Buffer.concat(parts));
  let at = whole.length - parts.reduce((sum, part) => sum + part.length, 0);
  return parts.map((part, index) => {
    const from = index === 0 ? 0 : at;
    at += part.length;
    return whole.subarray(from, at);
  });
}

/** Plays one case. @returns {Promise<Incoming>} what came */
async function play({ actions, expected, failFastUtf8 }, port) {
  const connection = await RawWebSocket.open(port, {}, { path: '/echo' });
  const incoming = new Incoming(connection);
  const wanted = expectedEvents(expected.OK).length;
  const ended = () => incoming.closeCode !== null || connection.stream.ended !== null;
  const until = (count) => waitFor(() => incoming.read().events.length >= count || ended(), {
    what: `${count} messages and pongs`,
    describe: () => incoming.events.length,
  });
  const parts = partsOf(actions);
  for (const action of actions) {
    if (action.times) {
      for (let i = 1; i <= action.times; i += 1) {
        connection.send(frame(action.frame.opcode, bytesOf(action.frame.payload)));
        // Waiting by the event: there are 12,000 of these.
        while (action.awaitEach && incoming.read().events.length < i && !ended()) {
          await once(connection.stream.socket, 'data', { signal: AbortSignal.timeout(DEADLINE_MS) });
        }
      }
    } else if (action.frame) {
      const { opcode, payload, fin, rsv, chop } = action.frame;
      const bytes = frame(opcode, bytesOf(payload), { fin, rsv });
      sendIn(connection, bytes, chop ?? bytes.length);
    } else if (action.fragmentedMessage) {
      sendFragmented(connection, action.fragmentedMessage);
    } else if (action.frameData) {
      connection.send(parts.shift());
    } else if (action.wait) {
      await sleep(PAUSE_MS);
    } else if (action.closeAfter) {
      await until(wanted);
    }
    // The second part of what can't be text ends the connection before there is a third.
    if (failFastUtf8 && (action.frame?.opcode === OPCODE.continuation || (action.frameData && parts.length === 1))) {
      await waitFor(() => incoming.read().closeCode !== null, { what: 'the end at the first byte that is wrong' });
      break;
    }
  }
  await waitFor(() => incoming.read().closeCode !== null || connection.stream.ended, { what: 'the close frame' });
  connection.stream.halfClose();
  await connection.stream.toEnd();
  connection.stream.destroy();
  return incoming.read();
}

const closedWithoutCode = ({ actions }) => actions.some(({ frame }) => {
  return frame?.opcode === OPCODE.close && frame.payload.hex === '';
});
const shown = (events) => events.map(({ kind, payload }) => {
  return `${kind} of ${payload.length}: ${payload.subarray(0, 40).toString('hex')}`;
});

test('Autobahn', needsVectors, async (t) => {
  const { cases } = JSON.parse(readFileSync(vectorPath('ws/autobahn_cases.json'), 'utf8'));
  const port = await startEchoServer(t);
  for (const each of cases) {
    await t.test(`${each.id}: ${each.description.slice(0, 80)}`, async () => {
      const { events, closeCode } = await play(each, port);
      if (each.informational) return;
      const expected = expectedEvents(each.expected.OK);
      assert.deepEqual(shown(events), shown(expected));
      for (const [index, { payload }] of expected.entries()) assert.ok(payload.equals(events[index].payload));
      // A close frame without a code (7.3.1) is answered with one without.
      const codes = [...each.expectedClose.closeCode, ...(closedWithoutCode(each) ? [NO_CODE] : [])];
      assert.ok(codes.includes(closeCode), `closed with ${closeCode}, not ${codes}`);
    });
  }
  console.log(`vectors: ws/autobahn_cases.json ${cases.length} cases`);
});
