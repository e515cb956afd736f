/**
 * The live feed: one WebSocket that follows the whole log from a cursor on, and comes back after every loss from where
 * it was. What it can't bridge (`gap`, `epoch_changed`) it reports, so that the page fetches its state again.
 */

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 15_000;
const HEARTBEAT_MS = 25_000;
const HEARTBEAT_PATIENCE_MS = 10_000;
const OPENING_MS = 15_000;

/** The pause before a try: doubles to its bound, and differs between pages that lost the same server. */
export function backoffMs(tries, random) {
  const pause = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(tries, 10), BACKOFF_MAX_MS);
  return Math.round(pause * (0.8 + 0.4 * random()));
}

export class Feed {
  #handlers;
  #address;
  #parseCursor;
  #random;
  #socket = null;
  #timers = new Set();
  #heartbeat = null;
  #tries = 0;
  #cursor = null;
  #seq = 0n;
  #wanted = false;

  /**
   * @param {{address: () => URL, parseCursor: (text: string) => {seq: bigint}, random?: () => number}} environment
   * @param {{onState: Function, onEntry: Function, onService: Function, onLost: Function}} handlers
   */
  constructor({ address, parseCursor, random = Math.random }, handlers) {
    this.#address = address;
    this.#parseCursor = parseCursor;
    this.#random = random;
    this.#handlers = handlers;
  }

  /** The position up to which the page has everything. */
  get cursor() {
    return this.#cursor;
  }

  /** Follows the log behind `cursor`; null follows it from now on. */
  start(cursor) {
    this.#close();
    this.#cursor = cursor;
    this.#seq = cursor === null ? 0n : this.#parseCursor(cursor).seq;
    this.#tries = 0;
    this.#wanted = true;
    this.#open();
  }

  /** Stops, and keeps the position for `resume`. */
  stop() {
    this.#wanted = false;
    this.#close();
    this.#handlers.onState({ phase: 'stopped' });
  }

  resume() {
    this.start(this.#cursor);
  }

  /** Tries at once, where it waits for its next try. */
  retryNow() {
    if (!this.#wanted || this.#socket !== null) return;
    this.#close();
    this.#open();
  }

  #open() {
    this.#handlers.onState({ phase: 'connecting' });
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    const opening = this.#after(OPENING_MS, () => this.#lose(socket));
    socket.addEventListener('open', () => {
      const subscribe = { type: 'subscribe', streamId: '*' };
      if (this.#cursor !== null) subscribe.after = this.#cursor;
      socket.send(JSON.stringify(subscribe));
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return;
      }
      if (message.type === 'subscribed') this.#cancel(opening);
      this.#receive(socket, message);
    });
    socket.addEventListener('close', () => this.#lose(socket));
  }

  #receive(socket, message) {
    switch (message.type) {
      case 'subscribed':
        if (message.resume === 'gap' || message.resume === 'epoch_changed') {
          this.#close();
          this.#handlers.onLost(message);
          return;
        }
        this.#tries = 0;
        this.#cursor ??= message.cursor ?? null;
        this.#beat(socket);
        this.#handlers.onState({ phase: 'live', resume: message.resume });
        return;
      case 'stream_update': {
        const entry = message.payload;
        const seq = BigInt(entry.seq);
        if (seq <= this.#seq) return;
        this.#seq = seq;
        this.#cursor = message.cursor ?? entry.cursor;
        this.#handlers.onEntry(entry);
        return;
      }
      case 'service':
        this.#handlers.onService(message);
        return;
      case 'pong':
        this.#beat(socket);
        return;
      case 'error':
        this.#handlers.onService({ event: 'error', reason: message.message ?? message.code });
        return;
      default: // A message of a later version.
    }
  }

  /** Asks for a sign of life after a while; a connection that gives none is lost, though nothing closed it. */
  #beat(socket) {
    this.#cancel(this.#heartbeat);
    this.#heartbeat = this.#after(HEARTBEAT_MS, () => {
      socket.send(JSON.stringify({ type: 'ping' }));
      this.#heartbeat = this.#after(HEARTBEAT_PATIENCE_MS, () => this.#lose(socket));
    });
  }

  #lose(socket) {
    if (socket !== this.#socket) return;
    this.#close();
    if (!this.#wanted) return;
    const pause = backoffMs(this.#tries, this.#random);
    this.#tries += 1;
    this.#handlers.onState({ phase: 'reconnecting', tries: this.#tries, pauseMs: pause });
    this.#after(pause, () => this.#open());
  }

  #close() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #after(milliseconds, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
