// An SSE client of our own: every event as it came, and nothing done behind a test's back. It doesn't reconnect.
import { request as httpRequest } from 'node:http';
import { withQuery } from '../../integration/harness/http_client.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { DEADLINE_MS, waitFor } from '../../integration/harness/wait.js';

export const SSE_PATH = '/api/events/stream';
const EVENTS_KEPT = 200_000;

/**
 * The WHATWG's event stream format, as far as a server may use it: lines end with LF, CRLF or CR.
 * @typedef {{id: string, event: string, data: string}} SseEvent
 */
export class SseReader {
  /** @param {{onEvent: (event: SseEvent) => void, onComment?: (text: string) => void, onRetry?: (ms: number) => void}} handlers */
  constructor({ onEvent, onComment = () => {}, onRetry = () => {} }) {
    this.onEvent = onEvent;
    this.onComment = onComment;
    this.onRetry = onRetry;
    this.rest = '';
    /** The last id, which stays for events without one. */
    this.id = '';
    this.event = '';
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {string} text */
  take(text) {
    const all = this.rest + text;
    // A CR at the end may be the first half of a CRLF.
    const complete = all.endsWith('\r') ? all.slice(0, -1) : all;
    const lines = complete.split(/\r\n|\n|\r/);
    this.rest = lines.pop() + all.slice(complete.length);
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return this.onComment(line.slice(1).trim());
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id') this.id = value ?? '';
    else if (name === 'event') this.event = value ?? '';
    else if (name === 'data') this.data.push(value ?? '');
    else if (name === 'retry') this.onRetry(Number(value));
    else throw new Error(`a field that nobody knows: ${line.slice(0, 100)}`);
    return undefined;
  }

  dispatch() {
    const { id, event, data } = this;
    [this.event, this.data] = ['', []];
    if (data.length > 0) this.onEvent({ id, event: event === '' ? 'message' : event, data: data.join('\n') });
  }
}

/** A refused request. */
export class SseRefused extends Error {
  /** @param {import('node:http').IncomingMessage} response @param {string} body */
  constructor(response, body) {
    super(`the feed was refused with ${response.statusCode}: ${body.slice(0, 300)}`);
    this.status = response.statusCode;
    this.headers = response.headers;
    this.body = body;
  }
}

export class SseClient {
  /** Use `SseClient.open`. */
  constructor() {
    /** Every event, its data parsed, in the order it came. @type {{id: string, event: string, data: any}[]} */
    this.events = [];
    this.comments = 0;
    /** @type {number | null} what the server said last, in milliseconds */
    this.retry = null;
    /** @type {null | 'end' | 'cut'} how the server ended it: its last chunk came, or not */
    this.ended = null;
    /** @type {(event: {id: string, event: string, data: any}) => void} called for each */
    this.onEvent = () => {};
    this.reader = new SseReader({
      onEvent: ({ data, ...event }) => this.take({ ...event, data: JSON.parse(data) }),
      onComment: () => { this.comments += 1; },
      onRetry: (ms) => { this.retry = ms; },
    });
  }

  /**
   * Rejects with SseRefused where the answer isn't 200.
   * @param {string} baseUrl
   * @param {Record<string, string | undefined>} [query]
   * @param {{headers?: Record<string, string>, onEvent?: SseClient['onEvent'], keep?: boolean}} [options] `keep`: in `events`
   */
  static async open(baseUrl, query = {}, { headers = {}, onEvent, keep = true } = {}) {
    const client = own(new SseClient());
    client.keep = keep;
    if (onEvent) client.onEvent = onEvent;
    try {
      await client.connect(baseUrl + withQuery(SSE_PATH, query), headers);
    } catch (error) {
      client.endNow();
      throw error;
    }
    return client;
  }

  connect(url, headers) {
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } });
      this.request = request;
      const timer = setTimeout(() => request.destroy(new Error(`${url}: no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS);
      request.on('error', (error) => { this.ended ??= 'cut'; clearTimeout(timer); reject(error); });
      request.on('response', (response) => {
        clearTimeout(timer);
        this.response = response;
        response.setEncoding('utf8');
        if (response.statusCode !== 200) {
          let body = '';
          response.on('data', (text) => { body += text; });
          response.on('close', () => reject(new SseRefused(response, body)));
          return;
        }
        response.on('data', (text) => { if (this.ended === null) this.reader.take(text); });
        response.on('end', () => { this.ended ??= 'end'; });
        response.on('error', () => { this.ended ??= 'cut'; });
        response.on('close', () => { this.ended ??= 'cut'; disown(this); });
        resolve(undefined);
      });
      request.end();
    });
  }

  take(event) {
    if (this.keep) this.events.push(event);
    if (this.events.length > EVENTS_KEPT) throw new Error('more events than any test expects');
    this.onEvent(event);
  }

  get headers() {
    return this.response?.headers ?? {};
  }

  /** The entries of the log so far: what isn't about the feed itself. */
  entries() {
    return this.events.filter(({ data }) => data.seq !== undefined).map(({ data }) => data);
  }

  /** @param {(event: {id: string, event: string, data: any}) => boolean} matches @param {string} [what] */
  waitFor(matches, what = 'an event') {
    return waitFor(() => this.events.find(matches), {
      what,
      describe: () => ({ ended: this.ended, last: this.events.slice(-3) }),
      giveUp: () => this.ended !== null && !this.events.some(matches) && new Error(`ended (${this.ended}) while waiting for ${what}`),
    });
  }

  /** @param {number} seq */
  waitForSeq(seq) {
    return this.waitFor(({ data }) => data.seq >= seq, `the entry of seq ${seq}`);
  }

  /** How the stream begins. @returns {Promise<any>} */
  async resumed() {
    return (await this.waitFor(({ event }) => event === 'resume', 'event: resume')).data;
  }

  waitForEnd() {
    return waitFor(() => this.ended, { what: 'the feed to end', describe: () => this.events.slice(-3) });
  }

  pause() {
    this.response?.pause();
  }

  resume() {
    this.response?.resume();
  }

  end() {
    this.endNow();
  }

  endNow() {
    this.ended ??= 'cut';
    this.request?.destroy();
    disown(this);
  }
}
