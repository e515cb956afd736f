// A recorded piece of a real network: its ledgers and events, and the stretches between them, which
// are made up on demand (they can be millions of ledgers long).
import { readFileSync } from 'node:fs';
import { formatCursor, parseCursor } from './event_cursor.js';
import { buildLedger, parseHeaderEntry } from './ledger_header.js';
import { digest } from './prng.js';

/** Made-up ledgers are hashed in runs of this length, so that one costs at most this many hashes. */
const RUN = 256;
const KEPT_RUNS = 16;

/** @typedef {import('./ledger_header.js').Ledger} Ledger */

function parseLines(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${path}: ${error.message}`);
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line)];
    } catch {
      throw new Error(`${path}:${index + 1} is not JSON`);
    }
  });
}

/** What the server sends of an event, in its order; anything else in the recording stays behind. */
function eventItem(item, where) {
  const ledger = Number(item.ledger);
  const missing = ['id', 'contractId', 'txHash', 'topic', 'value', 'ledgerClosedAt'].find((name) => item[name] === undefined);
  if (missing) throw new Error(`${where} has no ${missing}`);
  const cursor = parseCursor(item.id);
  if (cursor.ledger !== ledger) throw new Error(`${where}: event id ${item.id} is not of ledger ${ledger}`);
  return {
    type: item.type ?? 'contract',
    ledger,
    ledgerClosedAt: item.ledgerClosedAt,
    contractId: item.contractId,
    id: formatCursor(cursor),
    operationIndex: item.operationIndex ?? cursor.op,
    transactionIndex: item.transactionIndex ?? cursor.tx,
    inSuccessfulContractCall: item.inSuccessfulContractCall ?? true,
    txHash: item.txHash,
    topic: item.topic,
    value: item.value,
  };
}

export class RecordedHistory {
  /**
   * @param {object} options
   * @param {string} options.eventsFile getEvents items, one a line
   * @param {string} [options.ledgersFile] `{headerXdr}` (LedgerHeaderHistoryEntry), one a line
   * @param {string | number} options.seed
   */
  constructor({ eventsFile, ledgersFile, seed }) {
    this.seed = seed;
    /** @type {Map<number, object[]>} */
    this.events = new Map();
    parseLines(eventsFile).forEach((item, index) => {
      const event = eventItem(item, `${eventsFile}:${index + 1}`);
      const siblings = this.events.get(event.ledger);
      if (siblings) siblings.push(event);
      else this.events.set(event.ledger, [event]);
    });
    if (this.events.size === 0) throw new Error(`${eventsFile} holds no events`);
    for (const events of this.events.values()) events.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

    /** @type {Map<number, Ledger>} */
    this.ledgers = new Map();
    const first = Math.min(...this.events.keys());
    const last = Math.max(...this.events.keys());
    const headers = ledgersFile ? parseLines(ledgersFile).map((line) => parseHeaderEntry(line.headerXdr)) : [];
    for (const ledger of headers) {
      if (ledger.sequence >= first && ledger.sequence <= last) this.ledgers.set(ledger.sequence, ledger);
    }
    for (const [sequence, events] of this.events) {
      if (!this.ledgers.has(sequence)) this.ledgers.set(sequence, this.#withoutHeader(sequence, events[0]));
    }
    this.sequences = [...this.ledgers.keys()].sort((a, b) => a - b);
    this.#checkTimes();
    /** @type {Map<number, Map<number, Ledger>>} runs made up last, oldest first */
    this.runs = new Map();
  }

  get first() {
    return this.sequences[0];
  }

  get last() {
    return this.sequences[this.sequences.length - 1];
  }

  #withoutHeader(sequence, event) {
    const closedAt = Math.floor(Date.parse(event.ledgerClosedAt) / 1000);
    if (!Number.isSafeInteger(closedAt)) throw new Error(`ledgerClosedAt ${event.ledgerClosedAt} is not a time`);
    return buildLedger({ sequence, closedAt, previousHash: this.#assignedHash(sequence - 1), salt: this.seed });
  }

  #checkTimes() {
    for (let i = 1; i < this.sequences.length; i += 1) {
      const [before, here] = [this.ledgers.get(this.sequences[i - 1]), this.ledgers.get(this.sequences[i])];
      if (here.closedAt - before.closedAt < here.sequence - before.sequence) {
        throw new Error(
          `ledgers ${before.sequence} and ${here.sequence} are recorded ${here.closedAt - before.closedAt} s apart: ` +
            'too few for close times that strictly increase',
        );
      }
    }
  }

  #assignedHash(sequence) {
    return digest('between', this.seed, sequence);
  }

  /** @param {number} sequence from `first` to `last` @returns {Ledger} */
  ledger(sequence) {
    const recorded = this.ledgers.get(sequence);
    if (recorded) return recorded;
    return this.#run(Math.floor(sequence / RUN)).get(sequence);
  }

  /**
   * One run of ledgers. Every ledger links to the one before. The last of a run, and the one before a
   * recorded ledger, has its hash assigned (nobody can find a header with a given hash); the others'
   * is the SHA-256 of their header.
   */
  #run(number) {
    const kept = this.runs.get(number);
    if (kept) return kept;
    const run = new Map();
    const start = Math.max(number * RUN, this.first);
    const end = Math.min((number + 1) * RUN, this.last);
    for (let sequence = start; sequence < end; sequence += 1) {
      const recorded = this.ledgers.get(sequence);
      if (recorded) {
        run.set(sequence, recorded);
        continue;
      }
      const before = run.get(sequence - 1) ?? this.ledgers.get(sequence - 1);
      const ledger = buildLedger({
        sequence,
        closedAt: this.#closeTime(sequence),
        previousHash: before?.hash ?? this.#assignedHash(sequence - 1),
        salt: this.seed,
      });
      const next = this.ledgers.get(sequence + 1);
      if (next) ledger.hash = next.previousHash;
      else if ((sequence + 1) % RUN === 0) ledger.hash = this.#assignedHash(sequence);
      run.set(sequence, ledger);
    }
    if (this.runs.size >= KEPT_RUNS) this.runs.delete(this.runs.keys().next().value);
    this.runs.set(number, run);
    return run;
  }

  #closeTime(sequence) {
    const next = this.sequences.findIndex((recorded) => recorded > sequence);
    const [a, b] = [this.ledgers.get(this.sequences[next - 1]), this.ledgers.get(this.sequences[next])];
    const share = (b.closedAt - a.closedAt) * (sequence - a.sequence);
    return a.closedAt + Math.floor(share / (b.sequence - a.sequence));
  }
}
