import { FluxoraError, argumentInvalid } from './errors.js';
import { CoreMemory, toSeconds } from './memory.js';
import { StreamColumns } from './stream_columns.js';

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

const TOPICS_MAX = 64;

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
  #single;

  /** Made by `load()` and `fromModule()`. */
  constructor(memory) {
    this.#memory = memory;
    this.#single = new StreamColumns(memory);
    this.amounts = amountsOf(memory);
    this.strkey = strkeyOf(memory);
    this.cursor = cursorOf(memory);
    Object.freeze(this);
  }

  streamColumns() {
    return new StreamColumns(this.#memory);
  }

  balancesAt(stream, now) {
    return this.balancesOver(stream, [now])[0];
  }

  balancesOver(stream, times) {
    const moments = Array.from(times);
    this.#hold(stream);
    return moments.map((now) => this.#single.balancesOf('', now));
  }

  accrued(terms, now) {
    this.#hold({ withdrawnAmount: 0n, settledAmount: 0n, status: 'active', ...terms });
    return this.#single.accruedOf('', now);
  }

  scvalToJson(base64) {
    const memory = this.#memory;
    const { text, size } = memory.inputText(base64);
    memory.check(memory.exports.fluxora_scval_json(text, size));
    return memory.outputText();
  }

  contractEventToJson({ topics, value, inSuccessfulContractCall = true } = {}) {
    if (!Array.isArray(topics)) throw argumentInvalid('Not an array.', 'topics');
    if (topics.length > TOPICS_MAX) throw new FluxoraError('INPUT_TOO_LONG', 'Too many topics.', { field: 'topics' });
    const texts = [...topics, value];
    if (!texts.every((text) => typeof text === 'string')) {
      throw argumentInvalid('Topics and value are base64 strings.', 'topics');
    }
    const memory = this.#memory;
    const head = texts.length * 4;
    const { pointer, text } = memory.inputText(texts.join(''), head);
    // Base64 is ASCII. Any other text is as many units short of its bytes as it likes: it is refused by the decoder.
    texts.forEach((part, i) => memory.view.setUint32(pointer + i * 4, part.length, true));
    const successful = inSuccessfulContractCall ? 1 : 0;
    memory.check(memory.exports.fluxora_contract_event_json(text, pointer, topics.length, successful));
    return memory.outputText();
  }

  isStreamId(text) {
    if (typeof text !== 'string') return false;
    const memory = this.#memory;
    const input = memory.inputText(text);
    return memory.exports.fluxora_is_stream_id(input.text, input.size) === 1;
  }

  #hold(stream) {
    if (typeof stream !== 'object' || stream === null) throw argumentInvalid('Not a stream.');
    this.#single.set({
      id: '',
      kind: stream.kind,
      status: stream.status,
      depositAmount: stream.depositAmount,
      ratePerSecond: stream.ratePerSecond,
      withdrawnAmount: stream.withdrawnAmount,
      settledAmount: stream.settledAmount,
      checkpointedAmount: stream.checkpointedAmount,
      checkpointedAt: stream.checkpointedAt,
      cliffTime: stream.cliffTime,
      endTime: stream.endTime,
      cancelledAt: stream.cancelledAt,
    });
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
      return memory.readInt128(input.pointer);
    },
    format(units) {
      const cell = memory.input(16);
      memory.writeInt128(cell, units);
      memory.check(exports.fluxora_amount_format(cell));
      return memory.outputText();
    },
    formatAll(units) {
      const values = Array.from(units);
      const offsets = values.length * 16;
      const cells = memory.input(offsets + (values.length + 1) * 4);
      values.forEach((value, i) => memory.writeInt128(cells + i * 16, value));
      memory.check(exports.fluxora_amount_format_column(cells, values.length, cells + offsets));
      const text = memory.outputText();
      const { view } = memory;
      const at = (i) => view.getUint32(cells + offsets + i * 4, true);
      return values.map((_, i) => text.slice(at(i), at(i + 1)));
    },
    add: (a, b) => memory.compute('fluxora_amount_add', [a, b]),
    subtract: (a, b) => memory.compute('fluxora_amount_subtract', [a, b]),
    multiply: (a, factor) => memory.compute('fluxora_amount_multiply', [a, factor]),
    multiplyFixed: (a, b, rounding) =>
      memory.compute('fluxora_amount_multiply_fixed', [a, b], roundingNumber(rounding)),
    divideFixed: (a, b, rounding) => memory.compute('fluxora_amount_divide_fixed', [a, b], roundingNumber(rounding)),
    divideUnits: (a, b, rounding) => memory.compute('fluxora_units_divide', [a, b], roundingNumber(rounding)),
    rescale: (units, fromDecimals, toDecimals, rounding) =>
      memory.compute('fluxora_units_rescale', [units], decimalPlaces(fromDecimals, 'fromDecimals'),
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
      if (!Object.hasOwn(STRKEY_VERSIONS, kind)) throw argumentInvalid('Not a kind of StrKey.', 'kind');
      if (!(payload instanceof Uint8Array)) throw argumentInvalid('Not a Uint8Array.', 'payload');
      const pointer = memory.input(payload.length);
      memory.bytes.set(payload, pointer);
      memory.check(exports.fluxora_strkey_encode(STRKEY_VERSIONS[kind], pointer, payload.length));
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
    format({ epoch, seq }) {
      const position = toSeconds(seq, 'seq');
      const input = memory.inputText(epoch);
      memory.check(exports.fluxora_cursor_format(input.text, input.size, position));
      return memory.outputText();
    },
  });
}

/** The core of a compiled module, at once: for runtimes that hand modules out compiled. */
export function fromModule(module) {
  return new FluxoraCore(new CoreMemory(module));
}
