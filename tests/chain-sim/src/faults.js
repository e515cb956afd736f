// Trouble on demand: the next responses fail in a named way, so that a client's handling can be tested.

export const FAULT_KINDS = Object.freeze([
  'http', // an HTTP error status (500 unless told), no JSON-RPC
  'rpcError', // JSON-RPC -32603
  'timeout', // no answer until `delayMs` has passed, and then none either: the connection is cut
  'slow', // the right answer, `delayMs` late
  'reset', // the connection is cut without a word
  'garbage', // 200 and a body that isn't JSON
  'truncated', // 200, the announced length, half the body
  'wrongId', // a good answer to somebody else's request
]);

/**
 * @typedef {object} Fault
 * @property {string} kind one of FAULT_KINDS
 * @property {number} [count] how many responses (1)
 * @property {string[]} [methods] only these methods (all)
 * @property {number} [status] of `http` (500)
 * @property {number} [delayMs] of `timeout` (60,000) and `slow` (1,000)
 */

export class Faults {
  constructor() {
    /** @type {Required<Fault>[]} */
    this.queue = [];
    this.served = 0;
  }

  /** @param {Fault} fault */
  add({ kind, count = 1, methods = [], status = 500, delayMs = kind === 'slow' ? 1000 : 60_000 }) {
    if (!FAULT_KINDS.includes(kind)) throw new RangeError(`unknown fault ${kind}: one of ${FAULT_KINDS.join(', ')}`);
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`count must be 1 or more, got ${count}`);
    this.queue.push({ kind, count, methods, status, delayMs });
  }

  clear() {
    this.queue = [];
  }

  /** Responses that are still to fail. */
  get pending() {
    return this.queue.reduce((sum, fault) => sum + fault.count, 0);
  }

  /**
   * The fault for a response to these methods, used up by asking.
   * @param {string[]} methods
   * @returns {Required<Fault> | undefined}
   */
  take(methods) {
    const index = this.queue.findIndex(
      (fault) => fault.methods.length === 0 || fault.methods.some((method) => methods.includes(method)),
    );
    if (index < 0) return undefined;
    const fault = this.queue[index];
    fault.count -= 1;
    if (fault.count === 0) this.queue.splice(index, 1);
    this.served += 1;
    return fault;
  }
}
