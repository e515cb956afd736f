// A service made of nothing, for tests of the feed's client: a log in memory, its WebSocket, event stream and requests,
// under a clock that stands until everybody waits. What goes wrong is drawn from a seed.

/** A seeded generator of numbers from 0 up to 1 (xorshift32). */
export function seeded(seed) {
  let x = (seed + 1) * 0x9E3779B1 >>> 0 || 1;
  return () => {
    x = (x ^ (x << 13)) >>> 0;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x / 2 ** 32;
  };
}

/** Time passes only when nobody has anything else to do. */
export class VirtualTimers {
  #now = 0;
  #made = 0;
  #waiting = new Map();

  now = () => this.#now;

  setTimeout = (call, ms) => {
    this.#made += 1;
    this.#waiting.set(this.#made, { at: this.#now + Math.max(0, ms), call });
    return this.#made;
  };

  clearTimeout = (timer) => {
    this.#waiting.delete(timer);
  };

  /** How many calls are still to come. */
  get pending() {
    return this.#waiting.size;
  }

  sleep = (ms) => new Promise((resolve) => { this.setTimeout(resolve, ms); });

  /** Goes to the next moment at which something was to happen, and lets that happen. */
  #step() {
    let next = null;
    for (const [id, timer] of this.#waiting) if (next === null || timer.at < next.at) next = { id, ...timer };
    if (next === null) throw new Error('nobody does anything any more');
    this.#waiting.delete(next.id);
    this.#now = next.at;
    next.call();
  }

  /** Lets time pass until `done()`. */
  async run(done, steps = 200_000) {
    for (let i = 0; i < steps; i += 1) {
      // What settles without time, streams of the runtime's included, does so within these.
      for (let j = 0; j < 4; j += 1) await new Promise((resolve) => { setImmediate(resolve); });
      if (done()) return;
      this.#step();
    }
    throw new Error(`not done after ${steps} steps, at ${this.#now} ms`);
  }
}

const CONTRACT = 'CAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQC526';
export const streamIdOf = (number) => `${CONTRACT}-${number}`;

const seqOf = (cursor) => BigInt(cursor.slice(cursor.indexOf('-') + 1));
const epochOf = (cursor) => cursor.slice(0, cursor.indexOf('-'));
/** Of a position: its epoch and seq. */
export const positionOf = (cursor) => ({ epoch: epochOf(cursor), seq: parseInt(`${seqOf(cursor)}`, 10) });

/** Whether an entry is of a feed's topic: also the one that takes a stream away. */
export function matches({ event, streamId, recipient, sender }, entry) {
  if (event !== undefined && entry.event !== event) return false;
  if (streamId !== undefined) return entry.streamId === streamId;
  const of = (name, address) => entry.stream?.[name] === address || entry.change?.[name]?.[0] === address;
  if (recipient !== undefined) return of('recipient', recipient);
  return sender === undefined || of('sender', sender);
}

const KINDS = ['stream.updated', 'stream.updated', 'stream.updated', 'stream.observed', 'stream.retracted'];

export class FakeService {
  /** What goes wrong, as probabilities. */
  faults = { duplicate: 0, reorder: 0, omit: 0, request: 0, connect: 0 };
  connections = new Set();
  tokens = null;
  /** Whether a socket's failure tells the status, as npm's ws does and browsers don't. */
  tellsStatus = true;
  requests = [];
  #logs = new Map();
  #oldest = 1;

  constructor({ random, timers, addresses, streams = 12 }) {
    this.random = random;
    this.timers = timers;
    this.addresses = addresses;
    this.streamCount = streams;
    this.replaceLog();
    const service = this;
    /** As browsers have it. */
    this.WebSocket = class {
      constructor(url) {
        return new FakeSocket(service, new URL(url));
      }
    };
    this.fetch = (url, init) => this.#answer(new URL(url), init);
  }

  int(most) {
    return Math.floor(this.random() * most);
  }

  chance(probability) {
    return this.random() < probability;
  }

  get log() {
    return this.#logs.get(this.epoch);
  }

