import { argumentInvalid } from './errors.js';
import { fetchState } from './feed_reads.js';
import { record } from './plain.js';
import { readEventStream } from './sse_feed.js';
import { readWebSocket } from './websocket_feed.js';

const TOPICS = ['all', 'streamId', 'recipient', 'sender'];
const SCOPES = { all: 'whole_log', streamId: 'stream', recipient: 'party', sender: 'party' };

/** The runtime's own, looked up when they are used. */
const TIMERS = {
  setTimeout: (call, ms) => globalThis.setTimeout(call, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  now: () => Date.now(),
};

function optional(value, type, field) {
  if (value !== undefined && typeof value !== type) throw argumentInvalid(`Not a ${type}.`, field);
  return value;
}

/** Where the service is: gives the addresses of what lies below. */
function endpointsOf(url) {
  let base;
  try {
    base = new URL(url, globalThis.location?.href);
  } catch {
    throw argumentInvalid('Not the address of a service.', 'url');
  }
  if (!/^https?:$/.test(base.protocol)) throw argumentInvalid('Not an address of http or https.', 'url');
  if (base.username !== '' || base.password !== '') throw argumentInvalid('It must not hold a password.', 'url');
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return (path) => new URL(path, base.origin + base.pathname);
}

/** What is followed, as the service's parameters, and how the core looks at it. */
function topicOf(options) {
  const given = TOPICS.filter((name) => options[name] !== undefined);
  if (given.length !== 1) throw argumentInvalid(`Exactly one of ${TOPICS.join(', ')} is needed.`, 'options');
  const [name] = given;
  const { core, event, [name]: value } = options;
  const fits = { all: () => value === true, streamId: () => core.isStreamId(value) };
  const party = () => core.strkey.isStreamParty(value);
  if (!(fits[name] ?? party)()) throw argumentInvalid(name === 'all' ? 'It is true or missing.' : 'Not valid.', name);
  const topic = name === 'all' ? {} : { [name]: value };
  if (optional(event, 'string', 'event') === undefined) return { topic, scope: SCOPES[name] };
  return { topic: { ...topic, event }, scope: 'stream' };
}

function transportOf({ transport, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch }) {
  const chosen = transport ?? (WebSocket === undefined ? 'sse' : 'websocket');
  if (chosen !== 'sse' && chosen !== 'websocket') throw argumentInvalid('One of websocket, sse.', 'transport');
  if (chosen === 'websocket' && typeof WebSocket !== 'function') {
    throw argumentInvalid('This runtime has none: give one, such as npm\'s ws, or use the transport sse.', 'WebSocket');
  }
  if (typeof fetch !== 'function') throw argumentInvalid('This runtime has none: give one.', 'fetch');
  return { read: chosen === 'sse' ? readEventStream : readWebSocket, WebSocket, fetch };
}

/** What to do where entries are missing: the caller's own, nothing (null), or fetching what the service shows. */
function refetchOf({ core, refetch }, endpoint, topic) {
  if (refetch === false) return null;
  if (refetch === undefined) return ({ environment }) => fetchState({ endpoint, topic }, environment);
  if (typeof refetch !== 'function') throw argumentInvalid('A function, or false.', 'refetch');
  return async ({ reason, gap, environment: { signal } }) => {
    const found = record(await refetch({ reason, gap, signal }), 'Not a state.', 'refetch');
    core.cursor.parse(found.cursor);
    return found;
  };
}

/** The options of `connectFeed`, checked and with what was left out. */
export function readFeedOptions(options) {
  const { core, after, snapshot, token, signal } = record(options, 'Not options.', 'options');
  record(core, 'Not a core: what load() of @fluxora/core gives.', 'core');
  const endpoint = endpointsOf(options.url);
  const { topic, scope } = topicOf(options);
  const refetch = refetchOf(options, endpoint, topic);
  optional(snapshot, 'boolean', 'snapshot');
  if (snapshot && after !== undefined) throw argumentInvalid('It begins with a state, or after a cursor.', 'snapshot');
  if (snapshot && refetch === null) throw argumentInvalid('There is none without refetch.', 'snapshot');
  if (after !== undefined) core.cursor.parse(after);
  if (typeof token !== 'function') optional(token, 'string', 'token');
  // Of any realm: an instance of another one's AbortSignal is no instance of ours.
  if (signal !== undefined && typeof record(signal, 'Not an AbortSignal.', 'signal').addEventListener !== 'function') {
    throw argumentInvalid('Not an AbortSignal.', 'signal');
  }
  return {
    core, endpoint, topic, scope, refetch, snapshot, token, signal,
    ...transportOf(options),
    after: after ?? null,
    onStatus: optional(options.onStatus, 'function', 'onStatus'),
    onService: optional(options.onService, 'function', 'onService'),
    random: optional(options.random, 'function', 'random') ?? Math.random,
    timers: options.timers ?? TIMERS,
  };
}
