import { wholeNumber } from './whole_number.js';

/** FNV-1a, 32 bits: spreads ids, and gives each the same object everywhere. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

class DurableObjectStore {
  #namespace;
  #shards;
  #prefix;

  constructor(namespace, shards, prefix) {
    this.#namespace = namespace;
    this.#shards = shards;
    this.#prefix = prefix;
  }

  claim(id, { leaseMs }) {
    return this.#ask('claim', id, { token: crypto.randomUUID(), leaseMs });
  }

  complete(id, token, { keepMs }) {
    return this.#ask('complete', id, { token, keepMs });
  }

  async release(id, token) {
    await this.#ask('release', id, { token });
  }

  async #ask(what, id, question) {
    const key = this.#prefix + id;
    const object = this.#namespace.get(this.#namespace.idFromName(`shard-${hash(key) % this.#shards}`));
    const body = JSON.stringify({ id: key, ...question });
    const response = await object.fetch(`https://seen/${what}`, { method: 'POST', body });
    if (!response.ok) throw new Error(`The Durable Object answered ${response.status}.`);
    return response.json();
  }
}

export function durableObjectStore(namespace, { shards = 8, prefix = '' } = {}) {
  return new DurableObjectStore(namespace, wholeNumber(shards, 1, 1000, 'shards'), prefix);
}

const SWEEP_ROWS = 1000;
const SWEEP_EVERY_MS = 3_600_000;
const SWEEP_AGAIN_MS = 1000;

/**
 * One shard. A row is a claim, or without a token a delivery that was handled; either counts until `expires_at`. SQL is
 * synchronous here, so nothing comes between a question and its answer, and no answer leaves before what it says is on
 * disk.
 */
export class SeenDeliveries {
  #storage;
  #sql;

  constructor({ storage }) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, token TEXT, expires_at INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS seen_expires_at ON seen (expires_at)`);
  }

  async fetch(request) {
    const asked = await request.json();
    switch (new URL(request.url).pathname) {
      case '/claim':
        if (await this.#storage.getAlarm() === null) await this.#storage.setAlarm(Date.now() + SWEEP_EVERY_MS);
        return Response.json(this.#claim(asked, Date.now()));
      case '/complete': return Response.json(this.#complete(asked, Date.now()));
      case '/release': return Response.json(this.#release(asked));
      default: return new Response(null, { status: 404 });
    }
  }

  /** Removes what has served its time, a bounded number of rows each time. */
  async alarm() {
    const now = Date.now();
    this.#sql.exec('DELETE FROM seen WHERE id IN (SELECT id FROM seen WHERE expires_at <= ? LIMIT ?)', now, SWEEP_ROWS);
    const [{ next }] = this.#sql.exec('SELECT min(expires_at) AS next FROM seen');
    if (next === null) return;
    await this.#storage.setAlarm(next <= now ? now + SWEEP_AGAIN_MS : Math.max(next, now + SWEEP_EVERY_MS));
  }

  /** What counts of an id now. */
  #held(id, now) {
    return [...this.#sql.exec('SELECT token, expires_at FROM seen WHERE id = ? AND expires_at > ?', id, now)][0];
  }

  #keep(id, token, expiresAt) {
    this.#sql.exec('INSERT OR REPLACE INTO seen (id, token, expires_at) VALUES (?, ?, ?)', id, token, expiresAt);
  }

  /** A claim that is asked for again, because its answer was lost, finds its own token. */
  #claim({ id, token, leaseMs }, now) {
    const held = this.#held(id, now);
    if (held?.token === null) return { state: 'done' };
    if (held && held.token !== token) return { state: 'busy', retryAfterMs: held.expires_at - now };
    this.#keep(id, token, now + leaseMs);
    return { state: 'new', token };
  }

  #complete({ id, token, keepMs }, now) {
    const held = this.#held(id, now);
    if (held && held.token !== null && held.token !== token) return false;
    this.#keep(id, null, now + keepMs);
    return true;
  }

  #release({ id, token }) {
    this.#sql.exec('DELETE FROM seen WHERE id = ? AND token = ?', id, token);
    return true;
  }
}
