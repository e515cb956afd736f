// What is known of the server's streams and parties: whom to ask for, what has been written, and what has to be there at
// the end because of it.

const MAX_STREAMS = 5_000;
const MAX_IDLE = 2_000;
const MAX_CREATIONS = 200;
const MAX_CURSORS = 200;

/** The last so many; which one goes is left to chance, so that old ones stay among them. @template T */
class Pool {
  /** @param {number} limit @param {import('./random.mjs').Random} random */
  constructor(limit, random) {
    this.limit = limit;
    this.random = random;
    /** @type {T[]} */
    this.items = [];
  }

  /** @param {T} item */
  add(item) {
    if (this.items.length < this.limit) this.items.push(item);
    else this.items[this.random.below(this.limit)] = item;
  }

  /** @returns {T | undefined} */
  any() {
    return this.items[this.random.below(this.items.length)];
  }

  /** Any, which is nobody else's then. @returns {T | undefined} */
  take() {
    const index = this.random.below(this.items.length);
    const last = this.items.pop();
    if (index === this.items.length || last === undefined) return last;
    const taken = this.items[index];
    this.items[index] = last;
    return taken;
  }

  get size() {
    return this.items.length;
  }
}

export class World {
  /** @param {import('./random.mjs').Random} random */
  constructor(random) {
    this.random = random;
    /** @type {Pool<string>} */
    this.streams = new Pool(MAX_STREAMS, random);
    /** Ours that are active and that nobody changes right now. @type {Pool<string>} */
    this.idle = new Pool(MAX_IDLE, random);
    /** The same, paused. @type {Pool<string>} */
    this.paused = new Pool(MAX_IDLE, random);
    /** To be sent again. @type {Pool<{key: string, body: object, headers: Record<string, string>, id: string}>} */
    this.creations = new Pool(MAX_CREATIONS, random);
    /** @type {string[]} addresses */
    this.senders = [];
    /** Who is asked about. @type {string[]} */
    this.recipients = [];
    /** Recipients whose streams feeds follow. @type {string[]} */
    this.followed = [];
    /** Positions of the log, to read pages from. @type {Pool<string>} */
    this.cursors = new Pool(MAX_CURSORS, random);
    this.created = 0;
    /**
     * Acknowledged writes by the entry that they made, and those of which nobody knows.
     * @type {Record<string, number>}
     */
    this.acknowledged = { created: 0, paused: 0, resumed: 0, cancelled: 0 };
    /** @type {Record<string, number>} */
    this.unclear = { created: 0, paused: 0, resumed: 0, cancelled: 0 };
    this.readBack = 0;
    /** What an answer said that it must not. @type {string[]} the first ones */
    this.wrong = [];
    this.wrongCount = 0;
  }

  /** @param {string} what */
  note(what) {
    this.wrongCount += 1;
    if (this.wrong.length < 20) this.wrong.push(what.slice(0, 300));
  }
}
