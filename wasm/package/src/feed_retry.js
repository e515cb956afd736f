// When a feed tries again, and when that is of no use.
import { FluxoraError } from './errors.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A client that sent too much, or of an address with too many feeds, stays away for so long. */
const LONG_PAUSE_MS = 60_000;
/** A server that restarts loses all its clients at once: they come back over some time. */
const RESTART_PAUSE_MS = 2_000;
const RETRY_AFTER_MAX_MS = 3_600_000;

// docs/http-api.md, "Feeds": what a WebSocket's close codes and an event stream's last event say.
const TOKEN_EXPIRED = [4001, 'TOKEN_EXPIRED'];
const RESTARTS = [1001, 1012, 1013, 'SHUTTING_DOWN', 'EPOCH_CHANGED', 'UNAVAILABLE'];
const TOO_MUCH = [1008];
/** Of 4xx, those that another try can change. */
const PASSING_STATUSES = [401, 408, 409, 425, 429];

/**
 * A connection that ended or didn't come about, or a request without an answer. It doesn't leave the feed but as a
 * status's cause.
 */
export class Disconnected extends Error {
  /**
   * @param {string} message
   * @param {object} [about]
   * @param {number | string} [about.code] a WebSocket's close code, or that of an event stream's last event
   * @param {number} [about.status] of an HTTP answer
   * @param {number} [about.retryAfterMs] the least pause that the server asked for
   * @param {number} [about.firstPauseMs] what pauses begin at, where the server asked for longer ones
   * @param {boolean} [about.atOnce] there is no reason to wait, unless it happens again and again
   * @param {unknown} [about.cause]
   */
  constructor(message, { cause, ...about } = {}) {
    super(message, { cause });
    this.name = 'Disconnected';
    Object.assign(this, about);
  }

  /** The server wants another token. */
  get isUnauthorized() {
    return this.status === 401 || TOKEN_EXPIRED.includes(this.code);
  }

  /** What no other try can change, as an error for whoever follows the feed. */
  get refusal() {
    const { status } = this;
    const isFinal = status !== undefined && status < 500 && !PASSING_STATUSES.includes(status);
    return isFinal ? new FluxoraError('FEED_REFUSED', this.message, { cause: this }) : undefined;
  }
}

/** What an HTTP answer that isn't the one hoped for says. */
export function disconnectedBy(response, text) {
  let detail;
  try {
    ({ detail } = JSON.parse(text));
  } catch {
    // Whoever stands between may answer in any form.
  }
  const seconds = response.headers.get('retry-after') ?? '';
  const isNumber = /^[0-9]{1,9}$/.test(seconds);
  const retryAfterMs = isNumber ? Math.min(parseInt(seconds, 10) * 1000, RETRY_AFTER_MAX_MS) : undefined;
  const message = `Answered with ${response.status}${typeof detail === 'string' ? `: ${detail}` : ''}`;
  return new Disconnected(message, { status: response.status, retryAfterMs });
}

/** The pauses between tries: they double up to a bound, and chance spreads clients that lost the same server. */
export class Backoff {
  #failures = 0;
  #hasHurried = false;
  #random;

  constructor(random) {
    this.#random = random;
  }

  /** It worked for a while: the next pause is a first one. */
  reset() {
    this.#failures = 0;
    this.#hasHurried = false;
  }

  /** The pause in ms before the next try. @param {Disconnected} trouble */
  next(trouble) {
    const { code, status, retryAfterMs = 0, atOnce, firstPauseMs = 0 } = trouble;
    if (atOnce && !this.#hasHurried) {
      this.#hasHurried = true;
      return 0;
    }
    this.#failures += 1;
    const first = Math.max(firstPauseMs, RESTARTS.includes(code) ? RESTART_PAUSE_MS : FIRST_PAUSE_MS);
    const most = Math.min(first * 2 ** Math.min(this.#failures - 1, 16), LONGEST_PAUSE_MS);
    const least = TOO_MUCH.includes(code) || status === 429 ? Math.max(retryAfterMs, LONG_PAUSE_MS) : retryAfterMs;
    return Math.round(least + this.#random() * most);
  }
}
