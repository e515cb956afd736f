// A receiver's options, with their defaults. A mistake in them is a TypeError at once, not a delivery lost later.
import { memoryStore } from './memory.js';
import { wholeNumber } from './whole_number.js';

// core/include/fluxora/core/webhook_signature.hpp
export const BODY_MAX = 256 * 1024;

function checkType(value, isRight, name, what) {
  if (value !== undefined && !isRight(value)) throw new TypeError(`${name}: not ${what}.`);
}

const isFunction = (value) => typeof value === 'function';
const isObject = (value) => typeof value === 'object' && value !== null;

/** @param {string[]} keySources the options that name keys */
export function readOptions(options, keySources) {
  if (!isObject(options)) throw new TypeError('Not options.');
  const {
    onEvent, onReject, previousSecrets = [], seen = memoryStore(), allowLegacy = false, duplicates = 'ok',
    maxBodyBytes = BODY_MAX, bodyTimeoutSeconds = 15, retryAfterSeconds = 5, storeTimeoutSeconds = 10,
    leaseSeconds = 60, keepSeconds = 7 * 86_400, clock = Date.now, ...others
  } = options;
  const keys = keySources.map((name) => others[name]);
  const unknown = Object.keys(others).find((name) => !keySources.includes(name));
  if (unknown !== undefined) throw new TypeError(`${unknown}: there is no such option.`);
  if (!isFunction(onEvent)) throw new TypeError('onEvent: not a function.');
  checkType(seen, (value) => isFunction(value) || isFunction(value?.claim), 'seen', 'a store, or a function for one');
  checkType(previousSecrets, (value) => isFunction(value) || Array.isArray(value), 'previousSecrets', 'a list');
  checkType(allowLegacy, (value) => typeof value === 'boolean', 'allowLegacy', 'a boolean');
  checkType(duplicates, (value) => value === 'ok' || value === 'conflict', 'duplicates', "'ok' or 'conflict'");
  checkType(clock, isFunction, 'clock', 'a function');
  checkType(onReject, isFunction, 'onReject', 'a function');
  if (Array.isArray(previousSecrets)) previousSecrets.forEach(previousKey);
  return {
    keys,
    previousSecrets,
    onEvent,
    seen,
    allowLegacy,
    duplicates,
    maxBodyBytes: wholeNumber(maxBodyBytes, 1, BODY_MAX, 'maxBodyBytes'),
    bodyTimeoutSeconds: wholeNumber(bodyTimeoutSeconds, 1, 300, 'bodyTimeoutSeconds'),
    retryAfterSeconds: wholeNumber(retryAfterSeconds, 1, 86_400, 'retryAfterSeconds'),
    storeTimeoutMs: wholeNumber(storeTimeoutSeconds, 1, 300, 'storeTimeoutSeconds') * 1000,
    leaseMs: wholeNumber(leaseSeconds, 1, 3_600, 'leaseSeconds') * 1000,
    // A signature is good for 300 s on either side of its time: what is forgotten sooner could be shown again.
    keepMs: wholeNumber(keepSeconds, 600, 31_536_000, 'keepSeconds') * 1000,
    clock,
    onReject,
  };
}

// Seconds are below it until the year 5138; milliseconds have been above it since 1973.
const SECONDS_MAX = 1e11;

/** A previous secret as the core takes it. */
function previousKey(previous) {
  if (!isObject(previous)) throw new TypeError('previousSecrets: not { secret, until }.');
  const { secret, until } = previous;
  const seconds = until instanceof Date ? Math.floor(until.getTime() / 1000) : until;
  const graceEnds = wholeNumber(seconds, 0, SECONDS_MAX, 'previousSecrets: until (a Date, or unix seconds)');
  return { secret, graceEnds };
}

/** Every key that a delivery with this context may be signed with. */
export async function keysOf({ keys, previousSecrets }, context) {
  const given = (source) => (isFunction(source) ? source(context) : source);
  const live = await Promise.all(keys.map(given));
  const previous = await given(previousSecrets);
  return [...live.flat(), ...previous.map(previousKey)];
}
