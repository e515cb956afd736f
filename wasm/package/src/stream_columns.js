import { FluxoraError, argumentInvalid } from './errors.js';
import { toSeconds } from './memory.js';

// The columns in the order of wasm/src/stream_columns.cpp.
const AMOUNTS_IN = ['depositAmount', 'ratePerSecond', 'withdrawnAmount', 'settledAmount', 'checkpointedAmount'];
const STREAMED = 5;
const WITHDRAWABLE = 6;
const REMAINING = 7;
const CHECKPOINT_AT = 8;
const CLIFF_TIME = 9;
const END_TIME = 10;
const CANCELLED_AT = 11;
const KIND = 12;
const STATUS = 13;
const CELL_SIZES = [16, 16, 16, 16, 16, 16, 16, 16, 8, 8, 8, 8, 1, 1];

const KINDS = new Map([['linear', 0], ['cliff_only', 1], ['cliff_slope', 2]]);
// `scheduled` is an active stream before its start; accrual makes no difference.
const STATUSES = new Map([['scheduled', 0], ['active', 0], ['paused', 1], ['completed', 2], ['cancelled', 3]]);
const NEVER = (1n << 64n) - 1n;

const TEXTS_A_ROW = 3;
const FIRST_CAPACITY = 64;

/** Reads what accrual needs from a stream's JSON, each property once, before anything is written. */
function readTerms(stream) {
  if (typeof stream !== 'object' || stream === null) throw argumentInvalid('Not a stream.');
  const amounts = AMOUNTS_IN.map((name) => {
    const amount = stream[name];
    if (amount === undefined || amount === null) {
      throw new FluxoraError('DECIMAL_EMPTY_VALUE', 'An amount is missing or empty.', { field: name });
    }
    if (typeof amount !== 'string' && typeof amount !== 'bigint') {
      throw new FluxoraError('DECIMAL_INVALID_TYPE', 'An amount is a string of digits.', { field: name });
    }
    return amount;
  });
  const kind = KINDS.get(stream.kind);
  if (kind === undefined) throw argumentInvalid('Not a kind of stream.', 'kind');
  const status = STATUSES.get(stream.status);
  if (status === undefined) throw argumentInvalid('Not a status of a stream.', 'status');
  const cancelledAt = stream.cancelledAt;
  return {
    amounts,
    kind,
    status,
    checkpointAt: toSeconds(stream.checkpointedAt, 'checkpointedAt'),
    cliffTime: toSeconds(stream.cliffTime, 'cliffTime'),
    endTime: toSeconds(stream.endTime, 'endTime'),
    cancelledAt: cancelledAt === null || cancelledAt === undefined ? NEVER : toSeconds(cancelledAt, 'cancelledAt'),
  };
}

/**
 * What one call of `accrue` found. It reads the columns where they lie, so it is good until the columns change or
 * accrue again, and says so (`STALE_BALANCES`) instead of showing another time's figures.
 */
class ColumnBalances {
  #memory;
  #isCurrent;
  #pointers;
  #format;
  #texts;

  constructor(memory, at, ids, isCurrent, pointers, format) {
    this.#memory = memory;
    this.#isCurrent = isCurrent;
    this.#pointers = pointers;
    this.#format = format;
    this.at = at;
    this.ids = ids;
    this.size = ids.length;
  }

