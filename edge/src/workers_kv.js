import { memoryStore } from './memory.js';

// The least that KV takes.
const TTL_MIN_SECONDS = 60;

/** What this isolate handles and has handled, by key, for each namespace: the same for every store made of it. */
const isolates = new WeakMap();

function isolateOf(namespace) {
  if (!isolates.has(namespace)) isolates.set(namespace, memoryStore());
  return isolates.get(namespace);
}

class WorkersKvStore {
  #namespace;
  #prefix;
  #isolate;

  constructor(namespace, prefix) {
    this.#namespace = namespace;
    this.#prefix = prefix;
    this.#isolate = isolateOf(namespace);
  }

  async claim(id, options) {
    const key = this.#prefix + id;
    const claimed = this.#isolate.claim(key, options);
    if (claimed.state !== 'new') return claimed;
    try {
      if (await this.#namespace.get(key) === null) return claimed;
    } catch (error) {
      this.#isolate.release(key, claimed.token);
      throw error;
    }
    this.#isolate.release(key, claimed.token);
    return { state: 'done' };
  }

  /** KV takes one write a second for each key, so that is all that is written: claims are the isolate's. */
  async complete(id, token, options) {
    const key = this.#prefix + id;
    const expirationTtl = Math.max(TTL_MIN_SECONDS, Math.ceil(options.keepMs / 1000));
    await this.#namespace.put(key, 'done', { expirationTtl });
    this.#isolate.complete(key, token, options);
    return true;
  }

  release(id, token) {
    this.#isolate.release(this.#prefix + id, token);
  }
}

export function workersKvStore(namespace, { prefix = 'fluxora:seen:' } = {}) {
  return new WorkersKvStore(namespace, prefix);
}