  get head() {
    return this.log.length;
  }

  get headCursor() {
    return `${this.epoch}-${this.head}`;
  }

  /** A log of its own, as a restore makes one: everything in it has happened, some of it otherwise. */
  replaceLog() {
    this.epoch = `ep${this.#logs.size}`;
    this.#logs.set(this.epoch, []);
    this.#oldest = 1;
    for (let i = 0; i < this.streamCount; i += 1) this.append(i, 'stream.created');
    for (const connection of [...this.connections]) connection.drop(1012);
  }

  prune(share) {
    this.#oldest = Math.max(this.#oldest, Math.floor(this.head * share));
  }

  /** Adds an entry of a stream, or of none. */
  append(number = this.int(this.streamCount + 1), event = KINDS[this.int(KINDS.length)]) {
    const seq = this.head + 1;
    const at = { cursor: `${this.epoch}-${seq}`, seq };
    if (number === this.streamCount) {
      this.log.push({ ...at, event: 'protocol.event', streamId: null });
    } else {
      const streamId = streamIdOf(number);
      const before = this.log.findLast((entry) => entry.streamId === streamId);
      const held = before?.stream;
      const party = (name) => held?.[name] ?? this.addresses[this.int(this.addresses.length)];
      const stream = { id: streamId, version: seq, recipient: party('recipient'), sender: party('sender') };
      const entry = { ...at, event, streamId, stream, prevSeq: before?.seq ?? null };
      if (held && event === 'stream.retracted' && this.chance(0.3)) {
        entry.stream = null;
        entry.change = { recipient: [held.recipient, null], sender: [held.sender, null] };
      } else if (held && this.chance(0.1)) {
        stream.recipient = this.addresses[this.int(this.addresses.length)];
        entry.change = { recipient: [held.recipient, stream.recipient] };
      }
      this.log.push(entry);
    }
    for (const connection of this.connections) connection.pump();
  }

  entries(epoch = this.epoch) {
    return this.#logs.get(epoch);
  }

