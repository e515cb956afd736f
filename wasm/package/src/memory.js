import { FluxoraError, argumentInvalid } from './errors.js';

// wasm/src/exchange.hpp
const OWN_STATUSES = {
  0x100: ['OUT_OF_MEMORY', 'No memory is left.'],
  0x101: ['INPUT_TOO_LONG', 'The input is too long.'],
  0x102: ['ARGUMENT_INVALID', 'The core refused the argument.'],
};
const INPUT_MIN = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One instance of a module, and how text, bytes and statuses cross. */
export class CoreMemory {
  #bytes = new Uint8Array();
  #view;
  #area;
  #input = 0;
  #inputSize = 0;
  #inputMax;
  #broken;

  /** `mark` is an export that only the module wanted here has. */
  constructor(module, mark) {
    let exports;
    try {
      ({ exports } = new WebAssembly.Instance(module, {
        env: { emscripten_notify_memory_growth() {} },
        wasi_snapshot_preview1: {
          proc_exit(status) {
            throw new Error(`exit ${status}`);
          },
        },
      }));
      if (!exports[mark]) throw new Error(`no ${mark}`);
    } catch (cause) {
      throw new FluxoraError('MODULE_INVALID', 'Not a compiled module of this package.', { cause });
    }
    this.memory = exports.memory;
    this.exports = {};
    for (const name of Object.keys(exports)) {
      if (name.startsWith('fluxora_')) this.exports[name] = this.#guard(exports[name]);
    }
    this.#guard(exports._initialize)();
    this.#inputMax = this.exports.fluxora_input_max();
  }

  /** After a call that didn't come back (a trap, an exhausted stack) the memory can't be trusted any more. */
  #guard(call) {
    return (...values) => {
      if (!this.#broken) {
        try {
          return call(...values);
        } catch (cause) {
          this.#broken = { cause };
        }
      }
      throw new FluxoraError('CORE_ABORTED', 'The core has stopped. Load it again.', this.#broken);
    };
  }

  // Memory that grows empties every view, so none outlives a call.
  get bytes() {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(this.memory.buffer);
      this.#view = new DataView(this.memory.buffer);
      this.#area = undefined;
    }
    return this.#bytes;
  }

  get view() {
    return this.bytes && this.#view;
  }

  /** The input area. */
  get area() {
    return this.bytes && (this.#area ??= this.#bytes.subarray(this.#input, this.#input + this.#inputSize));
  }

  /** Room for `size` bytes of input. Earlier input is lost. */
  input(size) {
    if (size > this.#inputSize) {
      if (size > this.#inputMax) this.check(0x101);
      const pointer = this.exports.fluxora_input(size);
      if (pointer === 0) this.check(0x100);
      this.#input = pointer;
      this.#inputSize = Math.max(size, INPUT_MIN);
      this.#area = undefined;
    }
    return this.#input;
  }

  /** Writes a text behind `head` bytes of input that the caller fills. */
  inputText(text, head = 0, field = undefined) {
    if (typeof text !== 'string') throw argumentInvalid('Not a string.', field);
    // An UTF-16 unit makes at most 3 bytes.
    const pointer = this.input(head + text.length * 3);
    return { pointer, text: pointer + head, size: this.write(text, head) };
  }

  /** Writes a text into the input area, which has room for it; gives its bytes. */
  write(text, at) {
    return encoder.encodeInto(text, at === 0 ? this.area : this.area.subarray(at)).written;
  }

  outputBytes() {
    const pointer = this.exports.fluxora_output();
    return this.bytes.slice(pointer, pointer + this.exports.fluxora_output_size());
  }

  outputText() {
    return this.text(this.exports.fluxora_output(), this.exports.fluxora_output_size());
  }

  text(pointer, size) {
    return decoder.decode(this.bytes.subarray(pointer, pointer + size));
  }

  /** Throws what a status stands for. */
  check(status, field = undefined) {
    if (status === 0) return;
    const own = OWN_STATUSES[status];
    if (own) throw new FluxoraError(...own, { field });
    const offset = this.exports.fluxora_error_offset();
    this.exports.fluxora_error_name(status);
    const name = this.outputText();
    this.exports.fluxora_error_message(status);
    throw new FluxoraError(name, this.outputText(), { offset, field });
  }
}

/** `load` of an entry. Its own module is compiled once, however often it is loaded. */
export function loader(create, own, compile) {
  let compiled;
  return async (source = own) => {
    try {
      if (source !== own) return create(await compile(source));
      compiled ??= compile(own);
      return create(await compiled);
    } catch (cause) {
      if (source === own) compiled = undefined;
      if (cause instanceof FluxoraError) throw cause;
      throw new FluxoraError('LOAD_FAILED', 'The module could not be loaded.', { cause });
    }
  };
}
