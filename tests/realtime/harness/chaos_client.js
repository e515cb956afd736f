// A client that comes and goes, stalls and resumes, on whichever instance takes it, and keeps what it was given.
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../integration/harness/wait.js';
import { seqOf } from '../../integration/harness/ws_client.js';
import { NotNow, connectSse, connectWebSocket } from './feed_connection.js';

/** Ends of connections that a client has to live with: SPEC section 6, and what a killed server leaves. */
const EXPECTED_ENDS = new Set(['1001', '1006', '4008', '1013', 'end', 'cut']);
const TROUBLES_KEPT = 5;

export class ChaosClient {
  /**
   * @param {object} options
   * @param {string} options.name
   * @param {'websocket' | 'sse'} options.transport
   * @param {import('./log_filter.js').Topic} options.topic
   * @param {string | undefined} options.after where it begins; undefined: with what comes
   * @param {(low: number, high: number) => number} options.random
   * @param {Map<number, string>} options.texts each entry's JSON, as whoever was first got it
   */
  constructor({ name, transport, topic, after, random, texts }) {
    Object.assign(this, { name, transport, topic, after, random, texts });
    /** @type {number[]} log positions, as applied */
    this.applied = [];
    /** The position after which it has to have everything; known once it is told where it begins. */
    this.begin = after === undefined ? null : seqOf(after);
    /** @type {Awaited<ReturnType<typeof connectSse>> | Awaited<ReturnType<typeof connectWebSocket>> | null} */
    this.connection = null;
    this.connections = 0;
    this.resumes = 0;
    this.stalls = 0;
    /** @type {Record<string, number>} how connections ended that it didn't leave */
    this.ends = {};
    /** @type {string[]} what must not be */
    this.troubles = [];
  }

  trouble(what) {
    if (this.troubles.length < TROUBLES_KEPT) this.troubles.push(`${this.name}: ${what}`);
  }

  /** False where the instance doesn't take it now. @param {string} baseUrl */
  async connect(baseUrl) {
    const asked = this.after;
    this.ended = new Promise((resolve) => { this.tellEnd = resolve; });
    const handlers = {
      onResume: (told) => this.begun(told, asked),
      onEntry: (entry, text) => this.apply(entry, text),
      onEnd: (how) => this.lost(how),
      onTrouble: (what) => this.trouble(what),
    };
    const options = { compress: this.random(0, 2) === 0, byHeader: this.random(0, 1) === 0 };
    const open = this.transport === 'sse' ? connectSse : connectWebSocket;
    try {
      this.connection = await open(baseUrl, this.topic, asked, handlers, options);
    } catch (error) {
      if (!(error instanceof NotNow)) this.trouble(error.message);
      return false;
    }
    this.connections += 1;
    return true;
  }

  begun({ resume, cursor, gap }, asked) {
    if (asked === undefined) {
      if (resume !== 'live') this.trouble(`no cursor, and ${resume}`);
      this.begin = seqOf(cursor);
      this.after = cursor;
      return;
    }
    this.resumes += 1;
    if (resume !== 'resumed') this.trouble(`after ${asked}: ${resume} ${cursor} ${JSON.stringify(gap)}`);
    if (cursor !== asked) this.trouble(`after ${asked}: goes on after ${cursor}`);
  }

  apply(entry, text) {
    this.applied.push(entry.seq);
    this.after = entry.cursor;
    const known = this.texts.get(entry.seq);
    if (known === undefined) this.texts.set(entry.seq, text);
    else if (known !== text) this.trouble(`entry ${entry.seq} is ${text.slice(0, 500)}, and to others ${known.slice(0, 500)}`);
  }

  lost(how) {
    this.ends[how] = (this.ends[how] ?? 0) + 1;
    if (!EXPECTED_ENDS.has(how)) this.trouble(`the server ended the connection: ${how}`);
    this.connection = null;
    this.tellEnd();
  }

  leave() {
    this.connection?.leave(this.random(0, 3) === 0);
    this.connection = null;
  }

  /** Lives until `goesOn` says no. @param {() => string} anyServer @param {() => boolean} goesOn */
  async live(anyServer, goesOn) {
    while (goesOn()) {
      if (!await this.connect(anyServer())) {
        await sleep(this.random(20, 150));
        continue;
      }
      await this.stay(goesOn);
      // Some stay when the others are called together, and what they have is what counts in the end.
      if (goesOn() || this.random(0, 1) === 0) this.leave();
    }
  }

  /** Reads, and now and then doesn't, for a while or until the server ends it. */
  async stay(goesOn) {
    for (let left = this.random(0, 4); left >= 0 && this.connection && goesOn(); left -= 1) {
      await this.rest(this.random(50, 2_000));
      if (this.random(0, 4) !== 0) continue;
      this.stalls += 1;
      const stalled = this.connection;
      stalled?.pause();
      await sleep(this.random(50, 1_500));
      stalled?.resume();
    }
  }

  /** @param {number} ms at most */
  async rest(ms) {
    const timer = new AbortController();
    await Promise.race([this.ended, sleep(ms, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  }

  /**
   * Reads on until it has so many entries, wherever it is taken, or until nothing comes any more; what it has is the
   * test's to judge.
   * @param {() => string} anyServer
   * @param {() => number} count
   */
  async drain(anyServer, count) {
    const whole = () => this.begin !== null && this.applied.length >= count();
    for (let seen = -1; !whole() && this.applied.length > seen;) {
      seen = this.applied.length;
      await waitFor(async () => {
        if (!this.connection && !await this.connect(anyServer())) return false;
        return whole() || this.applied.length > seen;
      }, { what: this.name }).catch(() => {});
    }
    // Whatever was sent beyond that is here after the answer.
    if (this.connection && 'barrier' in this.connection) await this.connection.barrier();
  }
}
