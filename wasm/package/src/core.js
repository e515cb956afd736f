import { CELL, compute, readInt128, writeInt128 } from './cells.js';
import { FluxoraError, argumentInvalid } from './errors.js';
import { inputEvent, readEvent } from './event_input.js';
import { FeedClient } from './feed_client.js';
import { foldingOf } from './folding.js';
import { Handles } from './handles.js';
import { CoreMemory } from './memory.js';
import { bytesOf, lengthOf, listOf, record } from './plain.js';
import { toU64 } from './seconds.js';
import { StreamColumns } from './stream_columns.js';
import { StreamHistory } from './stream_history.js';
import { signingOf } from './webhook_signing.js';
import { verifyingOf } from './webhooks.js';

// core/include/fluxora/core/amount.hpp
const ROUNDINGS = ['floor', 'ceiling', 'down', 'half_up', 'half_even'];
// core/include/fluxora/core/strkey.hpp
const STRKEY_VERSIONS = {
  account: 6 << 3,
  seed: 18 << 3,
  muxed_account: 12 << 3,
  pre_auth_tx: 19 << 3,
  hash_x: 23 << 3,
  signed_payload: 15 << 3,
  contract: 2 << 3,
  liquidity_pool: 11 << 3,
  claimable_balance: 1 << 3,
};
const STRKEY_KINDS = new Map(Object.entries(STRKEY_VERSIONS).map(([kind, version]) => [version, kind]));

function roundingNumber(rounding) {
  const number = ROUNDINGS.indexOf(rounding);
  if (number < 0) throw argumentInvalid(`Rounding is one of ${ROUNDINGS.join(', ')}.`, 'rounding');
  return number;
}

function decimalPlaces(value, field) {
  if (!Number.isInteger(value) || value < 0 || value > 38) throw argumentInvalid('Not within 0 to 38.', field);
  return value;
}

/** The core, ready: everything in it is synchronous. */
export class FluxoraCore {
  #memory;
  #handles = new Handles();
  #single;

