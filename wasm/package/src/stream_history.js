import { FluxoraError, argumentInvalid } from './errors.js';
import { readEvent } from './event_input.js';
import { FoldedStream, foldInto, hashOf, ledgerOf, retractInto } from './folding.js';
import { record } from './plain.js';
import { toU64 } from './seconds.js';

// core/include/fluxora/core/contract_event.hpp, EventName
const EVENTS = ['stream.created', 'stream.updated', 'stream.cancelled', 'stream.completed', 'stream.cliff_reached',
  'stream.ended', 'stream.observed', 'stream.retracted', 'protocol.event', 'chain.event'];
const RETRACTED = 'stream.retracted';
const TIME = ['stream.cliff_reached', 'stream.ended'];
// What folding an entry can find against it: it stays in the log, and its stream is left alone.
const REFUSALS = /^(EVENT_PAYLOAD|FOLD|OBSERVATION|XDR)_/;
// How many of the newest entries can be undone. Far more than a reorg's.
const UNDONE_MAX = 10_000;
const NOTHING = new Uint8Array();

function closedAtOf(text) {
  const millis = typeof text === 'string' && /^\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z$/.test(text) ? Date.parse(text) : NaN;
  // A day past its month's last becomes one of the next month.
  if (!(millis >= 0) || new Date(millis).toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw argumentInvalid('Not a time such as 2026-03-29T09:31:27Z.', 'closedAt');
  }
  return BigInt(millis / 1000);
}

/** What an entry says: nothing, where it is of time. */
function payloadOf(xdr, inSuccessfulContractCall, isOfTime) {
  if (isOfTime) return { texts: [''], topicCount: 0, successful: 1 };
  const { topics, value } = record(xdr, 'Read the entries with xdr=true.', 'xdr');
  return readEvent({ topics, value, inSuccessfulContractCall });
}

/** An entry's members, each read once. */
function readEntry(entry) {
  const { event, streamId, seq, prevSeq, closedAt, ledger, txHash, retracts, inSuccessfulContractCall, xdr } =
    record(entry, 'Not an entry.', 'entry');
  if (!EVENTS.includes(event)) throw argumentInvalid('Not the name of an event.', 'event');
  const isOfTime = TIME.includes(event);
  const read = { streamId, isOfTime, seq: toU64(seq, 'seq'),
    prevSeq: prevSeq === null ? null : toU64(prevSeq, 'prevSeq') };
  if (event === RETRACTED) return { ...read, retracts: toU64(retracts, 'retracts') };
  return { ...read, event: EVENTS.indexOf(event), closedAt: closedAtOf(closedAt),
    ledger: ledger === null ? null : ledgerOf(ledger), txHash: txHash === null ? null : hashOf(txHash),
    payload: payloadOf(xdr, inSuccessfulContractCall, isOfTime) };
}

const bytesOf = (stream) => (stream === null ? NOTHING : FoldedStream.bytesOf(stream));

/** One stream's log, folded again. */
export class StreamHistory {
  #memory;
  #id;
  #stream = null;
  #seq = null;
  // By an entry's position, what undoing it puts back: a stream, null for none, undefined for what stands then.
  #undone = new Map();

  constructor(memory, id) {
    this.#memory = memory;
    this.#id = id;
  }

  get stream() {
    return this.#stream;
  }

  fold(entry, split = undefined) {
    const read = readEntry(entry);
    if (read.streamId !== this.#id) throw argumentInvalid('Of another stream.', 'streamId');
    if (read.prevSeq !== this.#seq) throw argumentInvalid('Not the stream’s last entry.', 'prevSeq');
    if (this.#seq !== null && read.seq <= this.#seq) throw argumentInvalid('Not above the last one.', 'seq');
    const folded = read.retracts === undefined ? this.#append(read, split) : this.#retract(read);
    this.#stream = folded.stream;
    this.#seq = read.seq;
    return folded;
  }

  #append(entry, split) {
    const before = this.#stream;
    const folded = split === undefined ? this.#apply(entry) : this.#begin(split, entry.seq);
    this.#undone.set(entry.seq, folded.refused !== null || entry.isOfTime ? undefined : before);
    if (this.#undone.size > UNDONE_MAX) this.#undone.delete(this.#undone.keys().next().value);
    return folded;
  }

  #apply(entry) {
    try {
      return { ...foldInto(this.#memory, bytesOf(this.#stream), entry.payload, entry, 'xdr'), refused: null };
    } catch (error) {
      if (!(error instanceof FluxoraError && REFUSALS.test(error.code))) throw error;
      return { stream: this.#stream, child: null, change: {}, refused: error.code };
    }
  }

  /** The entry right behind its parent's, with what that one split off. */
  #begin(split, seq) {
    const bytes = FoldedStream.bytesOf(record(split, 'Not a stream.', 'split'));
    const stream = bytes && new FoldedStream(this.#memory, bytes);
    const { id, version } = stream ? JSON.parse(stream.toJson(0)) : {};
    if (this.#stream !== null || id !== this.#id || BigInt(version) !== seq) {
      throw argumentInvalid('Not the stream that begins here.', 'split');
    }
    return { stream, child: null, change: {}, refused: null };
  }

  #retract({ seq, retracts }) {
    if (!this.#undone.has(retracts)) throw argumentInvalid('Not an entry that stands.', 'retracts');
    const before = this.#undone.get(retracts);
    const left = before === undefined ? this.#stream : before;
    const folded = retractInto(this.#memory, bytesOf(this.#stream), bytesOf(left), seq);
    this.#undone.delete(retracts);
    return { ...folded, refused: null };
  }
}
