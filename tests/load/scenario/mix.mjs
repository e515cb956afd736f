// The requests of the mix: how often each comes, what it asks, and what its answer has to be.
import { setTimeout as sleep } from 'node:timers/promises';

/** Shares, of whatever sum. */
const READS = {
  'one stream': 42,
  list: 8,
  'list of a party': 6,
  'page of the log': 7,
  'events of a stream': 6,
  lookup: 4,
  account: 4,
  statement: 1,
  schedule: 3,
  health: 1,
};
const WRITES = { creation: 10, 'creation again': 2, 'pause or resume': 4, cancellation: 2 };
/** What makes a server work: where the staircase is to have an end. */
const HEAVY = { 'page of the log': 20, statement: 4, schedule: 10, 'list with total': 4, export: 1 };

/**
 * What a server of someone's is written to, at most: its limit counts all of ours as one client's, 100 in 10 s unless
 * told.
 */
const GUEST_WRITES_PER_SECOND = 5;

const sum = (weights) => Object.values(weights).reduce((total, weight) => total + weight, 0);

/**
 * @param {{scenario: string, writes: boolean, url?: string}} options
 * @param {number} rate requests a second
 * @returns {Record<string, number>}
 */
export function weightsOf({ scenario, writes, url }, rate) {
  const reads = scenario === 'stress' ? { ...READS, ...HEAVY } : READS;
  if (!writes) return reads;
  // Which weight all writes may have together, so that they are that many of `rate`.
  const most =
    rate <= GUEST_WRITES_PER_SECOND
      ? Infinity
      : (GUEST_WRITES_PER_SECOND * sum(reads)) / (rate - GUEST_WRITES_PER_SECOND);
  const share = url === undefined ? 1 : Math.min(1, most / sum(WRITES));
  return { ...reads, ...Object.fromEntries(Object.entries(WRITES).map(([name, weight]) => [name, weight * share])) };
}

const RATE_PER_SECOND = '0.0116000';
/** A stranger's server counts its clients by where they come from; ours believes what we say of that. */
const CLIENTS = 500;
const GREEDY_CLIENT = '10.8.0.1';
/** Creations of which one goes to a recipient whom feeds follow. */
const FOLLOWED_ONE_IN = 5;
const CREATION_TRIES = 5;
/** Longest that a creation waits before its next try: a server may ask for more. */
const MAX_PAUSE_S = 5;
const pauseAfter = ({ headers }) => sleep(1000 * Math.min(MAX_PAUSE_S, Number(headers['retry-after'] ?? 1)));
const HEAVY_PAGE = 1_000;
const CREATED_FIELDS = ['sender', 'recipient', 'depositAmount', 'ratePerSecond'];

export class Mix {
  /**
   * @param {object} parts
   * @param {import('./client.mjs').Client} parts.client
   * @param {import('./world.mjs').World} parts.world
   * @param {import('./recorder.mjs').Recorder} parts.recorder
   * @param {import('./random.mjs').Random} parts.random
   * @param {Record<string, number>} parts.weights
   * @param {boolean} parts.heavy
   * @param {boolean} parts.manyClients says on whose behalf each request comes
   * @param {(id: string, due: number) => void} parts.onCreated
   * @param {string} parts.run distinguishes the Idempotency-Keys of two runs
   */
  constructor(parts) {
    Object.assign(this, parts);
    /** Creations whose end isn't known yet, or that aren't read back. @type {Set<Promise<void>>} */
    this.settling = new Set();
    this.kinds = {
      'one stream': () => this.oneStream(),
      list: () => this.list('/api/streams?limit=20'),
      'list of a party': () => this.list(`/api/streams?limit=20&recipient=${this.random.oneOf(this.world.recipients)}`),
      'list with total': () => this.list('/api/streams?limit=20&include_total=true'),
      'page of the log': () =>
        this.read(`/api/events?after=${this.world.cursors.any()}&limit=${this.heavy ? HEAVY_PAGE : 100}`, 'events'),
      'events of a stream': () => this.read(`/api/streams/${this.world.streams.any()}/events?limit=20`, 'events'),
      lookup: () => this.lookup(),
      account: () => this.read(`/api/accounts/${this.random.oneOf(this.world.recipients)}`, 'account'),
      statement: () => this.read(`/api/accounts/${this.random.oneOf(this.world.recipients)}/statement`, 'lines'),
      schedule: () =>
        this.read(`/api/streams/${this.world.streams.any()}/schedule?points=${this.heavy ? HEAVY_PAGE : 50}`, 'points'),
      export: () => this.read('/api/streams/export'),
      health: () => this.read('/health', 'status'),
      creation: (due) => this.create(due),
      'creation again': (due) => this.createAgain(due),
      'pause or resume': (due) => this.pauseOrResume(due),
      cancellation: (due) => this.cancel(due),
    };
  }