  /** Made by `load()` and `fromModule()`. */
  constructor(memory) {
    const { fold, streamFromBytes } = foldingOf(memory);
    this.#memory = memory;
    this.#single = new StreamColumns(memory, this.#handles);
    this.webhooks = Object.freeze({ ...verifyingOf(memory, this.#handles), ...signingOf(memory) });
    this.fold = fold;
    this.streamFromBytes = streamFromBytes;
    this.amounts = amountsOf(memory);
    this.strkey = strkeyOf(memory);
    this.cursor = cursorOf(memory);
    Object.freeze(this);
  }

  streamColumns() {
    return new StreamColumns(this.#memory, this.#handles);
  }

  streamHistory(id) {
    if (!this.isStreamId(id)) throw argumentInvalid('Not the id of a stream.', 'id');
    return new StreamHistory(this.#memory, id);
  }

  feedClient(options) {
    return new FeedClient(this.#memory, this.#handles, options);
  }

  balancesAt(stream, now) {
    return this.balancesOver(stream, [now])[0];
  }

  balancesOver(stream, times) {
    const moments = listOf(times, 'times');
    this.#hold(stream);
    return moments.map((now) => this.#single.balancesOf('', now));
  }

  accrued(terms, now) {
    this.#hold(terms, { status: 'active', withdrawnAmount: 0n, settledAmount: 0n, cancelledAt: null });
    return this.#single.accruedOf('', now);
  }

  scvalToJson(base64) {
    const memory = this.#memory;
    const { text, size } = memory.inputText(base64);
    memory.check(memory.exports.fluxora_scval_json(text, size));
    return memory.outputText();
  }

  contractEventToJson(event) {
    const input = readEvent(event);
    const memory = this.#memory;
    const { sizes, text } = inputEvent(memory, input);
    memory.check(memory.exports.fluxora_contract_event_json(text, sizes, input.topicCount, input.successful));
    return memory.outputText();
  }

  isStreamId(text) {
    if (typeof text !== 'string') return false;
    const memory = this.#memory;
    const input = memory.inputText(text);
    return memory.exports.fluxora_is_stream_id(input.text, input.size) === 1;
  }

  /** Takes a stream's terms, and its state where that isn't given, as the only row. */
  #hold(stream, state = stream) {
    const { kind, depositAmount, ratePerSecond, checkpointedAmount, checkpointedAt, cliffTime, endTime } =
      record(stream, 'Not a stream.');
    const { status, withdrawnAmount, settledAmount, cancelledAt } = state;
    this.#single.set({ id: '', kind, status, depositAmount, ratePerSecond, withdrawnAmount, settledAmount,
      checkpointedAmount, checkpointedAt, cliffTime, endTime, cancelledAt });
  }
}

function amountsOf(memory) {
  const { exports } = memory;
  return Object.freeze({
    parse(text) {
      if (text === null || text === undefined) {
        throw new FluxoraError('DECIMAL_EMPTY_VALUE', 'An amount is missing or empty.');
      }
      if (typeof text !== 'string') {
        throw new FluxoraError('DECIMAL_INVALID_TYPE', 'An amount is a string of digits.');
      }
      const input = memory.inputText(text, 16);
      memory.check(exports.fluxora_amount_parse(input.text, input.size, input.pointer));
      return readInt128(memory, input.pointer);
    },
    format(units) {
      const cell = memory.input(16);
      writeInt128(memory, cell, units);
      memory.check(exports.fluxora_amount_format(cell));
      return memory.outputText();
    },
    formatAll(units) {
      const values = listOf(units, 'units');
      const offsets = values.length * CELL;
      const cells = memory.input(offsets + (values.length + 1) * 4);
      values.forEach((value, i) => writeInt128(memory, cells + i * CELL, value));
      memory.check(exports.fluxora_amount_format_column(cells, values.length, cells + offsets));
      const text = memory.outputText();
      const { view } = memory;
      const at = (i) => view.getUint32(cells + offsets + i * 4, true);
      return values.map((_, i) => text.slice(at(i), at(i + 1)));
    },
    add: (a, b) => compute(memory, 'fluxora_amount_add', [a, b]),
    subtract: (a, b) => compute(memory, 'fluxora_amount_subtract', [a, b]),
    multiply: (a, factor) => compute(memory, 'fluxora_amount_multiply', [a, factor]),
    multiplyFixed: (a, b, rounding) =>
      compute(memory, 'fluxora_amount_multiply_fixed', [a, b], roundingNumber(rounding)),
    divideFixed: (a, b, rounding) => compute(memory, 'fluxora_amount_divide_fixed', [a, b], roundingNumber(rounding)),
    divideUnits: (a, b, rounding) => compute(memory, 'fluxora_units_divide', [a, b], roundingNumber(rounding)),
    rescale: (units, fromDecimals, toDecimals, rounding) =>
      compute(memory, 'fluxora_units_rescale', [units], decimalPlaces(fromDecimals, 'fromDecimals'),
        decimalPlaces(toDecimals, 'toDecimals'), roundingNumber(rounding)),
  });
}

function strkeyOf(memory) {
  const { exports } = memory;
  const ask = (name, text) => {
    if (typeof text !== 'string') return false;
    const input = memory.inputText(text);
    return exports[name](input.text, input.size) === 1;
  };
  const decode = (text) => {
    const input = memory.inputText(text, 8);
    memory.check(exports.fluxora_strkey_decode(input.text, input.size, input.pointer));
    return { kind: STRKEY_KINDS.get(memory.view.getUint8(input.pointer)), payload: memory.outputBytes() };
  };
  return Object.freeze({
    decode,
    encode(kind, payload) {
      if (typeof kind !== 'string' || !Object.hasOwn(STRKEY_VERSIONS, kind)) throw argumentInvalid('Not a kind of StrKey.', 'kind');
      const bytes = bytesOf(payload, 'payload');
      const size = lengthOf(bytes);
      const pointer = memory.input(size);
      memory.area.set(bytes);
      memory.check(exports.fluxora_strkey_encode(STRKEY_VERSIONS[kind], pointer, size));
      return memory.outputText();
    },
    isValid(text) {
      try {
        decode(text);
        return true;
      } catch (error) {
        if (error instanceof FluxoraError) return false;
        throw error;
      }
    },
    isStreamParty: (text) => ask('fluxora_is_stream_party', text),
    isContractId: (text) => ask('fluxora_is_contract_id', text),
  });
}

function cursorOf(memory) {
  const { exports } = memory;
  return Object.freeze({
    parse(text) {
      const input = memory.inputText(text, 8);
      memory.check(exports.fluxora_cursor_parse(input.text, input.size, input.pointer));
      return { epoch: memory.outputText(), seq: memory.view.getBigUint64(input.pointer, true) };
    },
    format(cursor) {
      const { epoch, seq } = record(cursor, 'Not a cursor.');
      const position = toU64(seq, 'seq');
      const input = memory.inputText(epoch, 0, 'epoch');
      memory.check(exports.fluxora_cursor_format(input.text, input.size, position));
      return memory.outputText();
    },
  });
}

/** The core of a compiled module, at once: for runtimes that hand modules out compiled. */
export function fromModule(module) {
  return new FluxoraCore(new CoreMemory(module, 'fluxora_columns_create'));
}
