/**
 * The streams that the page shows, newest first, beside their terms in the core's columns. It is filled from REST and
 * kept by the log's entries; each stream's version says which of the two is newer.
 */
export class StreamBook {
  #columns;
  #max;
  #streams = new Map();
  #revision = 0;

  /** @param {import('../core/src/core.js').FluxoraCore} core */
  constructor(core, max) {
    this.#columns = core.streamColumns();
    this.#max = max;
  }

  /** Grows with every change, so that who draws can see whether there is something new. */
  get revision() { return this.#revision; }
  get size() { return this.#streams.size; }
  get(id) { return this.#streams.get(id); }
  /** Newest first. */
  all() { return [...this.#streams.values()]; }

  replaceAll(streams) {
    this.#streams = new Map(streams.map((stream) => [stream.id, stream]));
    this.#columns.clear();
    this.#columns.setAll(streams);
    this.#revision += 1;
  }

  /**
   * Takes a stream as an entry of the log or REST has it, unless the held one is newer, or the book is full of streams
   * that were created later.
   * @returns {'added' | 'changed' | 'kept'}
   */
  put(stream) {
    const held = this.#streams.get(stream.id);
    if (held !== undefined ? held.version > stream.version : this.#isTooOld(stream)) return 'kept';
    this.#columns.set(stream);
    if (held === undefined) this.#insert(stream);
    else this.#streams.set(stream.id, stream);
    this.#revision += 1;
    return held === undefined ? 'added' : 'changed';
  }

  remove(id) {
    if (!this.#streams.delete(id)) return false;
    this.#columns.delete(id);
    this.#revision += 1;
    return true;
  }

  /** What each stream has streamed and has to withdraw at `second`, in base units, by id. */
  balancesAt(second) {
    const balances = this.#columns.accrue(second);
    const byId = new Map();
    for (let row = 0; row < balances.size; row += 1) {
      byId.set(balances.ids[row], {
        streamed: balances.streamedUnits(row),
        withdrawable: balances.withdrawableUnits(row),
      });
    }
    return byId;
  }

  #oldest() {
    return [...this.#streams.values()].at(-1);
  }

  #isTooOld(stream) {
    return this.#streams.size >= this.#max && stream.createdAt < this.#oldest().createdAt;
  }

  /** By the time of creation, before those of the same; the oldest makes room. */
  #insert(stream) {
    if (this.#streams.size >= this.#max) this.remove(this.#oldest().id);
    const streams = this.all();
    const later = streams.findIndex(({ createdAt }) => createdAt <= stream.createdAt);
    streams.splice(later < 0 ? streams.length : later, 0, stream);
    this.#streams = new Map(streams.map((each) => [each.id, each]));
  }
}
