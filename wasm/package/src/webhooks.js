import { FluxoraError, argumentInvalid } from './errors.js';
import { bytesOf, lengthOf, listOf, reading, record, upTo } from './plain.js';
import { toSecondsOrNow, toU64 } from './seconds.js';

// In the order of wasm/src/webhooks.cpp.
export const NAMES = ['x-fluxora-delivery-id', 'x-fluxora-timestamp', 'x-fluxora-signature',
  'webhook-id', 'webhook-timestamp', 'webhook-signature'];

// core/include/fluxora/core/webhook_signature.hpp
export const BODY_MAX = 256 * 1024;
const KEYS_LISTED_MAX = 256;
// Of a sender's headers: what is longer counts as absent, and names beyond these aren't looked at.
const HEADER_MAX = 16 * 1024;
const HEADER_COUNT_MAX = 1000;

// The area of a call begins with the module's answer; encoding these spaces leaves its place free.
const ANSWER = ' '.repeat(16);

/** One header's value, as `Headers` would give it: several are joined. */
function headerText(value, name) {
  if (value === undefined || value === null) return '';
  const texts = Array.isArray(value) ? upTo(HEADER_COUNT_MAX, value, name) : [value];
  if (texts === undefined) return '';
  if (!texts.every((text) => typeof text === 'string')) {
    throw argumentInvalid('A header is a string or a few of them.', name);
  }
  const text = texts.length === 1 ? texts[0] : texts.join(', ');
  return text.length > HEADER_MAX ? '' : text;
}

/** The six texts. A name in lower case is taken before any other spelling of it. */
function headerTexts(headers) {
  record(headers, 'Not headers.', 'headers');
  const { get } = headers;
  if (typeof get === 'function') return NAMES.map((name) => headerText(Reflect.apply(get, headers, [name]), name));
  const values = NAMES.map((name) => headers[name]);
  if (values.includes(undefined)) {
    for (const key of reading(() => Object.keys(headers), 'headers').slice(0, HEADER_COUNT_MAX)) {
      const at = NAMES.indexOf(key.toLowerCase());
      if (at >= 0) values[at] ??= headers[key];
    }
  }
  return values.map((value, i) => headerText(value, NAMES[i]));
}

/** A body's bytes, or its text, and the most bytes that it can make. */
export function readBody(body) {
  if (typeof body === 'string') return { text: body, atLeast: body.length, atMost: body.length * 3 };
  const bytes = bytesOf(body, 'body');
  const size = lengthOf(bytes);
  return { bytes, atLeast: size, atMost: size };
}

/** Writes a body at a place of the input area; gives its size. */
export function writeBody(memory, { text, bytes }, at) {
  if (text !== undefined) return memory.write(text, at);
  memory.area.set(bytes, at);
  return lengthOf(bytes);
}

/** The keys that are there: environment variables that aren't set are none. */
function listKeys(keys) {
  const list = Array.isArray(keys) ? listOf(keys, 'keys', KEYS_LISTED_MAX) : [keys];
  return list.map((key) => {
    const { secret, graceEnds } = typeof key === 'object' && key !== null ? key : { secret: key };
    if (secret === undefined || secret === null || secret === '') return undefined;
    if (typeof secret !== 'string') throw argumentInvalid('A key is a string.', 'secret');
    const isLive = graceEnds === undefined || graceEnds === null;
    return { secret, isLive, graceEnds: isLive ? 0n : toU64(graceEnds, 'graceEnds') };
  }).filter((key) => key !== undefined);
}

/** The keys of one receiver, held in the module's memory, and the verdict on what it receives. */
class WebhookVerifier {
  #memory;
  #handle;
  #verdicts;
  #requireStandard;

  constructor(memory, handles, verdicts, keys, requireStandard) {
    const { exports } = memory;
    this.#memory = memory;
    this.#verdicts = verdicts;
    this.#requireStandard = requireStandard ? 1 : 0;
    this.#handle = handles.hold(this, exports.fluxora_verifier_create, exports.fluxora_verifier_destroy);
    try {
      for (const key of keys) this.#add(key);
    } catch (error) {
      this.#handle.dispose();
      throw error;
    }
  }

  #add({ secret, isLive, graceEnds }) {
    const { exports } = this.#memory;
    const isPublic = secret.startsWith('whpk_');
    if (isPublic && !exports.fluxora_verifier_add_public_key) {
      throw new FluxoraError('KEY_UNSUPPORTED', 'A public key (whpk_) needs @fluxora/core/ed25519.');
    }
    const add = isPublic ? exports.fluxora_verifier_add_public_key : exports.fluxora_verifier_add_secret;
    const { text, size } = this.#memory.inputText(secret);
    this.#memory.check(add(this.#handle.pointer, text, size, isLive ? 0 : 1, graceEnds));
  }

  verify(delivery) {
    const { headers, body, now } = record(delivery, 'Not a delivery.');
    const texts = headerTexts(headers);
    const seconds = toSecondsOrNow(now, 'now');
    const content = readBody(body);
    const memory = this.#memory;
    const handle = this.#handle.pointer;

    const head = ANSWER + texts[0] + texts[1] + texts[2] + texts[3] + texts[4] + texts[5];
    // A body above the bound is refused by its size alone.
    const isTooLarge = content.atLeast > BODY_MAX;
    const pointer = memory.input(head.length * 3 + (isTooLarge ? 0 : content.atMost));
    let end = memory.write(head, 0);
    const isAscii = end === head.length;
    let sizes = texts.map((text) => text.length);
    if (!isAscii) {
      // Each by itself: halves of a character at two texts' meeting ends are one character in `head`.
      end = ANSWER.length;
      sizes = texts.map((text) => {
        const written = memory.write(text, end);
        end += written;
        return written;
      });
    }
    const size = isTooLarge ? BODY_MAX + 1 : writeBody(memory, content, end);
    const number = memory.exports.fluxora_verifier_verify(handle, pointer, sizes[0], sizes[1], sizes[2], sizes[3],
      sizes[4], sizes[5], size, seconds, this.#requireStandard);
    if (number !== 0) return this.#verdicts[number];

    const { view } = memory;
    const begin = ANSWER.length + view.getUint32(pointer, true);
    const idSize = view.getUint32(pointer + 4, true);
    const { ok, code, status } = this.#verdicts[0];
    return Object.freeze({
      ok,
      code,
      status,
      deliveryId: isAscii ? head.slice(begin, begin + idSize) : memory.text(pointer + begin, idSize),
      timestamp: view.getUint32(pointer + 12, true) * 2 ** 32 + view.getUint32(pointer + 8, true),
    });
  }

  dispose() {
    this.#handle.dispose();
  }
}

/** Every verdict as the plain result of a delivery that isn't accepted, by its number. */
function readVerdicts(memory) {
  const verdicts = [];
  for (;;) {
    const status = memory.exports.fluxora_verdict(verdicts.length);
    if (status === 0) return verdicts;
    const code = memory.outputText();
    verdicts.push(Object.freeze({ ok: code === 'ok', code, status, deliveryId: null, timestamp: null }));
  }
}

/** Verifying alone: what every module can. */
export function verifyingOf(memory, handles) {
  const verdicts = readVerdicts(memory);
  return {
    verifier(keys, options = {}) {
      const { requireStandard = false } = record(options, 'Not options.', 'options');
      if (typeof requireStandard !== 'boolean') throw argumentInvalid('Not a boolean.', 'requireStandard');
      return new WebhookVerifier(memory, handles, verdicts, listKeys(keys), requireStandard);
    },
  };
}
