// A request on its way to an answer. SPEC section 8, "Verifying": the core decides on the signature, this on the rest.
import { readBody } from './body.js';
import { BODY_MAX, keysOf, readOptions } from './options.js';
import { RetryLater } from './retry_later.js';
import { seenKey, seenKeyWithBody } from './seen_key.js';
import { Verifiers } from './verifiers.js';
import { within } from './within.js';

const MESSAGES = {
  missing_secret: 'The receiver has no secret.',
  missing_delivery_id: 'There is no delivery id.',
  missing_timestamp: 'There is no timestamp.',
  missing_signature: 'There is no signature.',
  payload_too_large: 'The body is too large.',
  invalid_timestamp: 'The timestamp is no unix time in seconds.',
  timestamp_outside_tolerance: 'The timestamp is too far from now.',
  signature_mismatch: 'The signature is not that of this delivery.',
  previous_secret_expired: 'The signature is that of a secret which has been replaced.',
  method_not_allowed: 'Deliveries come by POST.',
  body_unreadable: 'The body broke off.',
  body_timeout: 'The body took too long to arrive.',
  body_already_read: 'The body was read before it got here, and its bytes count: put the receiver before body parsers.',
  invalid_json: 'The body is no JSON object.',
  duplicate_delivery: 'This delivery was handled already.',
  store_unavailable: 'The memory of handled deliveries is out of reach.',
  store_failed: 'The event was handled, but that could not be remembered.',
  handler_failed: 'The event was not handled.',
  handler_timeout: 'The event was not handled in time.',
  retry_later: 'The receiver has too much to do.',
  receiver_misconfigured: 'The receiver is not set up well.',
};
const BEING_HANDLED = 'This delivery is being handled.';

// Longer the answer doesn't wait for a claim to be given back: without that, it ends with its lease.
const RELEASE_WAIT_MS = 1000;

const BODY_STATUSES = { body_unreadable: 400, body_timeout: 408, body_already_read: 500 };

