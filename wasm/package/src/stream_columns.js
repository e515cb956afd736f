import { CELL, readInt128, writeInt128 } from './cells.js';
import { FluxoraError, argumentInvalid } from './errors.js';
import { Handles } from './handles.js';
import { bytesOf, isTyped, lengthOf, listOf, record } from './plain.js';
import { toU64 } from './seconds.js';

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

const COMPUTED = new Map([['streamed', STREAMED], ['withdrawable', WITHDRAWABLE], ['remaining', REMAINING]]);
const FIRST_CAPACITY = 64;

// What `load` takes: each property's column and its kind of array. Amounts are two 64-bit words a row, the low one first.
const LOADED = [
  ...AMOUNTS_IN.map((name, column) => [name, column, 'BigUint64Array', 2]),
  ['checkpointedAt', CHECKPOINT_AT, 'BigUint64Array', 1],
  ['cliffTime', CLIFF_TIME, 'BigUint64Array', 1],
  ['endTime', END_TIME, 'BigUint64Array', 1],
  ['cancelledAt', CANCELLED_AT, 'BigUint64Array', 1],
  ['kind', KIND, 'Uint8Array', 1],
  ['status', STATUS, 'Uint8Array', 1],
];

function computedColumn(name) {
  const column = COMPUTED.get(name);
  if (column === undefined) throw argumentInvalid('One of streamed, withdrawable, remaining.', 'column');
  return column;
}

/** What `load` was given, each array looked at once. */
function readColumns(columns) {
  const { ids } = record(columns, 'Not columns.');
  if (!Array.isArray(ids)) throw argumentInvalid('Not an array.', 'ids');
  const rows = listOf(ids, 'ids');
  if (!rows.every((id) => typeof id === 'string')) throw argumentInvalid('Ids are strings.', 'ids');
  // All of them are read before any is looked at: what a property's getter does to another array is seen.
  const arrays = LOADED.map(([name, column, kind, width]) => ({ name, column, kind, width, array: columns[name] }));
  for (const { name, kind, width, array } of arrays) {
    if (!isTyped(array, kind) || lengthOf(array) !== rows.length * width) {
      throw argumentInvalid(`Not a ${kind} of ${width} a row.`, name);
    }
  }
  return { rows, arrays };
}

/** That no byte of a row's kind or status is above the last one. */
function checkBytes(arrays, column, last) {
  const { name, array } = arrays.find((entry) => entry.column === column);
  for (let row = 0; row < lengthOf(array); row += 1) {
    if (array[row] > last) throw argumentInvalid(`Row ${row} has none that there is.`, name);
  }
}

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
    checkpointAt: toU64(stream.checkpointedAt, 'checkpointedAt'),
    cliffTime: toU64(stream.cliffTime, 'cliffTime'),
    endTime: toU64(stream.endTime, 'endTime'),
    cancelledAt: cancelledAt === null || cancelledAt === undefined ? NEVER : toU64(cancelledAt, 'cancelledAt'),
  };
}

/**
 * What one call of `accrue` found. It reads the columns where they lie, so it is good until the columns change or
 * accrue again, and says so (`STALE_BALANCES`) instead of showing another time's figures.
 */
class ColumnBalances {
  #source;
  #texts = new Map();

  constructor(source, at, ids) {
    this.#source = source;
    this.at = at;
    this.ids = ids;
    this.size = ids.length;
    Object.freeze(this);
  }

