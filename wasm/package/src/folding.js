import { argumentInvalid } from './errors.js';
import { inputEvent, readEvent } from './event_input.js';
import { bytesOf, lengthOf, record } from './plain.js';
import { toU64 } from './seconds.js';

// wasm/src/folding.cpp: closed_at, seq, ledger, flags, event, stream_id_size, tx_hash, stream_id.
const PLACE_SIZE = 144;
const SEQ = 8;
const LEDGER = 16;
const FLAGS = 20;
const EVENT = 24;
const STREAM_ID_SIZE = 28;
const TX_HASH = 32;
const STREAM_ID = 64;
const HAS_LEDGER = 2;
const HAS_TX_HASH = 4;
// core/include/fluxora/core/contract_event.hpp, EventName: a contract's event is one of any name but the others'.
const CONTRACT_EVENT = 9;
const STREAM_MAX = 4096;

/** A ledger's number. */
export function ledgerOf(value) {
  if (!Number.isInteger(value) || value < 0 || value > 0xFFFFFFFF) throw argumentInvalid('Not a ledger.', 'ledger');
  return value;
}

/** A transaction's hash. */
export function hashOf(value) {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{64}$/.test(value)) throw argumentInvalid('Not a hash.', 'txHash');
  return value;
}

function readPlace(place) {
  const { contractId, ledger, txHash, closedAt, seq } = record(place, 'Not a place.', 'place');
  if (typeof contractId !== 'string' || !/^C[A-Z2-7]{55}$/.test(contractId)) {
    throw argumentInvalid('Not a contract.', 'contractId');
  }
  return { event: CONTRACT_EVENT, streamId: contractId, ledger: ledgerOf(ledger), txHash: hashOf(txHash),
    closedAt: toU64(closedAt, 'closedAt'), seq: toU64(seq, 'seq') };
}

function writePlace(memory, pointer, { event, streamId, ledger, txHash, closedAt, seq }, successful) {
  const { bytes, view } = memory;
  view.setBigUint64(pointer, closedAt, true);
  view.setBigUint64(pointer + SEQ, seq, true);
  view.setUint32(pointer + LEDGER, ledger ?? 0, true);
  view.setUint32(pointer + FLAGS, successful | (ledger === null ? 0 : HAS_LEDGER) | (txHash === null ? 0 : HAS_TX_HASH),
    true);
  view.setUint32(pointer + EVENT, event, true);
  view.setUint32(pointer + STREAM_ID_SIZE, streamId.length, true);
  for (let i = 0; txHash !== null && i < 32; i += 1) {
    bytes[pointer + TX_HASH + i] = parseInt(txHash.slice(2 * i, 2 * i + 2), 16);
  }
  for (let i = 0; i < streamId.length; i += 1) bytes[pointer + STREAM_ID + i] = streamId.charCodeAt(i);
}

/** A stream's canonical bytes, of any length that one can have. */
function readStream(value, field) {
  const bytes = bytesOf(value, field);
  if (lengthOf(bytes) > STREAM_MAX) throw argumentInvalid('Not the bytes of a stream.', field);
  const copy = new Uint8Array(lengthOf(bytes));
  copy.set(bytes);
  return copy;
}

/** A stream after some event. It doesn't change; the next event makes another one. */
export class FoldedStream {
  #memory;
  #bytes;

  constructor(memory, bytes) {
    this.#memory = memory;
    this.#bytes = bytes;
  }

  /** A copy of the canonical bytes. */
  get bytes() {
    return this.#bytes.slice();
  }

  toJson(asOf) {
    const seconds = toU64(asOf, 'asOf');
    const memory = this.#memory;
    const pointer = memory.input(this.#bytes.length);
    memory.area.set(this.#bytes);
    memory.check(memory.exports.fluxora_stream_json(pointer, this.#bytes.length, seconds));
    return memory.outputText();
  }

  /** The bytes themselves, undefined where it is no such stream. */
  static bytesOf(stream) {
    return #bytes in stream ? stream.#bytes : undefined;
  }
}

function bytesBefore(before) {
  if (before === null) return new Uint8Array();
  return FoldedStream.bytesOf(record(before, 'Neither null nor a stream.', 'before')) ?? readStream(before, 'before');
}

/** What a call has made of a stream. */
function readFolded(memory) {
  const given = memory.outputBytes();
  const view = new DataView(given.buffer);
  const streamEnd = 8 + view.getUint32(0, true);
  const childEnd = streamEnd + view.getUint32(4, true);
  const stream = (from, to) => (from === to ? null : new FoldedStream(memory, given.slice(from, to)));
  return {
    stream: stream(8, streamEnd),
    child: stream(streamEnd, childEnd),
    change: JSON.parse(new TextDecoder().decode(given.subarray(childEnd))),
  };
}

/** Folds an event, as readEvent reads it, into the stream of these bytes. */
export function foldInto(memory, held, input, place, field) {
  const { pointer, sizes, text, end } = inputEvent(memory, input, PLACE_SIZE, held.length);
  writePlace(memory, pointer, place, input.successful);
  memory.bytes.set(held, end);
  memory.check(memory.exports.fluxora_fold(end, held.length, text, sizes, input.topicCount, pointer), field);
  return readFolded(memory);
}

/** Moves the stream of these bytes back to what it was: other bytes. */
export function retractInto(memory, held, left, seq) {
  const pointer = memory.input(held.length + left.length);
  memory.bytes.set(held, pointer);
  memory.bytes.set(left, pointer + held.length);
  memory.check(memory.exports.fluxora_retract(pointer, held.length, pointer + held.length, left.length, seq));
  return readFolded(memory);
}

/** The fold, and the streams that it takes and gives. */
export function foldingOf(memory) {
  return {
    fold: (before, event, place) => {
      const held = bytesBefore(before);
      return foldInto(memory, held, readEvent(event), readPlace(place));
    },
    streamFromBytes(bytes) {
      const stream = new FoldedStream(memory, readStream(bytes, 'bytes'));
      stream.toJson(0n);
      return stream;
    },
  };
}
