// The JavaScript client (@fluxora/core/feed) on the real server: over its deaths, restarts and a new log, what the
// client hands out is the log.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { connectFeed } from '../../wasm/package/src/feed.js';
import { load } from '../../wasm/package/src/node.js';
import { disown, own } from '../integration/harness/ownership.js';
import { runCommand } from '../integration/harness/server_process.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { expectedSeqs, readLog } from './harness/log_filter.js';

const JWT_SECRET = 'what the clients of these tests have to show';

const core = await load();
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

/** A program that follows a feed and keeps what it is handed. */
class Follower {
  /** @param {string} url @param {object} options */
  constructor(url, options) {
    /** @type {any[]} */
    this.messages = [];
    /** @type {any[]} */
    this.statuses = [];
    this.ended = null;
    const { all, streamId, recipient, sender, event } = options;
    this.topic = { all, streamId, recipient, sender, event };
    // Chance that is small: short pauses.
    const onStatus = (status) => this.statuses.push(status);
    this.feed = connectFeed({ core, url, WebSocket, random: () => 0.1, onStatus, ...options });
    own(this);
    this.reading = this.read();
  }

  async read() {
    try {
      for await (const message of this.feed) this.messages.push(message);
    } catch (error) {
      this.ended = error;
    }
  }

  get entries() {
    return this.messages.filter(({ type }) => type === 'entry').map(({ entry }) => entry);
  }

  /** The streams as the messages leave them, by what tells one version of them from another. */
  get versions() {
    const streams = new Map();
    const { recipient } = this.topic;
    for (const { type, state, entry } of this.messages) {
      if (type === 'reset') streams.clear();
      for (const { id, version } of type === 'reset' ? state : []) streams.set(id, version);
      const stream = entry?.stream;
      if (stream && (recipient ?? stream.recipient) === stream.recipient) streams.set(entry.streamId, stream.version);
      else if (stream || entry?.event === 'stream.retracted') streams.delete(entry.streamId);
    }
    return streams;
  }

  opened(count) {
    return waitFor(() => this.statuses.filter(({ status }) => status === 'open').length >= count, {
      what: `feed ${JSON.stringify(this.topic)} to open ${count} times`, describe: () => this.statuses.slice(-10),
      giveUp: () => this.ended,
    });
  }

  /** Waits for the entries of the topic after `from`: each once, each stream's in the log's order. */
  async expectLog(from) {
    const isDone = async () => {
      const log = await readLog(stack.db);
      const expected = expectedSeqs(log, this.topic, from);
      // Holes of a party's stream are filled with all there is of it.
      const wanted = new Set(expected);
      const seqs = this.entries.map(({ seq }) => seq);
      assert.equal(new Set(seqs).size, seqs.length, 'each once');
      assert.deepEqual(seqs.filter((seq) => wanted.has(seq)).sort((a, b) => a - b), expected);
      return true;
    };
    await waitFor(isDone, {
      what: `feed ${JSON.stringify(this.topic)} to have the log`, giveUp: () => this.ended,
      describe: () => ({ statuses: this.statuses.slice(-10), entries: this.entries.length }),
    });
    const shown = new Map((await stack.allEvents()).map((entry) => [entry.seq, entry]));
    for (const entry of this.entries) assert.deepEqual(entry, shown.get(entry.seq));
    const last = new Map();
    for (const { seq, streamId } of this.entries) {
      assert.ok(seq > (last.get(streamId) ?? 0), 'a stream’s entries are in order');
      last.set(streamId, seq);
    }
  }

  async end() {
    disown(this);
    await this.feed.close();
    await this.reading;
    assert.equal(this.ended, null);
  }

  endNow() {}
}

async function grow(ledgers = 2) {
  for (let i = 0; i < ledgers; i += 1) {
    stack.runScenario(1, { actionsPerLedger: 5 });
    stack.sim.transferRecipient(BigInt(i), stack.sim.people.recipients[i]);
    stack.sim.closeLedger();
  }
  await stack.settle();
}