  /** The streams of a topic as they were at a position. */
  stateAt(cursor, { streamId, recipient, sender }) {
    const { epoch, seq } = positionOf(cursor);
    const last = new Map();
    for (const entry of this.#logs.get(epoch).slice(0, seq)) last.set(entry.streamId, entry.stream);
    return [...last.values()].filter((stream) => stream && (streamId ?? stream.id) === stream.id
      && (recipient ?? stream.recipient) === stream.recipient && (sender ?? stream.sender) === stream.sender);
  }

  decide(after) {
    if (after === null) return { resume: 'live', cursor: this.headCursor };
    const { epoch, seq } = positionOf(after);
    if (epoch !== this.epoch || seq > this.head) return { resume: 'epoch_changed', cursor: this.headCursor };
    if (seq + 1 >= this.#oldest) return { resume: 'resumed', cursor: after };
    const gap = { from: seq + 1, to: this.#oldest - 1 };
    return { resume: 'gap', cursor: `${this.epoch}-${gap.to}`, gap };
  }

  /** True for a token that is good now; each is good for a while. */
  admits(token) {
    return this.tokens === null || this.tokens.has(token ?? '');
  }

  #json(body, init = {}) {
    const headers = { 'x-fluxora-cursor': this.headCursor, ...init.headers };
    return new Response(JSON.stringify(body), { ...init, headers });
  }

  async #answer(url, { method = 'GET', headers = {}, body, signal }) {
    this.requests.push({ method, pathname: url.pathname });
    await this.timers.sleep(this.int(5));
    signal.throwIfAborted();
    if (this.chance(this.faults.request)) throw new TypeError('fetch failed');
    if (this.chance(this.faults.request)) {
      return this.#json({ detail: 'busy' }, { status: 503, headers: { 'retry-after': '1' } });
    }
    const query = Object.fromEntries(url.searchParams);
    switch (url.pathname) {
      case '/api/events/stream': return this.#stream(method, query, headers, signal);
      case '/api/events': return this.#page(query);
      case '/api/streams': return this.#list(query);
      case '/api/streams/export': return this.#export(query);
      case '/api/streams/lookup': {
        const [streamId] = JSON.parse(body).ids;
        return this.#json({ streams: this.stateAt(this.headCursor, { streamId }), missing: [] });
      }
      default: return this.#json({ detail: 'There is no such resource.' }, { status: 404 });
    }
  }

  #page({ after, limit, streamId }) {
    const { epoch, seq } = positionOf(after);
    const { resume, gap } = this.decide(after);
    if (resume === 'epoch_changed') {
      return this.#json({ events: [], has_more: false, next_cursor: this.headCursor, resume: { outcome: resume } });
    }
    const found = this.entries(epoch).filter((entry) => entry.seq > seq && entry.seq >= this.#oldest
      && matches({ streamId }, entry));
    // Smaller pages than were asked for: several are needed.
    const events = found.slice(0, Math.min(limit, 1 + this.int(5)));
    const hasMore = events.length < found.length;
    return this.#json({ events, has_more: hasMore, next_cursor: hasMore ? events.at(-1).cursor : this.headCursor,
      resume: { outcome: resume, gap } });
  }

  #list({ limit, ...party }) {
    const streams = this.stateAt(this.headCursor, party);
    const shown = streams.slice(0, Math.min(limit, 4));
    return this.#json({ streams: shown, has_more: shown.length < streams.length, next_cursor: null });
  }

  /** All of one moment, in pieces, while the log goes on. */
  #export(party) {
    const cursor = this.headCursor;
    const text = this.stateAt(cursor, party).map((stream) => `${JSON.stringify(stream)}\n`).join('');
    const service = this;
    const pieces = new ReadableStream({
      async start(controller) {
        for (let at = 0; at < text.length;) {
          await service.timers.sleep(1);
          if (service.chance(service.faults.request / 4)) {
            controller.error(new TypeError('terminated'));
            return;
          }
          const end = at + 1 + service.int(400);
          controller.enqueue(new TextEncoder().encode(text.slice(at, end)));
          at = end;
        }
        controller.close();
      },
    });
    return new Response(pieces, { headers: { 'x-fluxora-cursor': cursor } });
  }

  #stream(method, { after = null, ...topic }, { authorization = '' }, signal) {
    if (!this.admits(authorization.slice('Bearer '.length))) {
      return this.#json({ detail: 'No good token.' }, { status: 401 });
    }
    if (method === 'HEAD') return new Response(null);
    const connection = new StreamConnection(this, topic);
    signal.addEventListener('abort', () => connection.leave());
    connection.begin(after);
    return new Response(connection.body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  }
}

/** One feed as the service sees it. */
class Connection {
  #sentAt = 0;
  #known = new Set();

  constructor(service, topic) {
    this.service = service;
    this.topic = topic;
    this.position = null;
    /** A peer that is there and says nothing. */
    this.silent = false;
    service.connections.add(this);
  }

  leave() {
    this.service.connections.delete(this);
  }

