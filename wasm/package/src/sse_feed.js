// A feed over server-sent events, read with `fetch`: it can send a token, which EventSource can't.
import { FluxoraError } from './errors.js';
import { EventStreamParser } from './event_stream_parser.js';
import { Disconnected } from './feed_retry.js';
import { parseMessage } from './feed_messages.js';
import { HttpExchange, authorization } from './http_exchange.js';

/** What an event says to the feed; undefined for one that this version doesn't know. */
function messageOf({ name, data }) {
  const content = parseMessage(data);
  switch (name) {
    case 'resume': return { ...content, type: 'opened' };
    case 'service.degraded':
    case 'service.recovered': return { type: 'service', notice: { event: name, ...content } };
    case 'end': throw new Disconnected(`The server ended the feed: ${content.message}`, { code: content.code });
    // An entry's event has the entry's name; one that isn't known yet is an entry all the same.
    default: return typeof content.cursor === 'string' ? { type: 'entry', entry: content } : undefined;
  }
}

/**
 * What a feed's connection brings, until it ends: that is `Disconnected`. It is read no faster than it is asked for.
 * @param {object} request
 * @param {(path: string) => URL} request.endpoint
 * @param {Record<string, string>} request.topic
 * @param {string | null} request.after
 * @param {string} [request.token]
 * @param {{fetch: Function, timers: object, signal: AbortSignal}} environment
 */
export async function* readEventStream({ endpoint, topic, after, token }, environment) {
  const url = endpoint('api/events/stream');
  for (const [name, value] of Object.entries(topic)) url.searchParams.set(name, value);
  if (after !== null) url.searchParams.set('after', after);
  const headers = { accept: 'text/event-stream', ...authorization(token) };

  const parser = new EventStreamParser();
  const exchange = new HttpExchange(environment);
  try {
    const type = (await exchange.send(url.href, { headers })).get('content-type') ?? '';
    if (!/^text\/event-stream\s*(;|$)/i.test(type)) {
      throw new FluxoraError('FEED_REFUSED', `Not an event stream but ${type || 'nothing that has a name'}.`);
    }
    for await (const text of exchange.texts()) {
      for (const event of parser.push(text)) {
        const message = messageOf(event);
        if (message) yield message;
      }
    }
    throw new Disconnected('The feed ended.');
  } catch (trouble) {
    if (trouble instanceof Disconnected) trouble.firstPauseMs = parser.retryMs;
    throw trouble;
  } finally {
    exchange.end();
  }
}
