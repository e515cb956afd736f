/** The service's REST answers that the page needs. All addresses are relative to the page: /demo/ is beside /api. */

const PAGE_SIZE = 100;
export const STREAMS_MAX = 1000;

const TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

const address = (path) => new URL(`../${path}`, document.baseURI);

export function feedAddress() {
  const url = address('ws/streams');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

async function get(path, accepted = []) {
  let response;
  try {
    response = await fetch(address(path), {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
    });
  } catch {
    throw new ApiError('The service can’t be reached.', 0);
  }
  if (!response.ok && !accepted.includes(response.status)) {
    const problem = await response.json().catch(() => null);
    const reason = problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`;
    throw new ApiError(reason, response.status);
  }
  return response;
}

/**
 * The newest streams, at most STREAMS_MAX, and the log position as of which the first page was read. Later pages may
 * be newer than that: an entry of the log is applied only where its stream's version is.
 * @param {(loaded: number) => void} onProgress
 */
export async function fetchStreams(onProgress) {
  const streams = [];
  let cursor = null;
  let next = null;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    if (next !== null) query.set('cursor', next);
    const response = await get(`api/streams?${query}`);
    const page = await response.json();
    cursor ??= response.headers.get('x-fluxora-cursor') ?? page.log_cursor ?? null;
    streams.push(...page.streams);
    next = page.has_more ? page.next_cursor : null;
    onProgress(streams.length);
  } while (next !== null && streams.length < STREAMS_MAX);
  return { streams: streams.slice(0, STREAMS_MAX), hasMore: next !== null || streams.length > STREAMS_MAX, cursor };
}

/** One stream, or null where there is none. */
export async function fetchStream(id) {
  const response = await get(`api/streams/${encodeURIComponent(id)}`, [404]);
  return response.status === 404 ? null : response.json();
}

/** The log's entries behind a cursor. */
export async function fetchEvents(after, limit) {
  const response = await get(`api/events?${new URLSearchParams({ after, limit: String(limit) })}`);
  return (await response.json()).events;
}

/** The service's health; it says so with 503 too. */
export async function fetchHealth() {
  return (await get('health', [503])).json();
}
