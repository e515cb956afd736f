// Calls the functions of the WebAssembly module as driver.cpp calls them natively, and gives the same answers.
import { readFileSync } from 'node:fs';
import { Reader, Writer } from './records.mjs';

const CELL = 16;
const PLACE = 144; // wasm/src/folding.cpp, PlaceInput
const VERIFIED = 16; // wasm/src/webhooks.cpp, Verified
const LAST_CORE_ERROR = 0xff;
// wasm/src/stream_columns.cpp: the columns that are written, by number, with their cells' sizes; and those computed.
const COLUMNS_IN = [[0, 16], [1, 16], [2, 16], [3, 16], [4, 16], [8, 8], [9, 8], [10, 8], [11, 8], [12, 1], [13, 1]];
const COLUMNS_OUT = [[5, 16], [6, 16], [7, 16]];

export class Module {
  #exports;
  #called = new Set();
  // The place of the next argument in the module's memory, and where the room for them ends.
  #next = 0;
  #end = 0;

  constructor(file) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
      env: { emscripten_notify_memory_growth() {} },
      wasi_snapshot_preview1: {
        proc_exit(status) {
          throw new Error(`the module stopped with status ${status}`);
        },
      },
    });
    this.#exports = instance.exports;
    this.#exports._initialize();
  }

  /** Its exported functions. */
  get shown() {
    return Object.keys(this.#exports).filter((name) => name.startsWith('fluxora_'));
  }

  /** Those that a call has reached. */
  get called() {
    return [...this.#called];
  }

  /** Whether the module has what such a call needs: a smaller one shows less. */
  has(name) {
    return EXPORTS_OF[name].every((needed) => `fluxora_${needed}` in this.#exports);
  }

  /** @param {Buffer} record */
  answer(record) {
    const call = new Reader(record);
    const answer = new Writer();
    const name = call.text().toString('latin1');
    // Each argument once, and room for results.
    const room = record.length * 2 + 4096;
    this.#next = this.call('input', room);
    if (this.#next === 0) throw new Error('no memory for the input');
    this.#end = this.#next + room;
    FUNCTIONS[name](this, call, answer);
    return answer.take();
  }

  /** A number that comes back is an unsigned one. */
  call(name, ...args) {
    const exported = `fluxora_${name}`;
    this.#called.add(exported);
    return this.#exports[exported](...args) >>> 0;
  }

  /** Room for a result, aligned for what is largest. */
  room(size) {
    const at = Math.ceil(this.#next / 8) * 8;
    if (at + size > this.#end) throw new Error('the arguments need more room than a record has');
    this.#next = at + size;
    return at;
  }
  put(bytes) {
    const at = this.room(bytes.length);
    this.memory.set(bytes, at);
    return at;
  }
  get memory() {
    return Buffer.from(this.#exports.memory.buffer);
  }
  read(pointer, size) {
    return this.memory.subarray(pointer, pointer + size);
  }
  readU32(pointer) {
    return this.memory.readUInt32LE(pointer);
  }
  output() {
    return this.read(this.call('output'), this.call('output_size'));
  }
}

/** Everything that follows is there only where the call went well. */
function wellGone(module, answer, status) {
  answer.u32(status);
  if (status !== 0 && status <= LAST_CORE_ERROR) answer.u32(module.call('error_offset'));
  return status === 0;
}

/** A call whose result is what it leaves in the output area. */
function giving(module, answer, status) {
  if (wellGone(module, answer, status)) answer.bytes(module.output());
}

/** A call whose result is one cell. */
function storing(module, answer, name, ...args) {
  const result = module.room(CELL);
  if (wellGone(module, answer, module.call(name, ...args, result))) answer.bytes(module.read(result, CELL));
}

const twoCells = (name) => (module, call, answer) =>
  storing(module, answer, name, module.put(call.bytes(CELL)), module.put(call.bytes(CELL)));

const twoCellsRounded = (name) => (module, call, answer) =>
  storing(module, answer, name, module.put(call.bytes(CELL)), module.put(call.bytes(CELL)), call.u32());

const question = (name) => (module, call, answer) => {
  const text = call.text();
  answer.u32(module.call(name, module.put(text), text.length));
};

const ofAStatus = (name) => (module, call, answer) => giving(module, answer, module.call(name, call.u32()));

function readEvent(module, call) {
  const topics = call.u32();
  const texts = Array.from({ length: topics + 1 }, () => call.text());
  const sizes = new Writer();
  for (const text of texts) sizes.u32(text.length);
  return [module.put(Buffer.concat(texts)), module.put(sizes.take()), topics];
}

function columns(module, call, answer) {
  const rows = call.u32();
  const now = call.u64();
  const held = module.call('columns_create');
  if (held === 0 || module.call('columns_reserve', held, 0, rows) !== 0) throw new Error('no memory for columns');
  for (const [number, size] of COLUMNS_IN) {
    const cells = call.bytes(rows * size);
    module.memory.set(cells, module.call('columns_pointer', held, number));
  }
  answer.u32(module.call('columns_capacity', held));
  if (wellGone(module, answer, module.call('columns_accrue', held, rows, now))) {
    for (const [number, size] of COLUMNS_OUT) {
      answer.bytes(module.read(module.call('columns_pointer', held, number), rows * size));
    }
    const offsets = module.room((rows + 1) * 4);
    for (const [number] of COLUMNS_OUT) {
      const column = module.call('columns_pointer', held, number);
      if (wellGone(module, answer, module.call('amount_format_column', column, rows, offsets))) {
        answer.bytes(module.output());
      }
    }
  }
  const cells = module.room(3 * CELL);
  for (let row = 0; row < rows; ++row) {
    if (wellGone(module, answer, module.call('columns_balances', held, row, now, cells))) {
      answer.bytes(module.read(cells, 3 * CELL));
    }
    if (wellGone(module, answer, module.call('columns_accrued', held, row, now, cells))) {
      answer.bytes(module.read(cells, CELL));
    }
  }
  module.call('columns_destroy', held);
}

function verify(module, call, answer) {
  const verifier = module.call('verifier_create');
  if (verifier === 0) throw new Error('no memory for a verifier');
  const keys = call.u32();
  for (let i = 0; i < keys; ++i) {
    const add = call.u32() === 0 ? 'verifier_add_secret' : 'verifier_add_public_key';
    const hasGrace = call.u32();
    const graceEnds = call.u64();
    const text = call.text();
    wellGone(module, answer, module.call(add, verifier, module.put(text), text.length, hasGrace, graceEnds));
  }
  const now = call.u64();
  const requireStandard = call.u32();
  const texts = Array.from({ length: 7 }, () => call.text()); // six headers and the body
  const area = module.put(Buffer.concat([Buffer.alloc(VERIFIED), ...texts]));
  const sizes = texts.map((text) => text.length);
  answer.u32(module.call('verifier_verify', verifier, area, ...sizes, now, requireStandard));
  answer.bytes(module.read(area, VERIFIED));
  module.call('verifier_destroy', verifier);
}

function feedStep(module, call, answer, client) {
  const step = call.u32();
  const outcome = call.u32();
  const prevSeq = call.u64();
  const cursor = call.text();
  const result = module.room(4);
  if (step === 0) {
    const status = module.call('feed_opened', client, outcome, module.put(cursor), cursor.length, result);
    if (wellGone(module, answer, status)) answer.u32(module.readU32(result));
  } else if (step === 1) {
    const id = call.text();
    const text = module.put(Buffer.concat([cursor, id]));
    const status = module.call('feed_entry', client, text, cursor.length, id.length, outcome, prevSeq, result);
    if (wellGone(module, answer, status)) answer.u32(module.readU32(result)).bytes(module.output());
  } else if (step === 2) {
    const status = module.call('feed_replayed', client, outcome, result);
    if (wellGone(module, answer, status)) answer.u32(module.readU32(result)).bytes(module.output());
  } else {
    wellGone(module, answer, module.call('feed_refetched', client, module.put(cursor), cursor.length));
  }
}

function feed(module, call, answer) {
  const scope = call.u32();
  const cursor = call.text();
  const steps = call.u32();
  const handle = module.room(4);
  if (!wellGone(module, answer, module.call('feed_create', scope, module.put(cursor), cursor.length, handle))) return;
  const client = module.readU32(handle);
  for (let i = 0; i < steps; ++i) {
    feedStep(module, call, answer, client);
    giving(module, answer, module.call('feed_cursor', client));
  }
  module.call('feed_destroy', client);
}

const FUNCTIONS = {
  amount_add: twoCells('amount_add'),
  amount_divide_fixed: twoCellsRounded('amount_divide_fixed'),
  amount_format: (module, call, answer) =>
    giving(module, answer, module.call('amount_format', module.put(call.bytes(CELL)))),
  amount_format_column(module, call, answer) {
    const count = call.u32();
    const cells = module.put(call.bytes(count * CELL));
    const offsets = module.room((count + 1) * 4);
    if (!wellGone(module, answer, module.call('amount_format_column', cells, count, offsets))) return;
    answer.bytes(module.read(offsets, (count + 1) * 4)).bytes(module.output());
  },
  amount_multiply: twoCells('amount_multiply'),
  amount_multiply_fixed: twoCellsRounded('amount_multiply_fixed'),
  amount_parse(module, call, answer) {
    const text = call.text();
    storing(module, answer, 'amount_parse', module.put(text), text.length);
  },
  amount_subtract: twoCells('amount_subtract'),
  columns,
  contract_event_json(module, call, answer) {
    const successful = call.u32();
    giving(module, answer, module.call('contract_event_json', ...readEvent(module, call), successful));
  },
  cursor_format(module, call, answer) {
    const epoch = call.text();
    giving(module, answer, module.call('cursor_format', module.put(epoch), epoch.length, call.u64()));
  },
  cursor_parse(module, call, answer) {
    const text = call.text();
    const seq = module.room(8);
    if (!wellGone(module, answer, module.call('cursor_parse', module.put(text), text.length, seq))) return;
    answer.bytes(module.read(seq, 8)).bytes(module.output());
  },
  error_message: ofAStatus('error_message'),
  error_name: ofAStatus('error_name'),
  feed,
  fold(module, call, answer) {
    const place = module.put(call.bytes(PLACE));
    const before = call.text();
    const held = module.put(before);
    giving(module, answer, module.call('fold', held, before.length, ...readEvent(module, call), place));
  },
  is_contract_id: question('is_contract_id'),
  is_stream_id: question('is_stream_id'),
  is_stream_party: question('is_stream_party'),
  limits(module, _, answer) {
    answer.u64(BigInt(module.call('input_max'))).u64(BigInt(module.call('columns_rows_max')));
  },
  retract(module, call, answer) {
    const seq = call.u64();
    const before = call.text();
    const after = call.text();
    const [held, left] = [module.put(before), module.put(after)];
    giving(module, answer, module.call('retract', held, before.length, left, after.length, seq));
  },
  scval_json(module, call, answer) {
    const text = call.text();
    giving(module, answer, module.call('scval_json', module.put(text), text.length));
  },
  stream_json(module, call, answer) {
    const asOf = call.u64();
    const bytes = call.text();
    giving(module, answer, module.call('stream_json', module.put(bytes), bytes.length, asOf));
  },
  strkey_decode(module, call, answer) {
    const text = call.text();
    const version = module.room(1);
    if (!wellGone(module, answer, module.call('strkey_decode', module.put(text), text.length, version))) return;
    answer.bytes(module.read(version, 1)).bytes(module.output());
  },
  strkey_encode(module, call, answer) {
    const version = call.u32();
    const payload = call.text();
    giving(module, answer, module.call('strkey_encode', version, module.put(payload), payload.length));
  },
  units_divide: twoCellsRounded('units_divide'),
  units_rescale(module, call, answer) {
    storing(module, answer, 'units_rescale', module.put(call.bytes(CELL)), call.u32(), call.u32(), call.u32());
  },
  verdict(module, call, answer) {
    const httpStatus = module.call('verdict', call.u32());
    answer.u32(httpStatus);
    if (httpStatus !== 0) answer.bytes(module.output());
  },
  verify,
  verify_by_public_key: verify,
  webhook_sign(module, call, answer) {
    const timestamp = call.u64();
    const texts = Array.from({ length: 3 }, () => call.text()); // secret, id, body
    const sizes = texts.map((text) => text.length);
    giving(module, answer, module.call('webhook_sign', module.put(Buffer.concat(texts)), ...sizes, timestamp));
  },
};

// What a call needs of a module, where that isn't the one function of its name.
const EXPORTS_OF = {
  ...Object.fromEntries(Object.keys(FUNCTIONS).map((name) => [name, [name]])),
  columns: ['columns_create'],
  feed: ['feed_create'],
  limits: ['columns_rows_max'],
  verify: ['verifier_verify'],
  verify_by_public_key: ['verifier_add_public_key'],
  // The small modules know their own errors only.
  error_message: ['columns_create'],
  error_name: ['columns_create'],
};

export const FUNCTION_NAMES = Object.keys(FUNCTIONS);
