// What the server should say about the simulated chain: the independent fold of the simulator's events, completed by
// its contract storage where events leave something open.
import { IndependentFold, streamJson } from './independent_fold.js';

const KINDS = ['linear', 'cliff_only', 'cliff_slope'];
const STATUSES = ['active', 'paused', 'completed', 'cancelled'];
/** After these the storage is asked: SPEC section 3, "Observation". The names are ScSymbols in base64 XDR. */
const OBSERVED_AFTER = new Set(['AAAADwAAAAdjcmVhdGVkAA==', 'AAAADwAAAAhyYXRlX3VwZA==']);

/** An entry of the simulator's contractStorage() in the fold's words. */
export function storedStream(contractId, stored) {
  return {
    id: `${contractId}-${stored.streamId}`,
    kind: KINDS[stored.kind],
    status: STATUSES[stored.status],
    sender: stored.sender,
    recipient: stored.recipient,
    deposit: stored.depositAmount,
    rate: stored.ratePerSecond,
    withdrawn: stored.withdrawnAmount,
    start: stored.startTime,
    cliff: stored.cliffTime,
    end: stored.endTime,
    cancelledAt: stored.cancelledAt,
    checkpointAmount: stored.checkpointedAmount,
    checkpointAt: stored.checkpointedAt,
  };
}

export class ExpectedStreams {
  /** @param {any} sim the simulator */
  constructor(sim) {
    this.sim = sim;
    this.fold = new IndependentFold({ token: sim.tokenId });
    /** The chain's events so far, in order. @type {any[]} */
    this.events = [];
  }

  /**
   * Takes over the ledgers that closed since the last call, up to `through`. To be called after every ledger where
   * the past matters; the storage can only be read as it is now.
   * @param {number} [through]
   */
  take(through = this.sim.latest.sequence) {
    const { contractId } = this.sim;
    const last = this.events.at(-1)?.id ?? '';
    const fresh = this.sim.events({ contractId }).filter((event) => event.id > last && event.ledger <= through);
    const asked = new Set();
    for (const event of fresh) {
      const id = this.fold.apply(event);
      if (id !== null && OBSERVED_AFTER.has(event.topic[0])) asked.add(id);
    }
    this.events.push(...fresh);
    if (asked.size === 0) return;
    for (const entry of this.sim.contractStorage()) {
      const stored = storedStream(contractId, entry);
      const stream = this.fold.streams.get(stored.id);
      if (!asked.has(stored.id) || !stream) continue;
      const { id, kind, checkpointAmount, checkpointAt } = stored;
      const differs = kind !== stream.kind || checkpointAmount !== stream.checkpointAmount || checkpointAt !== stream.checkpointAt;
      if (differs) this.fold.observe({ id, kind, checkpointAmount, checkpointAt }, stream.updatedAt);
    }
  }

  /** All streams as the API shows them, newest first. @param {number | bigint} asOf */
  list(asOf) {
    return [...this.fold.streams.values()].reverse().map((stream) => streamJson(stream, BigInt(asOf)));
  }

  /** @param {string} id @param {number | bigint} asOf */
  get(id, asOf) {
    const stream = this.fold.streams.get(id);
    return stream && streamJson(stream, BigInt(asOf));
  }

  /** As it was at a second in the past, or undefined. @param {string} id @param {number | bigint} at */
  getAt(id, at) {
    const stream = this.fold.asOf(BigInt(at)).streams.get(id);
    return stream && streamJson(stream, BigInt(at));
  }
}
