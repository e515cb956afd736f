import { FluxoraError, argumentInvalid } from './errors.js';

// wasm/src/exchange.hpp
const STATUS_OUT_OF_MEMORY = 0x100;
const STATUS_INPUT_TOO_LONG = 0x101;
const STATUS_ARGUMENT_INVALID = 0x102;

const CELL = 16;
const U64_MAX = (1n << 64n) - 1n;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * One instance of the module and the ways across: text, bytes, i128 cells and statuses. Memory growth empties every
 * view, so none outlives a call: `bytes` and `view` are asked for again each time.
 */
export class CoreMemory {
  #bytes = new Uint8Array();
  #view = new DataView(new ArrayBuffer(0));
  #inputMax;

  /** @param {WebAssembly.Module} module */
  constructor(module) {
    const instance = new WebAssembly.Instance(module, {
      env: { emscripten_notify_memory_growth() {} },
      wasi_snapshot_preview1: {
        // Reached only by a broken invariant inside core.
        proc_exit(status) {
          throw new FluxoraError('CORE_ABORTED', `The core stopped with status ${status}.`);
        },
      },
    });
    this.exports = instance.exports;
    this.exports._initialize();
    this.#inputMax = this.exports.fluxora_input_max();
  }

  get bytes() {
    if (this.#bytes.buffer !== this.exports.memory.buffer) this.#bytes = new Uint8Array(this.exports.memory.buffer);
    return this.#bytes;
  }

  get view() {
    if (this.#view.buffer !== this.exports.memory.buffer) this.#view = new DataView(this.exports.memory.buffer);
    return this.#view;
  }

  /** Room for `size` bytes of input. Earlier input is lost. */
  input(size) {
    if (size > this.#inputMax) throw this.#ownError(STATUS_INPUT_TOO_LONG);
    const pointer = this.exports.fluxora_input(size);
    if (pointer === 0) throw this.#ownError(STATUS_OUT_OF_MEMORY);
    return pointer;
  }

  /** Writes a text behind `head` bytes of input that the caller fills. */
  inputText(text, head = 0, field = undefined) {
    if (typeof text !== 'string') throw argumentInvalid('Not a string.', field);
    // Checked before encoding: an UTF-16 unit makes at most 3 bytes.
    const pointer = this.input(head + text.length * 3);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(pointer + head));
    return { pointer, text: pointer + head, size: written };
  }

  readInt128(pointer) {
    return this.view.getBigUint64(pointer, true) | (this.view.getBigInt64(pointer + 8, true) << 64n);
  }

  writeInt128(pointer, value, field = undefined) {
    if (typeof value !== 'bigint') throw argumentInvalid('Not a bigint.', field);
    if (BigInt.asIntN(128, value) !== value) {
      throw new FluxoraError('DECIMAL_OUT_OF_RANGE', 'The number does not fit 128 bits.', { field });
    }
    this.view.setBigUint64(pointer, BigInt.asUintN(64, value), true);
    this.view.setBigInt64(pointer + 8, value >> 64n, true);
  }

  /** Calls an export that takes cells and leaves its result in one: a sum, a quotient. */
  compute(name, operands, ...rest) {
    const pointer = this.input((operands.length + 1) * CELL);
    operands.forEach((value, i) => this.writeInt128(pointer + i * CELL, value));
    const result = pointer + operands.length * CELL;
    this.check(this.exports[name](...operands.map((_, i) => pointer + i * CELL), ...rest, result));
    return this.readInt128(result);
  }

  outputBytes() {
    const pointer = this.exports.fluxora_output();
    return this.bytes.slice(pointer, pointer + this.exports.fluxora_output_size());
  }

  outputText() {
    const pointer = this.exports.fluxora_output();
    return this.text(pointer, this.exports.fluxora_output_size());
  }

  text(pointer, size) {
    return decoder.decode(this.bytes.subarray(pointer, pointer + size));
  }

  /** Throws what a status stands for. */
  check(status, field = undefined) {
    if (status === 0) return;
    if (status >= STATUS_OUT_OF_MEMORY) throw this.#ownError(status, field);
    const offset = this.exports.fluxora_error_offset();
    this.exports.fluxora_error_name(status);
    const name = this.outputText();
    this.exports.fluxora_error_message(status);
    throw new FluxoraError(name, this.outputText(), { offset, field });
  }

  #ownError(status, field) {
    if (status === STATUS_OUT_OF_MEMORY) return new FluxoraError('OUT_OF_MEMORY', 'No memory is left.', { field });
    if (status === STATUS_INPUT_TOO_LONG) {
      return new FluxoraError('INPUT_TOO_LONG', 'The input is too long.', { field });
    }
    if (status === STATUS_ARGUMENT_INVALID) return argumentInvalid('The core refused the argument.', field);
    return new FluxoraError('CORE_ABORTED', `The core answered with status ${status}.`, { field });
  }
}

/** Unix seconds as JSON carries them (a number, a string above 2^53 - 1) or as a bigint. */
export function toSeconds(value, field) {
  let seconds = value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) seconds = BigInt(value);
  if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) seconds = BigInt(value);
  if (typeof seconds !== 'bigint' || seconds < 0n || seconds > U64_MAX) {
    throw argumentInvalid('Not a time in unix seconds.', field);
  }
  return seconds;
}
