import { argumentInvalid } from './errors.js';
import { listOf, record } from './plain.js';

// wasm/src/event_input.cpp
const TOPICS_MAX = 64;

/** A contract event's parts, each read once. */
export function readEvent(event) {
  const { topics, value, inSuccessfulContractCall = true } = record(event, 'Not an event.');
  if (!Array.isArray(topics)) throw argumentInvalid('Not an array.', 'topics');
  const texts = [...listOf(topics, 'topics', TOPICS_MAX), value];
  if (!texts.every((text) => typeof text === 'string')) {
    throw argumentInvalid('Topics and value are base64 strings.', 'topics');
  }
  return { texts, topicCount: texts.length - 1, successful: inSuccessfulContractCall ? 1 : 0 };
}

/** Writes an event behind `head` bytes (of 4) of input: its sizes and its texts, and leaves `tail` bytes behind. */
export function inputEvent(memory, { texts }, head = 0, tail = 0) {
  const sizesEnd = head + texts.length * 4;
  const joined = texts.join('');
  const pointer = memory.input(sizesEnd + joined.length * 3 + tail);
  const end = sizesEnd + memory.write(joined, sizesEnd);
  // Base64 is ASCII. Any other text is as many units short of its bytes as it likes: it is refused by the decoder.
  texts.forEach((part, i) => memory.view.setUint32(pointer + head + i * 4, part.length, true));
  return { pointer, sizes: pointer + head, text: pointer + sizesEnd, end: pointer + end };
}