  /** One request of the mix, due at that moment. @param {number} due of performance.now() */
  async send(due) {
    await this.#sendKind(this.#possible(this.random.weighted(this.weights)), due);
  }

  /** A creation instead, where nothing is there yet to be changed or all of it is being changed. */
  #possible(kind) {
    const { creations, idle, paused } = this.world;
    const subjects = {
      'creation again': creations.size,
      'pause or resume': idle.size + paused.size,
      cancellation: idle.size,
    };
    return subjects[kind] === 0 ? 'creation' : kind;
  }

  /** Each kind at least once, one after another. */
  async sendEach() {
    const kinds = Object.keys(this.weights);
    // One to be paused, one to be cancelled.
    for (const kind of [...kinds.filter((name) => name === 'creation'), ...kinds]) {
      await this.#sendKind(kind, performance.now());
      await this.settled();
    }
  }

  /** What became of all creations is known. */
  async settled() {
    while (this.settling.size > 0) await Promise.all(this.settling);
  }

  async #sendKind(kind, due) {
    this.#take(kind, await this.kinds[kind](due), due);
  }

  #take(kind, { outcome, trouble }, due) {
    this.recorder.add(kind, outcome, performance.now() - due);
    if (outcome !== 'ok') this.recorder.error(`${kind}: ${trouble}`);
  }

  #ask(request) {
    const headers = this.manyClients ? { 'x-forwarded-for': this.#anyClient(), ...request.headers } : request.headers;
    return this.client.send({ ...request, headers });
  }

  #anyClient() {
    const number = this.random.below(CLIENTS);
    return `10.7.${number >> 8}.${number & 255}`;
  }

  /** `member`: what the answer's JSON has to have. */
  async read(path, member) {
    const answer = await this.#ask({ path });
    if (answer.outcome === 'ok' && member !== undefined && answer.json?.[member] === undefined)
      this.world.note(`${path} has no ${member}`);
    return answer;
  }

  async oneStream() {
    const id = this.world.streams.any();
    const answer = await this.#ask({ path: `/api/streams/${id}` });
    if (answer.outcome === 'ok' && answer.json?.id !== id)
      this.world.note(`${id} was asked for, ${answer.json?.id} was the answer`);
    return answer;
  }

  async list(path) {
    const answer = await this.read(path, 'streams');
    if (answer.outcome === 'ok') for (const { id } of answer.json.streams.slice(0, 2)) this.world.streams.add(id);
    return answer;
  }

  async lookup() {
    const ids = [...new Set(Array.from({ length: 20 }, () => this.world.streams.any()))];
    const answer = await this.#ask({ path: '/api/streams/lookup', method: 'POST', body: { ids } });
    if (answer.outcome === 'ok' && answer.json.streams.length !== ids.length)
      this.world.note(`lookup misses ${answer.json.missing}`);
    return answer;
  }

  create(due) {
    const headers = this.manyClients ? { 'x-forwarded-for': this.#anyClient() } : {};
    return this.#create(headers, due);
  }

  /** A creation of one client's who is never content. @param {number} due */
  async sendGreedily(due) {
    const answer = await this.#create({ 'x-forwarded-for': GREEDY_CLIENT }, due);
    this.#take('creation of a greedy client', answer, due);
  }

  async #create(headers, due) {
    const { world } = this;
    world.created += 1;
    const body = {
      sender: this.random.oneOf(world.senders),
      recipient: this.random.oneOf(this.random.below(FOLLOWED_ONE_IN) === 0 ? world.followed : world.recipients),
      depositAmount: `${1000 + (world.created % 9000)}.5000000`,
      ratePerSecond: RATE_PER_SECOND,
    };
    const creation = { key: `load-${this.run}-${world.created}`, body, headers, id: '' };
    const first = await this.#post(creation);
    const settled = this.#settle(creation, first, due).finally(() => this.settling.delete(settled));
    this.settling.add(settled);
    return first;
  }

  #post({ key, body, headers }) {
    const request = {
      path: '/api/streams',
      method: 'POST',
      body,
      headers: { ...headers, 'idempotency-key': key },
      expected: [201],
    };
    return this.client.send(request);
  }

  /**
   * Tries a creation again with its key until it is known what became of it, and reads the stream back. Nobody's request of
   * the mix: these are counted as kinds of their own.
   */
  async #settle(creation, first, due) {
    let answer = first;
    for (let tries = 1; answer.status !== 201 && answer.status !== 429 && tries < CREATION_TRIES; tries += 1) {
      await pauseAfter(answer);
      const begun = performance.now();
      answer = await this.#post(creation);
      this.#take('creation, tried again', answer, begun);
    }
    if (answer.status === 429) return;
    if (answer.status !== 201) {
      this.world.unclear.created += 1;
      return;
    }
    this.world.acknowledged.created += 1;
    const { id, version } = answer.json;
    this.onCreated(id, due);
    await this.#readBack({ ...creation, id }, version);
  }

  /** What was created is there, as it was sent, for whoever names its version. */
  async #readBack(creation, version) {
    const { world } = this;
    const headers = { 'x-fluxora-min-version': `${version}` };
    const read = async () => {
      const begun = performance.now();
      const answer = await this.#ask({ path: `/api/streams/${creation.id}`, headers });
      this.#take('read back', answer, begun);
      return answer;
    };
    let answer = await read();
    for (let tries = 1; answer.outcome === 'refused' && tries < CREATION_TRIES; tries += 1) {
      await pauseAfter(answer);
      answer = await read();
    }
    if (answer.outcome !== 'ok') return;
    const differs = CREATED_FIELDS.filter((name) => answer.json[name] !== creation.body[name]);
    if (differs.length > 0 || answer.json.version !== version)
      world.note(`${creation.id} was read back with other ${differs}`);
    world.readBack += 1;
    world.streams.add(creation.id);
    if (creation.headers['x-forwarded-for'] !== GREEDY_CLIENT) world.creations.add(creation);
    world.idle.add(creation.id);
  }

  async createAgain() {
    const creation = this.world.creations.any();
    const answer = await this.#post(creation);
    const replayed = answer.headers['idempotency-replayed'] === 'true' && answer.json?.id === creation.id;
    if (answer.outcome === 'ok' && !replayed) this.world.note(`the key of ${creation.id} made ${answer.json?.id}`);
    return answer;
  }

  async pauseOrResume() {
    const { idle, paused } = this.world;
    const pauses = paused.size === 0 || (idle.size > 0 && this.random.below(2) === 0);
    const [from, to, status] = pauses ? [idle, paused, 'paused'] : [paused, idle, 'active'];
    const id = from.take();
    const answer = await this.#ask({ path: `/api/streams/${id}`, method: 'PATCH', body: { status } });
    this.#countChange(pauses ? 'paused' : 'resumed', answer);
    if (answer.outcome === 'ok' && answer.json.status !== status)
      this.world.note(`${id} became ${answer.json.status}, not ${status}`);
    // Of one whose change is unclear nobody knows what it is now.
    if (answer.outcome === 'ok') to.add(id);
    else if (answer.status === 429) from.add(id);
    return answer;
  }

  async cancel() {
    const id = this.world.idle.take();
    const answer = await this.#ask({ path: `/api/streams/${id}`, method: 'DELETE' });
    this.#countChange('cancelled', answer);
    if (answer.outcome === 'ok' && answer.json.status !== 'cancelled')
      this.world.note(`${id} became ${answer.json.status}, not cancelled`);
    if (answer.status === 429) this.world.idle.add(id);
    return answer;
  }

  #countChange(kind, { outcome, status }) {
    if (outcome === 'ok') this.world.acknowledged[kind] += 1;
    else if (status !== 429) this.world.unclear[kind] += 1;
  }
}
