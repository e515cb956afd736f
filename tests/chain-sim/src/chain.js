// The chain of ledgers: closing, retention, forks. It knows events as the items that getEvents sends,
// and transactions as functions that it runs when the ledger closes.
import { formatCursor } from './event_cursor.js';
import { buildLedger, protocolVersionOf } from './ledger_header.js';
import { digest } from './prng.js';

/** How deep a fork can go: what is needed to undo a ledger is kept for this many. */
export const MAX_FORK_DEPTH = 256;

/**
 * @typedef {object} Transaction
 * @property {Buffer} hash
 * @property {string} label what failed, for whoever reads `failed`
 * @property {(context: {now: bigint, ledger: number, emit: (event: object) => void}) => unknown} run
 */

/** RFC 3339, UTC, whole seconds. @param {number} unixSeconds */
export function timestamp(unixSeconds) {
  return new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z');
}

export class Chain {
  /**
   * @param {object} options
   * @param {string | number} options.seed
   * @param {number} options.startLedger
   * @param {number} options.startTime unix seconds: when the first ledger closes
   * @param {number} options.retentionLedgers
   * @param {{startJournal: () => object, rollback: (journal: object) => void}} options.state what a fork must undo
   * @param {import('./recorded_history.js').RecordedHistory} [options.history] what came before the first ledger
   */
  constructor({ seed, startLedger, startTime, retentionLedgers, state, history }) {
    this.seed = seed;
    this.retentionLedgers = retentionLedgers;
    this.state = state;
    this.history = history;
    this.branch = 0;
    this.protocolVersion = history ? protocolVersionOf(history.ledger(history.last)) : undefined;
    /** @type {import('./ledger_header.js').Ledger[]} ledgers closed here, the oldest kept first */
    this.ledgers = [];
    /** @type {Map<number, object[]>} events of the ledgers that have any */
    this.eventsByLedger = new Map(history ? history.events : []);
    /** @type {number[]} those ledgers, ascending */
    this.eventLedgers = [...this.eventsByLedger.keys()].sort((a, b) => a - b);
    /** @type {Map<number, {journals: object[], transactions: Transaction[]}>} the last ledgers' way back, newest change first */
    this.undo = new Map();
    this.firstSequence = history ? history.first : startLedger;
    /** @type {Transaction[]} what the next ledger will hold */
    this.pending = [];
    if (!history) {
      this.#append(buildLedger({
        sequence: startLedger,
        closedAt: startTime,
        previousHash: digest('before-first', seed, startLedger),
        salt: this.#salt(),
      }), []);
    }
  }

  #salt() {
    return `${this.seed}/${this.branch}`;
  }

  get latest() {
    return this.ledgers[this.ledgers.length - 1] ?? this.history.ledger(this.history.last);
  }

  /** The oldest ledger inside the retention window. */
  get oldest() {
    return this.ledger(Math.max(this.firstSequence, this.latest.sequence - this.retentionLedgers + 1));
  }

  /** @param {number} sequence inside the window @returns {import('./ledger_header.js').Ledger} */
  ledger(sequence) {
    const index = this.ledgers.length === 0 ? -1 : sequence - this.ledgers[0].sequence;
    const ledger = index >= 0 ? this.ledgers[index] : this.history?.ledger(sequence);
    if (!ledger) throw new RangeError(`ledger ${sequence} is not kept`);
    return ledger;
  }

  /** @param {Transaction} transaction */
  queue(transaction) {
    this.pending.push(transaction);
  }

  /**
   * Closes the next ledger with everything that is queued.
   * @param {number} closedAt unix seconds, later than the ledger before
   */
  close(closedAt) {
    const transactions = this.pending;
    this.pending = [];
    return this.#close(closedAt, transactions);
  }

  #close(closedAt, transactions) {
    const before = this.latest;
    if (!Number.isSafeInteger(closedAt) || closedAt <= before.closedAt) {
      throw new RangeError(`close times strictly increase: ${closedAt} after ${before.closedAt}`);
    }
    const sequence = before.sequence + 1;
    const journals = [];
    const events = [];
    const failed = [];
    transactions.forEach((transaction, index) => {
      const emitted = [];
      const journal = this.state.startJournal();
      try {
        transaction.run({ now: BigInt(closedAt), ledger: sequence, emit: (event) => emitted.push(event) });
      } catch (error) {
        // A failed call leaves its transaction in the ledger, and neither change nor event behind.
        this.state.rollback(journal);
        failed.push({ label: transaction.label, txHash: transaction.hash.toString('hex'), error });
        return;
      }
      journals.unshift(journal);
      emitted.forEach((event, eventIndex) => {
        events.push(this.#item(event, { sequence, closedAt, transaction, tx: index + 1, eventIndex }));
      });
    });
    const ledger = buildLedger({
      sequence,
      closedAt,
      previousHash: before.hash,
      txHashes: transactions.map((transaction) => transaction.hash),
      salt: this.#salt(),
      protocolVersion: this.protocolVersion,
    });
    this.#append(ledger, events);
    this.undo.set(sequence, { journals, transactions });
    this.undo.delete(sequence - MAX_FORK_DEPTH);
    return { sequence, hash: ledger.hash.toString('hex'), closedAt, events, failed };
  }

  #item(event, { sequence, closedAt, transaction, tx, eventIndex }) {
    return {
      type: event.type ?? 'contract',
      ledger: sequence,
      ledgerClosedAt: timestamp(closedAt),
      contractId: event.contractId,
      id: formatCursor({ ledger: sequence, tx, op: 0, event: eventIndex }),
      operationIndex: 0,
      transactionIndex: tx,
      inSuccessfulContractCall: event.inSuccessfulContractCall ?? true,
      txHash: transaction.hash.toString('hex'),
      topic: event.topic,
      value: event.value,
    };
  }

  #append(ledger, events) {
    this.ledgers.push(ledger);
    if (events.length > 0) {
      this.eventsByLedger.set(ledger.sequence, events);
      this.eventLedgers.push(ledger.sequence);
    }
    this.#prune();
  }

  /** Forgets what the retention window left behind. Twice the window is let stand, so that each ledger costs little. */
  #prune() {
    if (this.ledgers.length < 2 * this.retentionLedgers + 64) return;
    const oldest = this.oldest.sequence;
    this.ledgers.splice(0, oldest - this.ledgers[0].sequence);
    const kept = this.#eventLedgerIndex(oldest);
    for (const sequence of this.eventLedgers.splice(0, kept)) this.eventsByLedger.delete(sequence);
  }

  #eventLedgerIndex(sequence) {
    let [low, high] = [0, this.eventLedgers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.eventLedgers[middle] < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The events of ledgers `from` to `to` (excluded), in id order.
   * @param {number} from
   * @param {number} to
   * @returns {Generator<any>}
   */
  *events(from, to) {
    for (let i = this.#eventLedgerIndex(from); i < this.eventLedgers.length && this.eventLedgers[i] < to; i += 1) {
      yield* this.eventsByLedger.get(this.eventLedgers[i]);
    }
  }

  /**
   * Takes the last `depth` ledgers back, with what they changed, and starts another branch: what closes
   * from here on has other hashes.
   * @param {number} depth
   * @returns {{closedAt: number, transactions: Transaction[]}[]} what was taken back, oldest first
   */
  rewind(depth) {
    if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`fork depth must be 1 or more, got ${depth}`);
    const taken = [];
    for (let i = 0; i < depth; i += 1) {
      const { sequence, closedAt } = this.latest;
      const undo = this.undo.get(sequence);
      if (!undo) throw new RangeError(`ledger ${sequence} can't be taken back: it is the first, or ${MAX_FORK_DEPTH} deep`);
      undo.journals.forEach((journal) => this.state.rollback(journal));
      this.undo.delete(sequence);
      this.ledgers.pop();
      if (this.eventsByLedger.delete(sequence)) this.eventLedgers.pop();
      taken.unshift({ closedAt, transactions: undo.transactions });
    }
    this.branch += 1;
    return taken;
  }

  /**
   * Closes a ledger that `rewind` took back once more.
   * @param {{closedAt: number, transactions: Transaction[]}} taken
   */
  closeAgain({ closedAt, transactions }) {
    return this.#close(closedAt, transactions);
  }
}
