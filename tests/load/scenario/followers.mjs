// Who listens while it goes on: WebSocket and SSE clients that are steady, come and go, or read slowly. Each checks that
// it is told of every entry once and in order, whatever happens to its connections.
import { setTimeout as sleep } from 'node:timers/promises';

import { NotNow, connectSse, connectWebSocket } from '../../realtime/harness/feed_connection.js';
import { seqOf } from '../../integration/harness/ws_client.js';

const RECONNECT_EVERY_MS = 4_000;
const SLOW = { reads: 1_000, rests: 3_000 };
const RETRY_MS = 500;
const CLOSED_AS_SLOW = '4008';

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {'websocket' | 'sse'} transport
 * @property {'steady' | 'reconnecting' | 'slow'} manner
 * @property {string} [recipient] follows that party's streams alone; else everything
 */

export class Follower {
  /**
   * @param {string} baseUrl
   * @param {Kind} kind
   * @param {string} cursor where it begins
   * @param {(entry: any) => void} onEntry
   */
  constructor(baseUrl, kind, cursor, onEntry) {
    Object.assign(this, { baseUrl, kind, cursor, onEntry });
    this.begun = seqOf(cursor);
    this.seq = this.begun;
    Object.assign(this, { entries: 0, connections: 0, closedAsSlow: 0, cut: 0, refused: 0, closing: false });
    /** What must never be seen. @type {string[]} the first ones */
    this.troubles = [];
    this.troubleCount = 0;
  }

  start() {
    this.running = this.#run();
  }

  /** @param {string} what */
  #trouble(what) {
    this.troubleCount += 1;
    if (this.troubles.length < 5) this.troubles.push(`${this.kind.name}: ${what}`.slice(0, 300));
  }

  async #run() {
    while (!this.closing) {
      try {
        await this.#connection();
      } catch (error) {
        if (!(error instanceof NotNow)) this.#trouble(String(error));
        this.refused += 1;
      }
      if (!this.closing) await sleep(RETRY_MS);
    }
  }

  /** One connection, from its opening to its end. */
  async #connection() {
    const connect = this.kind.transport === 'sse' ? connectSse : connectWebSocket;
    let ended = (/** @type {string} */ _how) => {};
    const end = new Promise((resolve) => {
      ended = resolve;
    });
    const topic = this.kind.recipient === undefined ? {} : { recipient: this.kind.recipient };
    const connection = await connect(this.baseUrl, topic, this.cursor, {
      onResume: ({ resume }) => {
        if (resume !== 'resumed') this.#trouble(`resumed as ${resume}`);
      },
      onEntry: (entry) => this.#take(entry),
      onEnd: (how) => ended(how),
      onTrouble: (what) => this.#trouble(what),
    });
    this.connections += 1;
    this.leave = () => {
      connection.leave(true);
      ended('left');
    };
    if (this.closing) this.leave();
    const how = await Promise.race([end, this.#behave(connection, end)]);
    if (how === CLOSED_AS_SLOW) this.closedAsSlow += 1;
    else if (how !== 'left') this.cut += 1;
  }

  /** What a client of that manner does meanwhile; resolves when it has left. */
  async #behave(connection, end) {
    let open = true;
    void end.then(() => {
      open = false;
    });
    if (this.kind.manner === 'reconnecting') {
      await sleep(RECONNECT_EVERY_MS, undefined, { ref: false });
      if (open) connection.leave(this.entries % 2 === 0);
      return 'left';
    }
    while (this.kind.manner === 'slow' && open && !this.closing) {
      connection.pause();
      await sleep(SLOW.rests, undefined, { ref: false });
      if (open) connection.resume();
      await sleep(SLOW.reads, undefined, { ref: false });
    }
    return end;
  }

  #take(entry) {
    const all = this.kind.recipient === undefined;
    if (entry.seq <= this.seq) this.#trouble(`entry ${entry.seq} after ${this.seq}`);
    else if (all && entry.seq !== this.seq + 1) this.#trouble(`entry ${entry.seq} right after ${this.seq}`);
    this.seq = entry.seq;
    this.cursor = entry.cursor;
    this.entries += 1;
    this.onEntry(entry);
  }

  async stop() {
    this.closing = true;
    this.leave?.();
    await this.running;
  }
}

/** @param {import('./plans.mjs').Plan['followers']} counts @param {string[]} recipients @returns {Kind[]} */
export function followerKinds({ webSockets, reconnecting, slow, party, sse }, recipients) {
  /** @param {number} count @param {Omit<Kind, 'name'>} kind @param {string} name */
  const some = (count, name, kind) =>
    Array.from({ length: count }, (_, n) => ({ name: `${name} ${n + 1}`, ...kind(n) }));
  return [
    ...some(webSockets, 'WebSocket', () => ({ transport: 'websocket', manner: 'steady' })),
    ...some(reconnecting, 'WebSocket that reconnects', () => ({ transport: 'websocket', manner: 'reconnecting' })),
    ...some(slow, 'slow WebSocket', () => ({ transport: 'websocket', manner: 'slow' })),
    ...some(party, "WebSocket of one party's", (n) => ({
      transport: 'websocket',
      manner: 'steady',
      recipient: recipients[n % recipients.length],
    })),
    ...some(sse, 'SSE', (n) => ({ transport: 'sse', manner: n % 2 === 0 ? 'steady' : 'reconnecting' })),
  ];
}
