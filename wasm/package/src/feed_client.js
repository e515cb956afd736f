import { argumentInvalid } from './errors.js';
import { record } from './plain.js';
import { toU64 } from './seconds.js';

// core/include/fluxora/core/feed_client.hpp and cursor.hpp
const SCOPES = ['whole_log', 'stream', 'party'];
const ACTIONS = ['apply', 'drop', 'ask', 'refetch'];
const RESUMES = ['live', 'resumed', 'gap', 'epoch_changed'];

function numberOf(names, name, field) {
  const number = names.indexOf(name);
  if (number < 0) throw argumentInvalid(`One of ${names.join(', ')}.`, field);
  return number;
}

/** What a feed's client does with what arrives: what to apply, what to drop, what to ask for. */
export class FeedClient {
  #memory;
  #handle;

  /** Made by `FluxoraCore.feedClient()`. */
  constructor(memory, handles, options) {
    const { scope, from = null } = record(options, 'Not options.', 'options');
    const number = numberOf(SCOPES, scope, 'scope');
    const { exports } = memory;
    this.#memory = memory;
    this.#handle = handles.hold(this, () => {
      const { pointer, text, size } = memory.inputText(from ?? '', 8, 'from');
      memory.check(exports.fluxora_feed_create(number, text, size, pointer));
      return memory.view.getUint32(pointer, true);
    }, exports.fluxora_feed_destroy);
  }

  get cursor() {
    this.#memory.check(this.#memory.exports.fluxora_feed_cursor(this.#handle.pointer));
    return this.#memory.outputText() || null;
  }

  opened(answer) {
    const { resume, cursor } = record(answer, 'Not an answer.');
    const outcome = numberOf(RESUMES, resume, 'resume');
    const memory = this.#memory;
    const { pointer, text, size } = memory.inputText(cursor, 8, 'cursor');
    memory.check(memory.exports.fluxora_feed_opened(this.#handle.pointer, outcome, text, size, pointer), 'cursor');
    return memory.view.getUint32(pointer, true) === 1;
  }

  entry(entry) {
    const { cursor, streamId, prevSeq } = record(entry, 'Not an entry.');
    if (typeof cursor !== 'string') throw argumentInvalid('Not a string.', 'cursor');
    const id = streamId ?? '';
    if (typeof id !== 'string') throw argumentInvalid('Not a string.', 'streamId');
    const isFirst = prevSeq === undefined || prevSeq === null;
    const prev = isFirst ? 0n : toU64(prevSeq, 'prevSeq');
    const memory = this.#memory;
    const pointer = memory.input(8 + (cursor.length + id.length) * 3);
    const cursorSize = memory.write(cursor, 8);
    const idSize = memory.write(id, 8 + cursorSize);
    memory.check(memory.exports.fluxora_feed_entry(this.#handle.pointer, pointer + 8, cursorSize, idSize,
      isFirst ? 0 : 1, prev, pointer), 'entry');
    return this.#step(pointer);
  }

  replayed(resume) {
    const outcome = numberOf(RESUMES, resume, 'resume');
    const pointer = this.#memory.input(8);
    this.#memory.check(this.#memory.exports.fluxora_feed_replayed(this.#handle.pointer, outcome, pointer));
    return this.#step(pointer);
  }

  refetched(cursor) {
    const { text, size } = this.#memory.inputText(cursor, 0, 'cursor');
    this.#memory.check(this.#memory.exports.fluxora_feed_refetched(this.#handle.pointer, text, size), 'cursor');
  }

  dispose() {
    this.#handle.dispose();
  }

  /** What to do: for `ask`, also which entries. */
  #step(pointer) {
    const action = ACTIONS[this.#memory.view.getUint32(pointer, true)];
    return action === 'ask' ? { action, ...JSON.parse(this.#memory.outputText()) } : { action };
  }
}