// A byte order mark isn't JSON.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The event, or undefined where the body is no JSON object. */
function parseEvent(body) {
  try {
    const event = JSON.parse(utf8.decode(body));
    return typeof event === 'object' && event !== null && !Array.isArray(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

function plainResponse(status, body, headers = []) {
  return {
    status,
    headers: [['content-type', 'application/json'], ['cache-control', 'no-store'], ...headers],
    body: JSON.stringify(body),
  };
}

const retryAfter = (seconds) => ['retry-after', String(seconds)];

/** Where nobody listens, what went wrong on this side must not be lost. */
function reportOnConsole({ code, status, error }) {
  if (status === 500) console.error(`Webhook not accepted: ${code}`, error ?? '');
}

/** How a handler ended: nothing where it ended well, otherwise what is answered. */
async function failureOf(handler) {
  const later = ({ seconds }) => ({ code: 'retry_later', status: 429, headers: [retryAfter(seconds)] });
  try {
    const given = await handler();
    return given instanceof RetryLater ? later(given) : undefined;
  } catch (error) {
    return error instanceof RetryLater ? later(error) : { code: 'handler_failed', status: 500, error };
  }
}

/** What one receiver does; `createReceiver` gives it its shape as a function. */
class Handling {
  #options;
  #verifiers;

  constructor(options, verifiers) {
    this.#options = options;
    this.#verifiers = verifiers;
  }

  async ready(context) {
    await this.#verifiers.prepare(await keysOf(this.#options, context));
  }

  /** Whatever happens is an answer. `partsOf` gives a request's parts; `read` the body as `readBody` does. */
  async answer(partsOf, context) {
    try {
      const { method, header, read } = partsOf();
      if (method !== 'POST') return this.reject('method_not_allowed', 405, context, { headers: [['allow', 'POST']] });
      const keys = await keysOf(this.#options, context);
      const { code, bytes, tooLarge } = await read();
      if (code) return this.refuse(code, context);
      // The core refuses what is too large by its size alone; where that check stands among the others is its to know.
      const body = tooLarge ? new Uint8Array(BODY_MAX + 1) : bytes;
      const now = Math.floor(this.#options.clock() / 1000);
      const verdict = await this.#verifiers.verify(keys, { headers: { get: header }, body, now });
      if (!verdict.ok) return this.reject(verdict.code, verdict.status, context);
      return await this.#accept(verdict, body, context);
    } catch (error) {
      return this.reject('receiver_misconfigured', 500, context, { error });
    }
  }

  /** A delivery whose signature is good: to be handled unless it is known. */
  async #accept({ deliveryId, timestamp }, rawBody, context) {
    const event = parseEvent(rawBody);
    if (event === undefined) return this.reject('invalid_json', 400, context, { deliveryId });
    const { allowLegacy, leaseMs, keepMs, clock } = this.#options;
    let store;
    let id;
    let claimed;
    let askedAt;
    try {
      store = await this.#storeOf(context);
      id = await (allowLegacy ? seenKeyWithBody(deliveryId, rawBody) : seenKey(deliveryId));
      askedAt = clock();
      claimed = await this.#claim(store, id, askedAt);
    } catch (error) {
      return this.#unavailable(deliveryId, context, error);
    }
    switch (claimed.state) {
      case 'done': return this.#duplicate(deliveryId, context);
      case 'busy': return this.#busy(deliveryId, context, claimed.retryAfterMs);
      case 'new': break;
      default: throw new TypeError('seen: what it gave is not the outcome of a claim.');
    }
    const claim = { id, token: claimed.token, keepMs };
    // The lease runs from when the store granted it, which was after it was asked.
    const leftMs = leaseMs - Math.max(0, clock() - askedAt);
    if (leftMs <= 0) {
      await this.#release(store, claim);
      return this.#unavailable(deliveryId, context, new Error('The claim was over when its answer came.'));
    }
    return this.#handle(event, { deliveryId, timestamp, rawBody, context, claim }, store, leftMs);
  }

  async #storeOf(context) {
    const { seen, storeTimeoutMs } = this.#options;
    return typeof seen === 'function' ? within(storeTimeoutMs, () => seen(context)) : seen;
  }

  async #claim(store, id, now) {
    const { leaseMs, keepMs, storeTimeoutMs } = this.#options;
    let asked;
    try {
      return await within(storeTimeoutMs, () => {
        asked = store.claim(id, { leaseMs, keepMs, now });
        return asked;
      });
    } catch (error) {
      // What is granted after that is nobody's.
      Promise.resolve(asked).then((late) => {
        if (late?.state === 'new') return this.#release(store, { id, token: late.token });
      }).catch(() => {});
      throw error;
    }
  }

  #unavailable(deliveryId, context, error) {
    const headers = [retryAfter(this.#options.retryAfterSeconds)];
    return this.reject('store_unavailable', 503, context, { deliveryId, error, headers });
  }

  #duplicate(deliveryId, context) {
    if (this.#options.duplicates === 'ok') return plainResponse(200, { ok: true, duplicate: true });
    return this.reject('duplicate_delivery', 409, context, { deliveryId });
  }

  /** The other copy may be done long before its lease ends. */
  #busy(deliveryId, context, leftMs = 0) {
    const seconds = Math.max(1, Math.min(this.#options.retryAfterSeconds, Math.ceil(leftMs / 1000)));
    const headers = [retryAfter(seconds)];
    return this.reject('duplicate_delivery', 503, context, { deliveryId, message: BEING_HANDLED, headers });
  }

  async #handle(event, delivery, store, leaseLeftMs) {
    const { deliveryId, context, claim } = delivery;
    const failure = await this.#runHandler(event, delivery, leaseLeftMs);
    if (failure === undefined) return this.#complete(store, delivery);
    await this.#release(store, claim);
    return this.reject(failure.code, failure.status, context, { ...failure, deliveryId });
  }

  async #runHandler(event, delivery, leaseLeftMs) {
    const { onEvent, leaseMs } = this.#options;
    const lease = new AbortController();
    let timer;
    const leaseEnd = new Promise((resolve) => {
      timer = setTimeout(() => {
        const error = new Error(`onEvent was not done when its lease of ${leaseMs / 1000} s ended.`);
        resolve({ code: 'handler_timeout', status: 500, error });
        lease.abort(error);
      }, leaseLeftMs);
    });
    try {
      return await Promise.race([failureOf(() => onEvent(event, { ...delivery, signal: lease.signal })), leaseEnd]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Acknowledged is only what is remembered: what the sender then doesn't repeat must not be handled again. */
  async #complete(store, { deliveryId, context, claim: { id, token, keepMs } }) {
    const { clock, storeTimeoutMs } = this.#options;
    try {
      const options = { keepMs, now: clock() };
      const completed = await within(storeTimeoutMs, () => store.complete(id, token, options));
      return completed ? plainResponse(200, { ok: true }) : this.#busy(deliveryId, context);
    } catch (error) {
      await this.#release(store, { id, token });
      return this.reject('store_failed', 500, context, { deliveryId, error });
    }
  }

  async #release(store, { id, token }) {
    try {
      await within(RELEASE_WAIT_MS, () => store.release(id, token, { now: this.#options.clock() }));
    } catch { /* Then the claim ends with its lease, and the next copy is let in after that. */ }
  }

  refuse(code, context) {
    return this.reject(code, BODY_STATUSES[code], context);
  }

  reject(code, status, context, { deliveryId = null, error, message = MESSAGES[code], headers } = {}) {
    const { onReject = reportOnConsole } = this.#options;
    try {
      const told = onReject({ code, status, deliveryId, ...(error === undefined ? {} : { error }) }, context);
      // Its trouble is its own: what the sender is answered doesn't depend on a log.
      if (typeof told?.then === 'function') told.then(undefined, () => {});
    } catch { /* likewise */ }
    return plainResponse(status, { error: code, message }, headers);
  }
}

/**
 * `createReceiver` of an entry.
 * @param {() => Promise<object>} load of the core's entry that verifies
 * @param {string[]} keySources the options that name live keys
 */
export function receiverMaker(load, keySources) {
  return function createReceiver(given) {
    const options = readOptions(given, keySources);
    const { maxBodyBytes, bodyTimeoutSeconds, allowLegacy } = options;
    const handling = new Handling(options, new Verifiers(load, !allowLegacy));

    async function receiver(request, context) {
      const partsOf = () => ({
        method: request.method, header: (name) => request.headers.get(name), read: () => readBody(request, options),
      });
      const { status, headers, body } = await handling.answer(partsOf, context);
      return new Response(body, { status, headers });
    }
    const handle = (request, context) => {
      const partsOf = () => {
        const { method, header, body } = request;
        return { method, header, read: () => (body.byteLength > maxBodyBytes ? { tooLarge: true } : { bytes: body }) };
      };
      return handling.answer(partsOf, context);
    };
    return Object.assign(receiver, {
      handle,
      refuse: (code, context) => handling.refuse(code, context),
      ready: (context) => handling.ready(context),
      maxBodyBytes,
      bodyTimeoutSeconds,
    });
  };
}
