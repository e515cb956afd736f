// What a feed reads beside its connection: entries of a hole, and the state where entries don't reach back far enough.
import { FluxoraError } from './errors.js';
import { EVENT_MAX } from './event_stream_parser.js';
import { parseMessage } from './feed_messages.js';
import { Disconnected } from './feed_retry.js';
import { HttpExchange } from './http_exchange.js';

/** More streams than anybody wants in one list; who does has a `refetch` of their own. */
const STREAMS_MAX = 100_000;
const STREAMS_A_PAGE = 100;
const ENTRIES_A_PAGE = 200;
const PAGE_MAX = 4 * EVENT_MAX;
const LINE_MAX = 1024 * 1024;

/** An answer, and the log position that it shows: what the log gets behind it is in the feed from there on. */
async function ask(environment, url, init, read) {
  const exchange = new HttpExchange(environment);
  try {
    const cursor = (await exchange.send(url.href, init)).get('x-fluxora-cursor');
    if (cursor === null) {
      throw new FluxoraError('FEED_REFUSED', 'The answer has no X-Fluxora-Cursor, or none that this origin may see.');
    }
    return { cursor, ...await read(exchange) };
  } finally {
    exchange.end();
  }
}

const asJson = async (exchange) => parseMessage(await exchange.text(PAGE_MAX));

async function asLines(exchange) {
  const state = [];
  let rest = '';
  for await (const text of exchange.texts()) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) state.push(parseMessage(line));
    if (state.length > STREAMS_MAX || rest.length > LINE_MAX) {
      throw new FluxoraError('INPUT_TOO_LONG', `More than ${STREAMS_MAX} streams: give a refetch of your own.`);
    }
  }
  if (rest !== '') throw new Disconnected('The export ended within a line.');
  return { state };
}

function withQuery(url, query) {
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Also answered, with none, where there is no such stream. */
async function lookUp(endpoint, streamId, environment) {
  const body = JSON.stringify({ ids: [streamId] });
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const { cursor, streams } = await ask(environment, endpoint('api/streams/lookup'), init, asJson);
  return { cursor, state: streams };
}

/**
 * The streams of a feed's topic, all as they were at `cursor`. Several pages would be of several moments: what isn't on
 * the first page is exported, which is of one.
 */
export async function fetchState({ endpoint, topic: { event, streamId, ...party } }, environment) {
  if (streamId !== undefined) return lookUp(endpoint, streamId, environment);
  const first = withQuery(endpoint('api/streams'), { ...party, limit: STREAMS_A_PAGE });
  const page = await ask(environment, first, {}, asJson);
  if (!page.has_more) return { cursor: page.cursor, state: page.streams };
  return ask(environment, withQuery(endpoint('api/streams/export'), party), {}, asLines);
}

/**
 * A page of the log behind `after`: `{events, has_more, next_cursor, resume}`. Of one stream, where it is named. The
 * log that answers, a replica's perhaps, has reached `minVersion`.
 */
export function fetchEntries({ endpoint, streamId, after, minVersion }, environment) {
  const query = { ...(streamId === undefined ? {} : { streamId }), after, limit: ENTRIES_A_PAGE };
  const init = { headers: { 'x-fluxora-min-version': `${minVersion}` } };
  return ask(environment, withQuery(endpoint('api/events'), query), init, asJson);
}
