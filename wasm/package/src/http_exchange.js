import { Disconnected, disconnectedBy } from './feed_retry.js';

/** Nothing for so long: given up. A feed's comment comes every 15 s. */
const SILENCE_MS = 45_000;
/** Of an answer that isn't the one hoped for. */
const PROBLEM_MAX = 64 * 1024;

/** The header that shows a token, where there is one. */
export const authorization = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

/** Wants no more of a body, whether or not `fetch` heeds signals. One that has a reader is left through that. */
function leave(body) {
  body?.cancel().catch(() => {});
}

/**
 * One HTTP request and its answer, read in pieces. Given up when nothing comes for a while, or when `signal` says so.
 * Everything that goes wrong is `Disconnected`.
 */
export class HttpExchange {
  #fetch;
  #timers;
  #signal;
  #controller = new AbortController();
  #response;
  /** Ends what is waited for: a `fetch` that doesn't care for signals holds nobody up either. */
  #giveUp = () => {};
  #close = () => this.#abort('Given up.');

  constructor({ fetch, timers, signal }) {
    this.#fetch = fetch;
    this.#timers = timers;
    this.#signal = signal;
    signal.addEventListener('abort', this.#close);
    if (signal.aborted) this.#controller.abort();
  }

  /** Sends it; gives the headers of a 200. */
  async send(url, init = {}) {
    const { signal } = this.#controller;
    this.#response = await this.#within(async () => {
      // Browsers refuse a `fetch` that is called on anything but their window.
      const response = await this.#fetch.call(globalThis, url, { ...init, signal });
      if (signal.aborted) leave(response.body);
      return response;
    });
    if (this.#response.status !== 200) {
      throw disconnectedBy(this.#response, await this.text(PROBLEM_MAX).catch(() => ''));
    }
    return this.#response.headers;
  }

  /** The answer's text as it comes. Once. */
  async *texts() {
    const decoder = new TextDecoder();
    const reader = this.#response.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const { done, value } = await this.#within(() => reader.read());
        if (done) return;
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      leave(reader);
    }
  }

  /** All of the answer. */
  async text(most) {
    let all = '';
    for await (const text of this.texts()) {
      all += text;
      if (all.length > most) throw new Disconnected(`The answer has more than ${most} characters.`);
    }
    return all;
  }

  /** Lets go of the connection. */
  end() {
    this.#signal.removeEventListener('abort', this.#close);
    this.#controller.abort();
    leave(this.#response?.body);
  }

  #abort(reason) {
    this.#controller.abort();
    this.#giveUp(new Disconnected(reason));
  }

  async #within(begin) {
    const timer = this.#timers.setTimeout(() => this.#abort('The server is silent.'), SILENCE_MS);
    try {
      // A promise for each wait: one that outlived them would keep something of each of a feed's pieces.
      return await new Promise((resolve, reject) => {
        this.#giveUp = reject;
        if (this.#controller.signal.aborted) reject(new Disconnected('Given up.'));
        begin().then(resolve, reject);
      });
    } catch (cause) {
      if (cause instanceof Disconnected) throw cause;
      throw new Disconnected(`The connection failed: ${cause?.message ?? cause}`, { cause });
    } finally {
      this.#timers.clearTimeout(timer);
    }
  }
}