describe('over a server that dies', () => {
  before(async () => {
    stack = await startStack({ simulator: { seed: 'javascript client', streams: 15 } });
    await grow();
  });
  after(() => stack.stop());

  for (const transport of ['websocket', 'sse']) {
    test(`${transport}: kill -9, orderly ends, forks`, async () => {
      const { epoch } = await stack.head();
      const [recipient] = stack.sim.people.recipients;
      const [sender] = stack.sim.people.treasuries;
      const topics = [{ all: true }, { streamId: stack.streamId(0) }, { recipient }, { sender },
        { all: true, event: 'stream.updated' }, { recipient, event: 'stream.observed' }];
      const after = `${epoch}-0`;
      const followers = topics.map((topic) => new Follower(stack.baseUrl, { transport, after, ...topic }));
      const all = new Follower(stack.baseUrl, { transport, all: true, snapshot: true });
      await Promise.all([...followers, all].map((follower) => follower.opened(1)));
      for (const end of [() => stack.server.kill9(), () => stack.server.stop(), () => stack.server.kill9()]) {
        await grow();
        await end();
        stack.runScenario(1, { actionsPerLedger: 5 });
        await stack.server.restart({ PORT: String(stack.server.port) });
        await grow();
      }
      stack.sim.fork(2, { content: 'empty' });
      await grow();
      for (const follower of followers) await follower.expectLog(0);
      await waitFor(() => all.feed.cursor === followers[0].feed.cursor, { what: 'the feed that began with a state' });
      assert.deepEqual(all.messages.map(({ type }) => type).filter((type) => type === 'reset'), ['reset']);
      const streams = await stack.allStreams();
      assert.deepEqual([...all.versions].sort(), streams.map(({ id, version }) => [id, version]).sort());
      for (const follower of followers) {
        // One that waits longer may miss a life of the server's.
        await follower.opened(2);
        assert.ok(!follower.statuses.some(({ status }) => status === 'refetching'), 'nothing was lost');
      }
      await Promise.all([...followers, all].map((follower) => follower.end()));
    });
  }

  for (const transport of ['websocket', 'sse']) {
    test(`${transport}: a stream that leaves a party and comes back brings what happened meanwhile`, async () => {
      const active = await stack.allStreams({ status: 'active' });
      const { id: streamId, recipient: there, sender } = active.find(({ asOf, endTime }) => endTime > asOf + 86_400);
      const number = BigInt(streamId.split('-')[1]);
      const elsewhere = stack.sim.people.recipients.find((address) => address !== there);
      const treasuries = stack.sim.people.treasuries.filter((address) => address !== sender);
      const settle = () => {
        stack.sim.closeLedger();
        return stack.settle();
      };
      const give = (recipient) => {
        stack.sim.transferRecipient(number, recipient);
        return settle();
      };
      const { cursor, seq } = await stack.head();
      const follower = new Follower(stack.baseUrl, { transport, recipient: there, after: cursor });
      await follower.opened(1);
      await give(elsewhere);
      for (const treasury of [treasuries[0], sender]) {
        stack.sim.transferSender(number, treasury);
        await settle();
      }
      await give(there);
      await follower.expectLog(seq);
      const history = (await stack.allEvents({ streamId })).filter((entry) => entry.seq > seq);
      assert.deepEqual(history.map(({ kind }) => kind), ['recp_upd', 'sndr_xfr', 'sndr_xfr', 'recp_upd']);
      assert.deepEqual(follower.entries.filter((entry) => entry.streamId === streamId), history);
      await follower.end();
    });
  }

  test('another log takes the place: the state is fetched, and what follows is applied to it', async () => {
    const { cursor } = await stack.head();
    const topics = [{ all: true }, { streamId: stack.streamId(0) }, { recipient: stack.sim.people.recipients[0] }];
    const followers = topics.flatMap((topic) => ['websocket', 'sse'].map(
      (transport) => new Follower(stack.baseUrl, { transport, after: cursor, ...topic })));
    await Promise.all(followers.map((follower) => follower.opened(1)));
    const { code, stdout, stderr } = await runCommand(['replay'], stack.server.env);
    assert.equal(code, 0, `${stdout} ${stderr}`);
    await grow();
    const { epoch } = await stack.head();
    assert.ok(!cursor.startsWith(`${epoch}-`));
    for (const follower of followers) {
      const reset = await waitFor(() => follower.messages.find(({ type }) => type === 'reset'), {
        what: 'the new state', describe: () => follower.statuses.slice(-10), giveUp: () => follower.ended,
      });
      assert.equal(reset.reason, 'epoch_changed');
      assert.ok(reset.cursor.startsWith(`${epoch}-`));
      follower.messages = follower.messages.slice(follower.messages.indexOf(reset));
    }
    await grow();
    for (const follower of followers) {
      await follower.expectLog(Number(follower.messages[0].cursor.split('-')[1]));
      const { streamId, recipient } = follower.topic;
      const streams = (await stack.allStreams(recipient === undefined ? {} : { recipient }))
        .filter(({ id }) => id === (streamId ?? id));
      assert.deepEqual([...follower.versions].sort(), streams.map(({ id, version }) => [id, version]).sort());
    }
    await Promise.all(followers.map((follower) => follower.end()));
  });
});