  streamed(row) { return this.#text(row, 0); }
  withdrawable(row) { return this.#text(row, 1); }
  remaining(row) { return this.#text(row, 2); }

  streamedUnits(row) { return this.#units(row, 0); }
  withdrawableUnits(row) { return this.#units(row, 1); }
  remainingUnits(row) { return this.#units(row, 2); }

  *[Symbol.iterator]() {
    for (let row = 0; row < this.size; row += 1) {
      yield {
        id: this.ids[row],
        streamed: this.streamed(row),
        withdrawable: this.withdrawable(row),
        remaining: this.remaining(row),
      };
    }
  }

  #check(row) {
    if (!this.#isCurrent()) {
      throw new FluxoraError('STALE_BALANCES', 'The columns have changed since these balances were computed.');
    }
    if (!Number.isInteger(row) || row < 0 || row >= this.size) throw argumentInvalid('There is no such row.', 'row');
  }

  #text(row, which) {
    this.#check(row);
    this.#texts ??= this.#format();
    const { text, offsets } = this.#texts;
    const i = row * TEXTS_A_ROW + which;
    return text.slice(offsets[i], offsets[i + 1]);
  }

  #units(row, which) {
    this.#check(row);
    return this.#memory.readInt128(this.#pointers[which] + row * 16);
  }
}

/** The terms of many streams in columns of the module's memory, and their balances in one call for all of them. */
export class StreamColumns {
  #memory;
  #handle;
  #rows = new Map();
  #ids = [];
  #capacity = 0;
  #pointers = [];
  #generation = 0;
  #rowsMax;

  /** Made by `FluxoraCore.streamColumns()`. */
  constructor(memory) {
    this.#memory = memory;
    this.#rowsMax = memory.exports.fluxora_columns_rows_max();
    this.#handle = memory.exports.fluxora_columns_create();
    if (this.#handle === 0) throw new FluxoraError('OUT_OF_MEMORY', 'No memory is left.');
  }

  get size() { return this.#ids.length; }
  has(id) { return this.#rows.has(id); }
  rowOf(id) { return this.#rows.get(id); }

  set(stream) {
    const id = stream?.id;
    if (typeof id !== 'string') throw argumentInvalid('A stream has an id.', 'id');
    return this.#put(id, readTerms(stream));
  }

  setAll(streams) {
    for (const stream of streams) this.set(stream);
  }

  delete(id) {
    this.#checkLive();
    const row = this.#rows.get(id);
    if (row === undefined) return false;
    const last = this.#ids.length - 1;
    if (row !== last) {
      CELL_SIZES.forEach((size, column) => {
        const from = this.#pointers[column] + last * size;
        this.#memory.bytes.copyWithin(this.#pointers[column] + row * size, from, from + size);
      });
      this.#ids[row] = this.#ids[last];
      this.#rows.set(this.#ids[row], row);
    }
    this.#ids.pop();
    this.#rows.delete(id);
    this.#generation += 1;
    return true;
  }

  clear() {
    this.#checkLive();
    this.#ids = [];
    this.#rows.clear();
    this.#generation += 1;
  }

  accrue(now) {
    this.#checkLive();
    const at = toSeconds(now, 'now');
    const size = this.size;
    this.#memory.check(this.#memory.exports.fluxora_columns_accrue(this.#handle, size, at));
    this.#generation += 1;
    const generation = this.#generation;
    return new ColumnBalances(
      this.#memory,
      at,
      this.#ids.slice(),
      () => this.#generation === generation,
      [STREAMED, WITHDRAWABLE, REMAINING].map((column) => this.#pointers[column]),
      () => this.#format(size),
    );
  }

  balancesOf(id, now) {
    this.#checkLive();
    const row = this.#rows.get(id);
    if (row === undefined) throw argumentInvalid('There is no such stream.', 'id');
    const memory = this.#memory;
    const seconds = toSeconds(now, 'now');
    const result = memory.input(48);
    memory.check(memory.exports.fluxora_columns_balances(this.#handle, row, seconds, result));
    const units = [0, 16, 32].map((offset) => memory.readInt128(result + offset));
    const [streamed, withdrawable, remaining] = units.map((value) => {
      const cell = memory.input(16);
      memory.writeInt128(cell, value);
      memory.check(memory.exports.fluxora_amount_format(cell));
      return memory.outputText();
    });
    return {
      at: seconds,
      streamed,
      withdrawable,
      remaining,
      streamedUnits: units[0],
      withdrawableUnits: units[1],
      remainingUnits: units[2],
    };
  }

  accruedOf(id, now) {
    this.#checkLive();
    const row = this.#rows.get(id);
    if (row === undefined) throw argumentInvalid('There is no such stream.', 'id');
    const seconds = toSeconds(now, 'now');
    const result = this.#memory.input(16);
    this.#memory.check(this.#memory.exports.fluxora_columns_accrued(this.#handle, row, seconds, result));
    return this.#memory.readInt128(result);
  }

  dispose() {
    if (this.#handle === 0) return;
    this.#memory.exports.fluxora_columns_destroy(this.#handle);
    this.#handle = 0;
    this.#ids = [];
    this.#rows.clear();
    this.#generation += 1;
  }

  #checkLive() {
    if (this.#handle === 0) throw new FluxoraError('DISPOSED', 'The columns were disposed of.');
  }

  #put(id, terms) {
    this.#checkLive();
    const memory = this.#memory;
    // All amounts are parsed beside the columns first: a bad one leaves the row as it was.
    const cells = this.#parseAmounts(terms.amounts);
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = this.#ids.length;
      this.#reserve(row + 1);
      this.#ids.push(id);
      this.#rows.set(id, row);
    }
    AMOUNTS_IN.forEach((_, column) => {
      const from = cells + column * 16;
      memory.bytes.copyWithin(this.#pointers[column] + row * 16, from, from + 16);
    });
    const { view } = memory;
    view.setBigUint64(this.#pointers[CHECKPOINT_AT] + row * 8, terms.checkpointAt, true);
    view.setBigUint64(this.#pointers[CLIFF_TIME] + row * 8, terms.cliffTime, true);
    view.setBigUint64(this.#pointers[END_TIME] + row * 8, terms.endTime, true);
    view.setBigUint64(this.#pointers[CANCELLED_AT] + row * 8, terms.cancelledAt, true);
    view.setUint8(this.#pointers[KIND] + row, terms.kind);
    view.setUint8(this.#pointers[STATUS] + row, terms.status);
    this.#generation += 1;
    return row;
  }

  /** Leaves the amounts as cells at the start of the input area. */
  #parseAmounts(amounts) {
    const memory = this.#memory;
    const head = amounts.length * 16;
    // One area for the longest text, so that cells and text keep their place.
    const longest = amounts.reduce((most, amount) => Math.max(most, amount.length ?? 0), 0);
    const area = memory.input(head + longest * 3);
    amounts.forEach((amount, i) => {
      if (typeof amount === 'bigint') {
        memory.writeInt128(area + i * 16, amount, AMOUNTS_IN[i]);
        return;
      }
      const { text, size } = memory.inputText(amount, head, AMOUNTS_IN[i]);
      memory.check(memory.exports.fluxora_amount_parse(text, size, area + i * 16), AMOUNTS_IN[i]);
    });
    return area;
  }

  #reserve(rows) {
    if (rows <= this.#capacity) return;
    if (rows > this.#rowsMax) {
      throw new FluxoraError('INPUT_TOO_LONG', `Columns hold at most ${this.#rowsMax} streams.`);
    }
    const wanted = Math.min(Math.max(this.#capacity * 2, FIRST_CAPACITY), this.#rowsMax);
    const { exports } = this.#memory;
    this.#memory.check(exports.fluxora_columns_reserve(this.#handle, this.#ids.length, wanted));
    this.#capacity = exports.fluxora_columns_capacity(this.#handle);
    this.#pointers = CELL_SIZES.map((_, column) => exports.fluxora_columns_pointer(this.#handle, column));
  }

  #format(rows) {
    if (rows === 0) return { text: '', offsets: [0] };
    const memory = this.#memory;
    const { exports } = memory;
    memory.check(exports.fluxora_columns_format(this.#handle, rows));
    const start = exports.fluxora_columns_offsets(this.#handle);
    const count = rows * TEXTS_A_ROW + 1;
    const offsets = new Uint32Array(memory.bytes.buffer, start, count).slice();
    return { text: memory.text(exports.fluxora_columns_text(this.#handle), offsets[count - 1]), offsets };
  }
}
