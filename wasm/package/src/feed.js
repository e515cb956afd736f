// A feed to be iterated over: connects, resumes, applies each entry once, fetches the state where entries are missing.
// What is applied, dropped or missing is the core's to decide (feed_client.js); this is the way there and back.
import { FluxoraError } from './errors.js';
import { readFeedOptions } from './feed_options.js';
import { fetchEntries } from './feed_reads.js';
import { Backoff, Disconnected } from './feed_retry.js';
import { listOf } from './plain.js';

/** A connection that held so long was a good one, also where nothing happened. */
const STEADY_MS = 60_000;
/** Tokens in a row that the server refuses. */
const TOKENS_MAX = 3;
/** What the core says of what a server sent: no fault of the caller's. */
const SERVERS_FAULTS = ['CURSOR_INVALID', 'ARGUMENT_INVALID', 'INPUT_TOO_LONG'];

/** What the core makes of something that the server sent. */
function judge(read) {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FluxoraError) || !SERVERS_FAULTS.includes(cause.code)) throw cause;
    throw new Disconnected(`The server sent what is no part of a feed: ${cause.message}`, { cause });
  }
}

/** What `call` gives; not waited for once the feed is closed. What it fails with is tried again. */
async function asked(call, signal) {
  let stop;
  const stopped = new Promise((_, reject) => {
    stop = () => reject(new Disconnected('Given up.'));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([call(), stopped]);
  } catch (cause) {
    if (cause instanceof FluxoraError || cause instanceof Disconnected) throw cause;
    throw new Disconnected(`${cause?.message ?? cause}`, { cause });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

class Feed {
  #plan;
  #stop = new AbortController();
  #messages;
  #backoff;
  #cursor;
  #openedAt = null;
  #tokensRefused = 0;
  #counts = { applied: 0, dropped: 0, filled: 0 };

  constructor(plan) {
    this.#plan = plan;
    this.#cursor = plan.after;
    this.#backoff = new Backoff(plan.random);
    this.#messages = this.#run();
  }

  get cursor() {
    return this.#cursor;
  }

  get counts() {
    return { ...this.#counts };
  }

  next() {
    return this.#messages.next();
  }

  async return(value) {
    this.#stop.abort();
    return this.#messages.return(value);
  }

  async close() {
    await this.return();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  get #stopped() {
    return this.#stop.signal.aborted;
  }

  async *#run() {
    const { core, scope, after, snapshot, signal } = this.#plan;
    // As close() does: also where nobody waits for a message.
    const abort = () => this.return();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    const client = core.feedClient({ scope, from: after });
    try {
      let lost = snapshot ? { reason: 'start', gap: null } : null;
      while (!this.#stopped) {
        try {
          if (lost !== null) {
            const reset = await this.#goOn(client, lost);
            lost = null;
            yield reset;
          }
          lost = yield* this.#connection(client);
          await this.#recover(new Disconnected('Entries are missing.', { atOnce: true }));
        } catch (trouble) {
          if (this.#stopped) return;
          if (!(trouble instanceof Disconnected)) throw trouble;
          await this.#recover(trouble);
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#stop.abort();
      client.dispose();
      this.#tell({ status: 'closed' });
    }
  }

  /** The message with which it goes on behind entries that it can't get: the state, unless nobody wants it. */
  async #goOn(client, { reason, gap, cursor }) {
    const { refetch } = this.#plan;
    let found = { cursor, state: null };
    if (refetch !== null) {
      this.#tell({ status: 'refetching', reason });
      found = await asked(() => refetch({ reason, gap, environment: this.#environment }), this.#stop.signal);
    }
    judge(() => client.refetched(found.cursor));
    this.#cursor = found.cursor;
    return { type: 'reset', reason, gap, cursor: found.cursor, state: found.state };
  }

  /** The messages of one connection, until it ends by throwing. Gives what was lost where it can't go on. */
  async *#connection(client) {
    const { endpoint, topic, read, token } = this.#plan;
    this.#openedAt = null;
    this.#tell({ status: 'connecting' });
    const request = { endpoint, topic, after: client.cursor, token };
    if (typeof token === 'function') request.token = await asked(async () => token(), this.#stop.signal);
    for await (const message of read(request, this.#environment)) {
      let lost = null;
      if (message.type === 'opened') lost = this.#open(client, message);
      else if (message.type === 'entry') lost = yield* this.#take(client, message.entry);
      else this.#plan.onService?.(message.notice);
      if (lost !== null) return lost;
    }
    return null;
  }

  /** The feed's answer; gives what is lost by it, or null. */
  #open(client, { resume, cursor, gap = null }) {
    this.#tokensRefused = 0;
    this.#openedAt = this.#plan.timers.now();
    if (!judge(() => client.opened({ resume, cursor }))) {
      return { reason: resume === 'gap' || resume === 'epoch_changed' ? resume : 'inconsistent', gap, cursor };
    }
    this.#cursor ??= client.cursor;
    this.#tell({ status: 'open', resume, cursor: client.cursor });
    return null;
  }

  /** Hands an entry out, if it is the next, and those of a hole before it. Gives what is lost, or null. */
  async *#take(client, entry) {
    const step = judge(() => client.entry(this.#chained(client, entry)));
    if (step.action === 'drop') this.#counts.dropped += 1;
    if (step.action === 'apply') yield this.#applied(client, entry);
    if (step.action === 'refetch') return judge(() => this.#lostAt(client, entry));
    return step.action === 'ask' ? yield* this.#fill(client, step, entry) : null;
  }

  #applied(client, entry) {
    this.#backoff.reset();
    this.#cursor = client.cursor;
    this.#counts.applied += 1;
    return { type: 'entry', cursor: this.#cursor, entry };
  }

  /** Of one event's entries none names the one before: each follows what came before it. */
  #chained(client, entry) {
    if (this.#plan.topic.event === undefined || client.cursor === null) return entry;
    return { ...entry, prevSeq: this.#plan.core.cursor.parse(client.cursor).seq };
  }

  /** Reads the entries of a hole and hands them out; how often is the core's to say. Gives what is lost, or null. */
  async *#fill(client, step, last) {
    while (step.action === 'ask') {
      const to = this.#seqOf(step.to);
      let outcome;
      for await (const page of this.#pagesOf(step)) {
        outcome = page.resume?.outcome;
        for (const entry of judge(() => listOf(page.events, 'events'))) {
          // The feed brings those behind. Taken here, they would move the position over other streams' that it has yet
          // to bring.
          const seq = this.#seqOf(entry?.cursor);
          if (seq > to) continue;
          const { action } = judge(() => client.entry(entry));
          if (action !== 'apply') continue;
          // The last one came over the connection too.
          if (seq < this.#seqOf(last.cursor)) this.#counts.filled += 1;
          yield this.#applied(client, entry);
        }
      }
      step = judge(() => client.replayed(outcome));
    }
    return step.action === 'refetch' ? judge(() => this.#lostAt(client, last)) : null;
  }

  #seqOf(cursor) {
    return judge(() => this.#plan.core.cursor.parse(cursor)).seq;
  }

  /** The log from `after` up to `to` at least, of one stream where it is named. */
  async *#pagesOf({ after, to, streamId }) {
    const { endpoint, topic } = this.#plan;
    const last = this.#seqOf(to);
    const request = { endpoint, streamId: streamId ?? topic.streamId, minVersion: last };
    for (let page = { has_more: true, next_cursor: after }, at = -1n; page.has_more;) {
      const next = this.#seqOf(page.next_cursor);
      if (next <= at || next >= last) return;
      at = next;
      page = await fetchEntries({ ...request, after: page.next_cursor }, this.#environment);
      yield page;
    }
  }

  /** What an entry that contradicts those before it means. */
  #lostAt(client, { cursor }) {
    const { parse, format } = this.#plan.core.cursor;
    const { epoch, seq } = parse(cursor);
    const reason = epoch === parse(client.cursor).epoch ? 'inconsistent' : 'epoch_changed';
    return { reason, gap: null, cursor: format({ epoch, seq: seq - 1n }) };
  }

  /** Waits before the next try, or throws where none is of any use. */
  async #recover(trouble) {
    const { timers, token } = this.#plan;
    if (this.#openedAt !== null && timers.now() - this.#openedAt >= STEADY_MS) this.#backoff.reset();
    this.#openedAt = null;
    if (trouble.isUnauthorized) {
      this.#tokensRefused += 1;
      if (typeof token !== 'function' || this.#tokensRefused === TOKENS_MAX) {
        throw new FluxoraError('FEED_UNAUTHORIZED', trouble.message, { cause: trouble });
      }
    }
    if (trouble.refusal) throw trouble.refusal;
    const delayMs = this.#backoff.next(trouble);
    if (delayMs === 0) return;
    this.#tell({ status: 'waiting', delayMs, cause: trouble });
    await this.#pause(delayMs);
  }

  #pause(delayMs) {
    const { setTimeout, clearTimeout } = this.#plan.timers;
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }

  get #environment() {
    const { fetch, WebSocket, timers } = this.#plan;
    return { fetch, WebSocket, timers, signal: this.#stop.signal };
  }

  #tell(status) {
    this.#plan.onStatus?.(Object.freeze(status));
  }
}

export { FluxoraError };

/** Follows a topic of the service's log. */
export function connectFeed(options) {
  return new Feed(readFeedOptions(options));
}
