import { argumentInvalid } from './errors.js';
import { inputEvent, readEvent } from './event_input.js';
import { bytesOf, lengthOf, record } from './plain.js';
import { toU64 } from './seconds.js';

// wasm/src/folding.cpp: closed_at, seq, ledger, in_successful_call, tx_hash, contract_id.
const PLACE_SIZE = 112;
const SEQ = 8;
const LEDGER = 16;
const SUCCESSFUL = 20;
const TX_HASH = 24;
const CONTRACT_ID = 56;
const STREAM_MAX = 4096;

function readPlace(place) {
  const { contractId, ledger, txHash, closedAt, seq } = record(place, 'Not a place.', 'place');
  if (typeof contractId !== 'string' || !/^C[A-Z2-7]{55}$/.test(contractId)) {
    throw argumentInvalid('Not a contract.', 'contractId');
  }
  if (!Number.isInteger(ledger) || ledger < 0 || ledger > 0xFFFFFFFF) throw argumentInvalid('Not a ledger.', 'ledger');
  if (typeof txHash !== 'string' || !/^[0-9a-fA-F]{64}$/.test(txHash)) throw argumentInvalid('Not a hash.', 'txHash');
  return { contractId, ledger, txHash, closedAt: toU64(closedAt, 'closedAt'), seq: toU64(seq, 'seq') };
}

function writePlace(memory, pointer, { contractId, ledger, txHash, closedAt, seq }, successful) {
  const { bytes, view } = memory;
  view.setBigUint64(pointer, closedAt, true);
  view.setBigUint64(pointer + SEQ, seq, true);
  view.setUint32(pointer + LEDGER, ledger, true);
  view.setUint32(pointer + SUCCESSFUL, successful, true);
  for (let i = 0; i < 32; i += 1) bytes[pointer + TX_HASH + i] = parseInt(txHash.slice(2 * i, 2 * i + 2), 16);
  for (let i = 0; i < contractId.length; i += 1) bytes[pointer + CONTRACT_ID + i] = contractId.charCodeAt(i);
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
class FoldedStream {
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

/** The fold, and the streams that it takes and gives. */
export function foldingOf(memory) {
  return {
    fold(before, event, place) {
      const held = bytesBefore(before);
      const input = readEvent(event);
      const where = readPlace(place);
      const { pointer, sizes, text, end } = inputEvent(memory, input, PLACE_SIZE, held.length);
      writePlace(memory, pointer, where, input.successful);
      memory.bytes.set(held, end);
      memory.check(memory.exports.fluxora_fold(end, held.length, text, sizes, input.topicCount, pointer));
      const given = memory.outputBytes();
      const view = new DataView(given.buffer);
      const streamEnd = 8 + view.getUint32(0, true);
      const childEnd = streamEnd + view.getUint32(4, true);
      return {
        stream: new FoldedStream(memory, given.slice(8, streamEnd)),
        child: childEnd === streamEnd ? null : new FoldedStream(memory, given.slice(streamEnd, childEnd)),
        change: JSON.parse(new TextDecoder().decode(given.subarray(childEnd))),
      };
    },
    streamFromBytes(bytes) {
      const stream = new FoldedStream(memory, readStream(bytes, 'bytes'));
      stream.toJson(0n);
      return stream;
    },
  };
}