  /** Runs `call` after what was sent before, and some time. */
  later(call) {
    const { timers } = this.service;
    this.#sentAt = Math.max(this.#sentAt, timers.now() + this.service.int(3));
    timers.setTimeout(() => {
      if (!this.silent) call();
    }, this.#sentAt - timers.now());
  }

  begin(after) {
    const decision = this.service.decide(after);
    this.open(decision);
    this.position = positionOf(decision.cursor).seq;
    this.pump();
  }

  pump() {
    if (this.position === null) return;
    const { service } = this;
    const news = service.log.slice(this.position).filter((entry) => matches(this.topic, entry));
    this.position = service.head;
    const sent = [];
    for (const entry of news) {
      if (this.#mayFail(entry, service.faults.omit)) continue;
      if (sent.length > 0 && this.#mayFail(entry, service.faults.reorder)) sent.splice(-1, 0, entry);
      else sent.push(entry);
      if (service.chance(service.faults.duplicate)) sent.push(sent[service.int(sent.length)]);
    }
    for (const { streamId } of news) this.#known.add(streamId);
    for (const entry of sent) this.deliver(entry);
  }

  /**
   * Chance, where a client can notice: of a party not at the first entry of a stream that comes into its view, nor at
   * one that changes whose the stream is; of one event's entries never.
   */
  #mayFail({ streamId, change }, probability) {
    const { event, recipient, sender } = this.topic;
    if (event !== undefined) return false;
    const isOfParty = (recipient ?? sender) !== undefined;
    if (isOfParty && (change || !this.#known.has(streamId))) return false;
    return this.service.chance(probability);
  }
}

class StreamConnection extends Connection {
  #controller;

  constructor(service, topic) {
    super(service, topic);
    this.body = new ReadableStream({ start: (controller) => { this.#controller = controller; } });
    const comment = () => {
      if (!service.connections.has(this)) return;
      this.later(() => this.#write(': ping\n\n'));
      service.timers.setTimeout(comment, 15_000);
    };
    service.timers.setTimeout(comment, 15_000);
  }

  #write(text) {
    if (!this.service.connections.has(this)) return;
    const bytes = new TextEncoder().encode(text);
    const cut = this.service.int(bytes.length);
    for (const piece of [bytes.slice(0, cut), bytes.slice(cut)]) this.#controller.enqueue(piece);
  }

  open(decision) {
    const data = JSON.stringify(decision);
    this.later(() => this.#write(`retry: 3000\nid: ${decision.cursor}\nevent: resume\ndata: ${data}\n\n`));
  }

  deliver(entry) {
    const data = JSON.stringify(entry);
    this.later(() => this.#write(`id: ${entry.cursor}\nevent: ${entry.event}\ndata: ${data}\n\n`));
  }

  notice({ event, ...content }) {
    this.later(() => this.#write(`event: ${event}\ndata: ${JSON.stringify(content)}\n\n`));
  }

  drop(code) {
    if (!this.service.connections.has(this)) return;
    if (code === 4001) this.#write('event: end\ndata: {"code":"TOKEN_EXPIRED","message":"expired"}\n\n');
    else if (code !== 1006) this.#write('event: end\ndata: {"code":"SHUTTING_DOWN","message":"bye"}\n\n');
    this.leave();
    try {
      if (code === 1006) this.#controller.error(new TypeError('terminated'));
      else this.#controller.close();
    } catch {
      // Its reader has left.
    }
  }
}

class FakeSocket extends Connection {
  readyState = 0;

  constructor(service, url) {
    super(service, {});
    this.silent = false;
    this.later(() => {
      if (this.readyState !== 0) return;
      if (url.pathname !== '/ws/streams' || service.chance(service.faults.connect)) return this.drop(1006);
      if (!service.admits(url.searchParams.get('token'))) {
        this.onerror(service.tellsStatus ? { message: 'Unexpected server response: 401' } : {});
        return this.drop(1006);
      }
      this.readyState = 1;
      this.onopen();
    });
  }

  /** From the client. */
  send(text) {
    if (this.readyState !== 1) throw new Error('not open');
    this.later(() => {
      const { type, after = null, streamId, ...topic } = JSON.parse(text);
      if (type === 'ping') return this.#give({ type: 'pong' });
      this.topic = { ...topic, ...(streamId === '*' ? {} : { streamId }) };
      this.begin(after);
    });
  }

  #give(message) {
    if (this.readyState === 1) this.onmessage({ data: JSON.stringify(message) });
  }

  open(decision) {
    this.#give({ type: 'subscribed', ...this.topic, ...decision });
  }

  deliver(entry) {
    this.later(() => this.#give({ type: 'stream_update', cursor: entry.cursor, payload: entry }));
  }

  notice(content) {
    this.later(() => this.#give({ type: 'service', ...content }));
  }

  drop(code) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.leave();
    this.onclose({ code, reason: '' });
  }

  close() {
    this.silent = true;
    this.leave();
    this.readyState = 3;
  }
}