  streamed(row) { return this.#text('streamed', row); }
  withdrawable(row) { return this.#text('withdrawable', row); }
  remaining(row) { return this.#text('remaining', row); }

  streamedUnits(row) { return this.#units(STREAMED, row); }
  withdrawableUnits(row) { return this.#units(WITHDRAWABLE, row); }
  remainingUnits(row) { return this.#units(REMAINING, row); }

  texts(name) {
    const column = computedColumn(name);
    this.#source.check();
    let texts = this.#texts.get(name);
    if (texts === undefined) {
      texts = Object.freeze(this.#source.format(column, this.size));
      this.#texts.set(name, texts);
    }
    return texts;
  }

  words(name) {
    const column = computedColumn(name);
    this.#source.check();
    return this.#source.words(column, this.size);
  }

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

  #checkRow(row) {
    this.#source.check();
    if (!Number.isInteger(row) || row < 0 || row >= this.size) throw argumentInvalid('There is no such row.', 'row');
  }

  #text(name, row) {
    this.#checkRow(row);
    return this.texts(name)[row];
  }

  #units(column, row) {
    this.#checkRow(row);
    return this.#source.units(column, row);
  }
}

/** The terms of many streams in columns of the module's memory, and their balances in one call for all of them. */
export class StreamColumns {
  #memory;
  #handle;
  #rows = new Map();
  #ids = [];
  #idsShown;
  #capacity = 0;
  #pointers = [];
  #generation = 0;
  #rowsMax;

  /** Made by `FluxoraCore.streamColumns()`. */
  constructor(memory, handles = new Handles()) {
    const { exports } = memory;
    this.#memory = memory;
    this.#rowsMax = exports.fluxora_columns_rows_max();
    this.#handle = handles.hold(this, exports.fluxora_columns_create, exports.fluxora_columns_destroy);
  }

  get size() { return this.#ids.length; }
  has(id) { return this.#rows.has(id); }
  rowOf(id) { return this.#rows.get(id); }

  set(stream) {
    const id = stream?.id;
    if (typeof id !== 'string') throw argumentInvalid('A stream has an id.', 'id');
    return this.#put(id, readTerms(stream));
  }

  load(columns) {
    const { rows, arrays } = readColumns(columns);
    checkBytes(arrays, KIND, Math.max(...KINDS.values()));
    checkBytes(arrays, STATUS, Math.max(...STATUSES.values()));
    const places = new Map(rows.map((id, row) => [id, row]));
    if (places.size !== rows.length) throw argumentInvalid('An id is there twice.', 'ids');
    this.#checkLive();
    this.#reserve(rows.length);
    for (const { column, array } of arrays) {
      this.#memory.bytes.set(bytesOf(array), this.#pointers[column]);
    }
    this.#ids = rows;
    this.#idsShown = undefined;
    this.#rows = places;
    this.#generation += 1;
  }

  setAll(streams) {
    for (const stream of listOf(streams, 'streams')) this.set(stream);
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
    this.#idsShown = undefined;
    this.#rows.delete(id);
    this.#generation += 1;
    return true;
  }

  clear() {
    this.#checkLive();
    this.#ids = [];
    this.#idsShown = undefined;
    this.#rows.clear();
    this.#generation += 1;
  }

  accrue(now) {
    const at = toU64(now, 'now');
    this.#accrue(at);
    const generation = this.#generation;
    const memory = this.#memory;
    return new ColumnBalances({
      check: () => {
        if (this.#generation !== generation) {
          throw new FluxoraError('STALE_BALANCES', 'The columns have changed since these balances were computed.');
        }
      },
      format: (column, rows) => this.#format(column, rows),
      words: (column, rows) => this.#words(column, rows),
      units: (column, row) => readInt128(memory, this.#pointers[column] + row * CELL),
    }, at, this.#idsNow());
  }

  texts(now, name) {
    const column = computedColumn(name);
    this.#accrue(toU64(now, 'now'));
    return this.#format(column, this.size);
  }

  balancesOf(id, now) {
    this.#checkLive();
    const row = this.#rows.get(id);
    if (row === undefined) throw argumentInvalid('There is no such stream.', 'id');
    const memory = this.#memory;
    const seconds = toU64(now, 'now');
    const result = memory.input(3 * CELL);
    memory.check(memory.exports.fluxora_columns_balances(this.#handle.pointer, row, seconds, result));
    const units = [0, 1, 2].map((i) => readInt128(memory, result + i * CELL));
    const [streamed, withdrawable, remaining] = units.map((value) => {
      const cell = memory.input(CELL);
      writeInt128(memory, cell, value);
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
    const seconds = toU64(now, 'now');
    const result = this.#memory.input(CELL);
    this.#memory.check(this.#memory.exports.fluxora_columns_accrued(this.#handle.pointer, row, seconds, result));
    return readInt128(this.#memory, result);
  }

  dispose() {
    this.#handle.dispose();
    this.#ids = [];
    this.#idsShown = undefined;
    this.#rows.clear();
    this.#generation += 1;
  }

  #checkLive() {
    return this.#handle.pointer;
  }

  /** The ids as they are, for whoever keeps them: one copy until they change. */
  #idsNow() {
    this.#idsShown ??= Object.freeze(this.#ids.slice());
    return this.#idsShown;
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
      this.#idsShown = undefined;
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
        writeInt128(memory, area + i * 16, amount, AMOUNTS_IN[i]);
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
    const wanted = Math.min(Math.max(rows, this.#capacity * 2, FIRST_CAPACITY), this.#rowsMax);
    const { exports } = this.#memory;
    const handle = this.#handle.pointer;
    this.#memory.check(exports.fluxora_columns_reserve(handle, this.#ids.length, wanted));
    this.#capacity = exports.fluxora_columns_capacity(handle);
    this.#pointers = CELL_SIZES.map((_, column) => exports.fluxora_columns_pointer(handle, column));
  }

  #accrue(at) {
    const handle = this.#handle.pointer;
    this.#memory.check(this.#memory.exports.fluxora_columns_accrue(handle, this.size, at));
    this.#generation += 1;
  }

  /** A column's first rows as decimal texts. */
  #format(column, rows) {
    if (rows === 0) return [];
    const memory = this.#memory;
    const place = memory.input((rows + 1) * 4);
    memory.check(memory.exports.fluxora_amount_format_column(this.#pointers[column], rows, place));
    const offsets = new Uint32Array(memory.bytes.buffer, place, rows + 1);
    const all = memory.outputText();
    const texts = new Array(rows);
    for (let row = 0; row < rows; row += 1) texts[row] = all.slice(offsets[row], offsets[row + 1]);
    return texts;
  }

  /** A copy of a column's first rows, two 64-bit words each. */
  #words(column, rows) {
    const pointer = this.#pointers[column] ?? 0;
    return new BigUint64Array(this.#memory.bytes.slice(pointer, pointer + rows * CELL).buffer);
  }
}
