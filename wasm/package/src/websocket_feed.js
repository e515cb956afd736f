// A feed over a WebSocket: the runtime's own, or one with the same interface.
import { FluxoraError } from './errors.js';
import { EVENT_MAX, eventTooLong } from './event_stream_parser.js';
import { parseMessage } from './feed_messages.js';
import { Disconnected } from './feed_retry.js';
import { HttpExchange, authorization } from './http_exchange.js';

const OPEN = 1;
/** What arrived and waits to be read. A WebSocket can't be held up: beyond this it is closed, and resumed later. */
const WAITING_MAX = 4_096;
const WAITING_CHARACTERS_MAX = 2 * EVENT_MAX;
/** Nothing for so long: the server is asked; nothing for as long again: it is given up. */
const SILENCE_MS = 15_000;

/** What has arrived, in order, until it is taken. */
class Inbox {
  #texts = [];
  #characters = 0;
  #end = null;
  #onEnd;
  #wake = () => {};

  /** @param {() => void} onEnd called at the end, once: what is there may be taken much later, or never */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  put(text) {
    if (this.#end !== null) return;
    this.#characters += text.length;
    if (this.#texts.length === WAITING_MAX || this.#characters > WAITING_CHARACTERS_MAX) {
      this.end(new Disconnected('More arrived than was read.', { atOnce: true }));
      return;
    }
    this.#texts.push(text);
    this.#wake();
  }

  /** Nothing more is put; what is there can still be taken. The first reason counts. */
  end(reason) {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#onEnd();
    this.#wake();
  }

  async take() {
    while (this.#texts.length === 0) {
      if (this.#end !== null) throw this.#end;
      await new Promise((resolve) => { this.#wake = resolve; });
    }
    const text = this.#texts.shift();
    this.#characters -= text.length;
    return text;
  }
}

/** The HTTP status that refused the upgrade, where the runtime tells it: npm's ws does, browsers don't. */
function statusOf(message) {
  const status = /^Unexpected server response: ([0-9]{3})$/.exec(message ?? '')?.[1];
  return status === undefined ? undefined : parseInt(status, 10);
}

/**
 * Why a socket didn't open, where the runtime doesn't tell: the service's other feed is refused for the same reasons, and
 * a HEAD of it follows nothing. A refusal for good doesn't count: a proxy may let sockets through and nothing else.
 */
async function explained(failure, { endpoint, token }, environment) {
  const exchange = new HttpExchange(environment);
  try {
    await exchange.send(endpoint('api/events/stream').href, { method: 'HEAD', headers: authorization(token) });
    return failure;
  } catch (answer) {
    return answer.status === undefined || answer.refusal ? failure : answer;
  } finally {
    exchange.end();
  }
}

function openSocket(WebSocket, url) {
  try {
    return new WebSocket(url);
  } catch (cause) {
    // Such as of a page that came over https, to a service that has http alone.
    throw new FluxoraError('FEED_REFUSED', `No WebSocket can be opened: ${cause?.message ?? cause}`, { cause });
  }
}

/** What a message says to the feed; undefined for those that it has no use for. */
function messageOf(text, isOpened) {
  const { type, ...content } = parseMessage(text);
  switch (type) {
    case 'subscribed': return { ...content, type: 'opened' };
    case 'stream_update': return { type: 'entry', entry: content.payload };
    case 'service': return { type: 'service', notice: content };
    case 'error':
      if (isOpened) return undefined;
      if (content.code === 'RATE_LIMIT_EXCEEDED') throw new Disconnected(content.message, { code: 1008 });
      throw new FluxoraError('FEED_REFUSED', `${content.message}`);
    default: return undefined;
  }
}

/**
 * What a feed's connection brings, until it ends: that is `Disconnected`.
 * @param {object} request
 * @param {(path: string) => URL} request.endpoint
 * @param {Record<string, string>} request.topic
 * @param {string | null} request.after
 * @param {string} [request.token]
 * @param {{WebSocket: Function, fetch: Function, timers: object, signal: AbortSignal}} environment
 */
export async function* readWebSocket(request, environment) {
  const { endpoint, topic, after, token } = request;
  const { WebSocket, timers, signal } = environment;
  const url = endpoint('ws/streams');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // A browser's WebSocket can't send a header.
  if (token !== undefined) url.searchParams.set('token', token);
  const { event, ...about } = topic;
  const what = Object.keys(about).length === 0 ? { streamId: '*' } : about;
  const subscribe = { type: 'subscribe', ...what, event, after: after ?? undefined };

  const socket = openSocket(WebSocket, url.href);
  let timer;
  // At once, also where nobody reads: a reader that never comes back leaves neither a socket nor a timer.
  const inbox = new Inbox(() => {
    timers.clearTimeout(timer);
    socket.close();
  });
  let hasOpened = false;
  let unexplained;
  const fail = (trouble) => {
    if (!hasOpened && trouble.status === undefined) unexplained ??= trouble;
    inbox.end(trouble);
  };
  // The events stay attached to the end: npm's ws throws an error that nobody listens to.
  socket.onopen = () => {
    hasOpened = true;
    socket.send(JSON.stringify(subscribe));
  };
  socket.onclose = ({ code, reason }) => fail(new Disconnected(`Closed with ${code}: ${reason}`, { code }));
  socket.onerror = ({ message }) => {
    fail(new Disconnected(message || 'The connection failed.', { status: statusOf(message) }));
  };
  let heard = false;
  socket.onmessage = ({ data }) => {
    heard = true;
    if (typeof data !== 'string') inbox.end(new Disconnected('The server sent bytes.'));
    else if (data.length > EVENT_MAX) inbox.end(eventTooLong());
    else inbox.put(data);
  };
  const stop = () => inbox.end(new Disconnected('Given up.'));
  signal.addEventListener('abort', stop);

  // Pings of the protocol can't be seen, nor sent, by a browser's script: the service has one of its own.
  let asked = false;
  const listen = () => {
    if (asked && !heard) {
      inbox.end(new Disconnected('The server is silent.'));
      return;
    }
    asked = !heard;
    heard = false;
    if (asked && socket.readyState === OPEN) socket.send('{"type":"ping"}');
    timer = timers.setTimeout(listen, SILENCE_MS);
  };
  timer = timers.setTimeout(listen, SILENCE_MS);

  try {
    if (signal.aborted) stop();
    for (let isOpened = false; ;) {
      const message = messageOf(await inbox.take(), isOpened);
      if (message?.type === 'opened') isOpened = true;
      if (message) yield message;
    }
  } catch (trouble) {
    throw trouble === unexplained ? await explained(trouble, request, environment) : trouble;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
