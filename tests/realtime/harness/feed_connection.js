// One connection of a feed, WebSocket or SSE, behind the same face: what a client of either sees, and nothing more.
import WebSocket from 'ws';
import { disown, own } from '../../integration/harness/ownership.js';
import { DEADLINE_MS } from '../../integration/harness/wait.js';
import { SseClient, SseRefused } from './sse_client.js';

/**
 * @typedef {object} Handlers
 * @property {(resume: {resume: string, cursor: string, gap?: {from: number, to: number}}) => void} onResume
 * @property {(entry: any, text: string) => void} onEntry the entry, and its JSON as it came
 * @property {(how: string) => void} onEnd a close code, or how the stream ended; once, and last
 * @property {(what: string) => void} onTrouble what no client should ever see
 */

/** Why an SSE feed may end with whom it serves; WebSocket has close codes for it. */
const ENDS = new Set(['SHUTTING_DOWN', 'SLOW_CONSUMER', 'UNAVAILABLE']);

/** A port where nobody listens, or a server that is about to end: try again, or elsewhere. */
export class NotNow extends Error {}

class WsConnection {
  /** @param {string} baseUrl @param {Handlers} handlers @param {{compress: boolean}} options */
  constructor(baseUrl, handlers, { compress }) {
    this.handlers = handlers;
    this.left = false;
    this.socket = new WebSocket(`${baseUrl.replace('http', 'ws')}/ws/streams`, { perMessageDeflate: compress, handshakeTimeout: DEADLINE_MS });
    this.socket.on('message', (data, isBinary) => { if (!this.left) this.take(data.toString(), isBinary); });
    this.socket.on('close', (code) => this.gone(String(code)));
    this.socket.on('error', () => {});
    own(this);
  }

  opened() {
    return new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (_request, response) => {
        this.socket.terminate();
        if (response.statusCode === 503) reject(new NotNow());
        else reject(new Error(`the upgrade was refused with ${response.statusCode}`));
      });
      this.socket.once('close', () => reject(new NotNow()));
    });
  }

  take(text, isBinary) {
    if (isBinary) return this.handlers.onTrouble('a binary frame');
    const message = JSON.parse(text);
    if (message.type === 'stream_update') return this.update(message, text);
    if (message.type === 'subscribed') return this.handlers.onResume(message);
    if (message.type === 'pong') return this.onPong?.();
    if (message.type !== 'service') this.handlers.onTrouble(text);
    return undefined;
  }

  update(message, text) {
    const { event, streamId, eventId, cursor } = message.payload;
    const envelope = message.event === event && message.streamId === streamId && message.eventId === eventId && message.cursor === cursor;
    if (!envelope) this.handlers.onTrouble(`an envelope that isn't its entry's: ${text.slice(0, 300)}`);
    const start = text.indexOf('"payload":') + '"payload":'.length;
    this.handlers.onEntry(message.payload, text.slice(start, -1));
  }

  /** @param {import('./log_filter.js').Topic} topic @param {string | undefined} after */
  subscribe({ streamId, recipient, sender, event }, after) {
    const about = recipient ? { recipient } : sender ? { sender } : { streamId: streamId ?? '*' };
    this.socket.send(JSON.stringify({ type: 'subscribe', ...about, event, after }));
  }

  /** Everything that was sent before is here when it resolves; rejects when the connection ends first. */
  barrier() {
    return new Promise((resolve, reject) => {
      this.onPong = () => resolve(undefined);
      this.socket.once('close', () => reject(new NotNow()));
      if (this.socket.readyState !== WebSocket.OPEN) reject(new NotNow());
      else this.socket.send('{"type":"ping"}');
    });
  }

  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  gone(how) {
    disown(this);
    if (!this.left) this.handlers.onEnd(how);
    this.left = true;
  }

  /** @param {boolean} politely */
  leave(politely) {
    this.left = true;
    if (politely) this.socket.close(1000);
    else this.endNow();
  }

  end() {
    this.endNow();
  }

  endNow() {
    this.left = true;
    this.socket.terminate();
    disown(this);
  }
}

class SseConnection {
  /** @param {SseClient} client */
  constructor(client) {
    this.client = client;
  }

  pause() {
    this.client.pause();
  }

  resume() {
    this.client.resume();
  }

  leave() {
    this.client.onEvent = () => {};
    this.left = true;
    this.client.endNow();
  }
}

/**
 * @param {string} baseUrl
 * @param {import('./log_filter.js').Topic} topic
 * @param {string | undefined} after
 * @param {Handlers} handlers
 * @param {{compress?: boolean}} [options]
 */
export async function connectWebSocket(baseUrl, topic, after, handlers, { compress = false } = {}) {
  const connection = new WsConnection(baseUrl, handlers, { compress });
  try {
    await connection.opened();
  } catch (error) {
    connection.endNow();
    throw error;
  }
  connection.subscribe(topic, after);
  return connection;
}

/**
 * @param {string} baseUrl
 * @param {import('./log_filter.js').Topic} topic
 * @param {string | undefined} after
 * @param {Handlers} handlers
 * @param {{byHeader?: boolean}} [options] the cursor as Last-Event-ID instead of ?after=
 */
export async function connectSse(baseUrl, topic, after, handlers, { byHeader = false } = {}) {
  const take = ({ id, event, data }) => {
    if (event === 'resume') return handlers.onResume(data);
    if (event.startsWith('service.')) return undefined;
    if (event === 'end') return ENDS.has(data.code) ? undefined : handlers.onTrouble(`event: end, ${JSON.stringify(data)}`);
    if (data.cursor !== id || data.event !== event) handlers.onTrouble(`event ${event}, id ${id} of ${JSON.stringify(data).slice(0, 300)}`);
    return handlers.onEntry(data, JSON.stringify(data));
  };
  const query = { ...topic, after: byHeader ? undefined : after };
  const headers = byHeader && after !== undefined ? { 'last-event-id': after } : {};
  const client = await SseClient.open(baseUrl, query, { headers, onEvent: take, keep: false }).catch((error) => {
    if (!(error instanceof SseRefused) || error.status === 503) throw new NotNow(error.message);
    throw error;
  });
  const connection = new SseConnection(client);
  client.response?.on('close', () => { if (!connection.left) handlers.onEnd(String(client.ended)); });
  return connection;
}