/** As browsers have it: why a connection failed isn't told. */
class SilentWebSocket extends WebSocket {
  set onerror(/** @type {(event: object) => void} */ listener) {
    super.onerror = () => listener({});
  }
}

describe('where a token is needed', () => {
  before(async () => {
    stack = await startStack({
      simulator: { seed: 'javascript client', streams: 5 }, server: { env: { WS_AUTH_REQUIRED: 'true', JWT_SECRET } },
    });
  });
  after(() => stack.stop());

  const base64url = (value) => Buffer.from(value).toString('base64url');
  const token = (seconds) => {
    const claims = { exp: Math.floor(Date.now() / 1000) + seconds };
    const signed = `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
  };

  test('a WebSocket that doesn’t tell why it failed: the token is found to be refused all the same', async () => {
    const options = { transport: 'websocket', all: true, WebSocket: SilentWebSocket };
    for (const shown of [undefined, 'none', token(-10)]) {
      const refused = new Follower(stack.baseUrl, { ...options, token: shown });
      await refused.reading;
      assert.equal(refused.ended?.code, 'FEED_UNAUTHORIZED');
      assert.equal(refused.ended.cause.status, 401);
      disown(refused);
    }
    const follower = new Follower(stack.baseUrl, { ...options, token: token(600) });
    await follower.opened(1);
    await follower.end();
  });

  for (const transport of ['websocket', 'sse']) {
    test(`${transport}: without one it is refused, with one it goes on over its end`, async () => {
      const refused = new Follower(stack.baseUrl, { transport, all: true });
      await refused.reading;
      assert.equal(refused.ended?.code, 'FEED_UNAUTHORIZED');
      disown(refused);
      const { epoch } = await stack.head();
      /** @type {Follower | undefined} */
      let follower;
      const opens = () => follower?.statuses.filter(({ status }) => status === 'open').length ?? 0;
      const fresh = () => token(opens() < 2 ? 5 : 600);
      follower = new Follower(stack.baseUrl, { transport, all: true, after: `${epoch}-0`, token: fresh });
      await follower.opened(3);
      await grow();
      await follower.expectLog(0);
      // On a machine that stood still for a while one may have run out before it was shown.
      const causes = follower.statuses.map(({ cause }) => cause).filter((cause) => cause && cause.status !== 401);
      assert.deepEqual([...new Set(causes.map(({ code }) => code))], [transport === 'sse' ? 'TOKEN_EXPIRED' : 4001]);
      await follower.end();
    });
  }
});
