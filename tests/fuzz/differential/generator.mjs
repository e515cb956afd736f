// Makes the calls: values as they occur, extreme ones, and those with something wrong. One call a seed and index.
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { FUNCTION_NAMES } from './module.mjs';
import { Random } from './random.mjs';
import { Writer } from './records.mjs';

const I128_MAX = (1n << 127n) - 1n;
const U64_MAX = (1n << 64n) - 1n;
const NOW = 1_774_000_000n;

// i128 and u64

function units(random) {
  const near = BigInt(random.below(7) - 3);
  switch (random.below(7)) {
    case 0: return near;
    case 1: return BigInt.asIntN(128, I128_MAX + near);
    case 2: return BigInt.asIntN(128, -I128_MAX - 1n + near);
    case 3: return BigInt.asIntN(128, 10n ** BigInt(random.below(39)) * BigInt(random.below(21) - 10) + near);
    case 4: return BigInt(random.u32()) * 10_000_000n;
    default: return BigInt.asIntN(128, (random.u64() << 64n) | random.u64()) >> BigInt(random.below(128));
  }
}

function seconds(random) {
  switch (random.below(5)) {
    case 0: return BigInt(random.below(20));
    case 1: return U64_MAX - BigInt(random.below(20));
    case 2: return random.u64();
    default: return NOW + BigInt(random.below(20_000) - 10_000);
  }
}

/** What a count or number of an enum may be, and at times what it may not. */
function number(random, below) {
  return random.once(50) ? random.u32() : random.below(below + 1);
}

// Texts with something wrong

function spoil(random, bytes) {
  const spoilt = Buffer.from(bytes);
  const at = random.below(spoilt.length + 1);
  switch (random.below(5)) {
    case 0: return spoilt.subarray(0, at);
    case 1: return Buffer.concat([spoilt.subarray(0, at), random.bytes(1 + random.below(4)), spoilt.subarray(at)]);
    case 2: return Buffer.concat([spoilt, spoilt.subarray(at)]);
    default:
      if (at < spoilt.length) spoilt[at] = random.once(2) ? spoilt[at] ^ (1 << random.below(8)) : random.below(256);
      return spoilt;
  }
}

function mostlyRight(random, right) {
  const bytes = typeof right === 'string' ? Buffer.from(right) : right;
  return random.once(4) ? spoil(random, bytes) : bytes;
}

function decimal(random) {
  const digits = () => Array.from({ length: random.below(45) }, () => random.below(10)).join('');
  const whole = random.once(2) ? digits() : String(units(random));
  const fraction = random.once(2) ? `.${digits().slice(0, 1 + random.below(9))}${'0'.repeat(random.below(20))}` : '';
  return mostlyRight(random, `${random.pick(['', '', '-', '+'])}${whole}${fraction}`);
}

// StrKeys (SEP-23)

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCOUNT = 6 << 3;
const CONTRACT = 2 << 3;
const STRKEY_SIZES = [[ACCOUNT, 32], [18 << 3, 32], [12 << 3, 40], [19 << 3, 32], [23 << 3, 32], [15 << 3, 0],
  [CONTRACT, 32], [11 << 3, 32], [1 << 3, 33]];

function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

function strkeyText(version, payload) {
  const body = Buffer.concat([Buffer.from([version]), payload]);
  const crc = crc16(body);
  let text = '';
  let bits = 0;
  let count = 0;
  for (const byte of [...body, crc & 0xff, crc >> 8]) {
    bits = ((bits << 8) | byte) & 0xfff;
    for (count += 8; count >= 5; ) {
      count -= 5;
      text += BASE32[(bits >> count) & 31];
    }
  }
  return count > 0 ? text + BASE32[(bits << (5 - count)) & 31] : text;
}

function strkeyPayload(random, size) {
  if (size === 0) {
    const length = 1 + random.below(64);
    const padded = Math.ceil(length / 4) * 4;
    const payload = Buffer.alloc(36 + padded);
    random.bytes(32).copy(payload);
    payload.writeUInt32BE(length, 32);
    random.bytes(length).copy(payload, 36);
    return payload;
  }
  const payload = random.bytes(size);
  if (size === 33) payload[0] = random.once(10) ? 1 : 0;
  return payload;
}

function strkey(random) {
  const [version, size] = random.pick(STRKEY_SIZES);
  return strkeyText(random.once(20) ? random.below(256) : version, strkeyPayload(random, size));
}

const contractKey = (random) => Buffer.alloc(32, random.below(3));
const contractId = (random) => strkeyText(CONTRACT, contractKey(random));
const streamId = (random) => `${contractId(random)}-${random.once(3) ? random.u64() : random.below(4)}`;

// ScVals (Stellar-contract.x)

class Xdr {
  #parts = [];
  u32(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value >>> 0);
    this.#parts.push(bytes);
    return this;
  }
  u64(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
    this.#parts.push(bytes);
    return this;
  }
  i128(value) {
    return this.u64(value >> 64n).u64(value);
  }
  fixed(bytes) {
    this.#parts.push(bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
    return this;
  }
  variable(bytes) {
    return this.u32(bytes.length).fixed(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }
  optional(value, write) {
    this.u32(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
    return this;
  }
  append(other) {
    this.#parts.push(...other.#parts);
    return this;
  }
  take() {
    return Buffer.concat(this.#parts);
  }
}

const symbol = (text) => new Xdr().u32(15).variable(text);
const u64 = (value) => new Xdr().u32(5).u64(value);
const i128 = (value) => new Xdr().u32(10).i128(value);

function map(entries) {
  const xdr = new Xdr().u32(17).u32(1).u32(entries.length);
  for (const [key, value] of entries) xdr.append(key).append(value);
  return xdr;
}

function address(random) {
  const xdr = new Xdr().u32(18);
  const key = contractKey(random);
  switch (random.below(8)) {
    case 0: return xdr.u32(2).u64(random.u64()).fixed(key);
    case 1: return xdr.u32(3).u32(0).fixed(key);
    case 2: return xdr.u32(4).fixed(key);
    case 3:
    case 4: return xdr.u32(1).fixed(key);
    default: return xdr.u32(0).u32(0).fixed(key);
  }
}

function scval(random, depth = 0) {
  const arm = random.below(depth > 4 ? 16 : 22);
  const xdr = new Xdr();
  const count = random.below(4);
  switch (arm) {
    case 0: return xdr.u32(0).u32(random.below(2));
    case 2: return xdr.u32(2).u32(random.below(10)).u32(random.below(10));
    case 3:
    case 4: return xdr.u32(arm).u32(random.u32());
    case 5:
    case 6:
    case 7:
    case 8:
    case 21: return xdr.u32(arm).u64(seconds(random));
    case 9:
    case 10: return xdr.u32(arm).i128(units(random));
    case 11:
    case 12: return xdr.u32(arm).i128(units(random)).i128(units(random));
    case 13:
    case 14: return xdr.u32(arm).variable(random.bytes(random.below(40)));
    case 15: return symbol(random.pick(['created', 'a', '', 'A_9', 'thirty_two_characters_are_the_most']).slice(0, 32));
    case 16:
      if (random.once(10)) return xdr.u32(16).u32(0);
      xdr.u32(16).u32(1).u32(count);
      for (let i = 0; i < count; ++i) xdr.append(scval(random, depth + 1));
      return xdr;
    case 17: return map(Array.from({ length: count }, () => [scval(random, depth + 1), scval(random, depth + 1)]));
    case 18: return address(random);
    case 19: {
      const storage = random.once(2) ? undefined : random.u32();
      random.once(2) ? xdr.u32(19).u32(0).fixed(random.bytes(32)) : xdr.u32(19).u32(1);
      return xdr.optional(storage, (value) => xdr.u32(1).u32(3).u32(value).u32(1));
    }
    default: return xdr.u32(arm);
  }
}

/** Around the deepest nesting that is taken. */
function deepScval(random) {
  const xdr = new Xdr();
  for (let depth = 190 + random.below(20); depth > 0; --depth) xdr.u32(16).u32(1).u32(1);
  return xdr.u32(1);
}

function base64(random, xdr) {
  const bytes = xdr.take();
  const text = (random.once(6) ? spoil(random, bytes) : bytes).toString('base64');
  return random.once(10) ? spoil(random, Buffer.from(text)) : text;
}

// Contract events: every field that any event has, because unknown ones are overlooked

const TOPICS = ['created', 'cloned', 'withdrew', 'wdraw_to', 'paused', 'resumed', 'cancelled', 'kp_cncl', 'completed',
  'closed', 'rate_upd', 'rate_dec', 'end_shrt', 'end_ext', 'top_up', 'recp_upd', 'sndr_xfr', 'del_share', 'health',
  'gl_pause', 'offr_new', 'surprise'];
const AMOUNT_FIELDS = ['deposit_amount', 'rate_per_second', 'amount', 'recipient_amount', 'new_rate_per_second',
  'checkpointed_amount', 'refund_amount', 'new_deposit_amount', 'new_parent_rate', 'child_rate'];
const TIME_FIELDS = ['start_time', 'cliff_time', 'end_time', 'effective_time', 'new_end_time'];
const ADDRESS_FIELDS = ['sender', 'recipient', 'new_recipient', 'new_sender', 'delegatee'];

function payload(random) {
  const fields = [
    ...AMOUNT_FIELDS.map((name) => [symbol(name), i128(units(random))]),
    ...TIME_FIELDS.map((name) => [symbol(name), u64(seconds(random))]),
    ...ADDRESS_FIELDS.map((name) => [symbol(name), address(random)]),
    [symbol('child_stream_id'), u64(BigInt(random.below(4)))],
  ];
  if (random.once(8)) fields.splice(random.below(fields.length), 1);
  return map(fields);
}

function writeEvent(random, call, topic = random.pick(TOPICS)) {
  const texts = [
    base64(random, random.once(20) ? scval(random) : symbol(topic)),
    base64(random, random.once(20) ? scval(random) : u64(BigInt(random.below(3)))),
    ...(random.once(20) ? [base64(random, scval(random))] : []),
    base64(random, random.once(5) ? scval(random) : payload(random)),
  ];
  call.u32(texts.length - 1);
  for (const text of texts) call.text(text);
}

// Entries (wasm/src/folding.cpp, PlaceInput; core/include/fluxora/core/contract_event.hpp, EventName)

const API_STREAM = 'api-0195f3a2-7c1e-7b3d-8f00-0123456789ab';
const STREAM_ID_ROOM = 80;
const OBSERVED = 6;

/** What a contract's storage says of a stream. */
function writeObservation(random, call) {
  const u32 = (value) => new Xdr().u32(3).u32(value);
  const fields = [
    ...['deposit_amount', 'rate_per_second', 'withdrawn_amount', 'checkpointed_amount'].map((name) =>
      [symbol(name), i128(units(random))]),
    ...['stream_id', 'start_time', 'cliff_time', 'end_time', 'cancelled_at', 'checkpointed_at'].map((name) =>
      [symbol(name), u64(seconds(random))]),
    ...['sender', 'recipient'].map((name) => [symbol(name), address(random)]),
    [symbol('status'), u32(random.below(5))], [symbol('kind'), u32(random.below(4))],
  ];
  if (random.once(3)) fields.splice(random.below(fields.length), 1);
  const nothing = new Xdr().u32(1);
  const texts = [symbol('observed'), u64(BigInt(random.below(3))), random.once(3) ? nothing : address(random),
    random.once(6) ? nothing : map(fields)];
  call.u32(texts.length - 1);
  for (const xdr of texts) call.text(base64(random, xdr));
}

// A stream's canonical bytes (core/src/stream.cpp)

function streamBytes(random, id) {
  const xdr = new Xdr();
  xdr.variable(id).u32(random.below(2)).u32(random.below(3)).u32(random.below(4)).u32(random.below(2));
  xdr.variable(strkeyText(ACCOUNT, contractKey(random))).variable(contractId(random));
  xdr.optional(random.once(2) ? contractId(random) : undefined, (token) => xdr.variable(token));
  for (let i = 0; i < 4; ++i) xdr.i128(units(random));
  for (let i = 0; i < 3; ++i) xdr.u64(seconds(random));
  xdr.optional(random.once(2) ? seconds(random) : undefined, (time) => xdr.u64(time));
  xdr.i128(units(random)).u64(seconds(random));
  for (let i = 0; i < 4; ++i) xdr.u64(random.once(4) ? random.u64() : seconds(random) * 1000n);
  xdr.optional(random.once(2) ? random.u32() : undefined, (ledger) => xdr.u32(ledger));
  xdr.optional(random.once(2) ? random.bytes(32) : undefined, (hash) => xdr.fixed(hash));
  const bytes = xdr.take();
  return random.once(10) ? spoil(random, bytes) : bytes;
}

// Cursors and feeds

function cursor(random) {
  const last = (1n << 63n) - BigInt(random.below(3));
  const seq = random.pick([random.below(12), random.below(12), random.u32(), random.u64() >> 1n, last]);
  return `${random.pick(['k3f9', 'k3f9', 'k3f9', 'z', 'abcdefghij012345'])}-${seq}`;
}

function writeFeedStep(random, call) {
  const step = random.pick([0, 1, 1, 1, 1, 1, 1, 2, 3]);
  const hasPrev = step === 1 ? random.below(2) : number(random, 3);
  call.u32(step).u32(hasPrev).u64(BigInt(random.below(12)));
  call.text(random.once(30) ? spoil(random, Buffer.from(cursor(random))) : cursor(random));
  if (step === 1) call.text(random.pick(['', 'a', 'b', 'b', 'x'.repeat(random.pick([10, 256, 257]))]));
}

// Webhooks

const SECRETS = Array.from({ length: 4 }, (_, i) => `whsec_${Buffer.alloc(24 + i * 4, i + 1).toString('base64')}`);
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED = Buffer.concat([PKCS8_ED25519, Buffer.alloc(32, 7)]);
const SIGNING_KEY = createPrivateKey({ key: SEED, format: 'der', type: 'pkcs8' });
const PUBLIC_BYTES = createPublicKey(SIGNING_KEY).export({ format: 'der', type: 'spki' }).subarray(-32);
const PUBLIC_KEY = `whpk_${PUBLIC_BYTES.toString('base64')}`;

const hmac = (key, ...parts) => {
  const code = createHmac('sha256', key);
  for (const part of parts) code.update(part);
  return code;
};

// core/include/fluxora/core/webhook_signature.hpp
const BODY_MAX = 256 << 10;

function body(random) {
  return random.bytes(random.once(200) ? 10_000 : random.below(200));
}

function standardToken(random, secret, id, timestamp, content, withPublicKey) {
  if (withPublicKey) {
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), content]);
    return `v1a,${sign(null, signed, SIGNING_KEY).toString('base64')}`;
  }
  const code = hmac(Buffer.from(secret.slice(6), 'base64'), `${id}.${timestamp}.`, content).digest('base64');
  return `${random.once(20) ? random.pick(['v1a', 'v2', '']) : 'v1'},${code}`;
}

function writeVerify(random, call, withPublicKey = false) {
  const secret = random.pick(SECRETS);
  const keys = random.once(30) ? random.below(20) : 1 + random.below(3);
  call.u32(keys);
  for (let i = 0; i < keys; ++i) {
    const publicKey = withPublicKey && i === 0;
    call.u32(publicKey ? 1 : 0).u32(random.below(2)).u64(NOW + BigInt(random.below(5) - 2) * 100n);
    const text = publicKey ? PUBLIC_KEY : i === 0 ? secret : random.pick(SECRETS);
    call.text(random.once(30) ? spoil(random, Buffer.from(text)) : text);
  }
  const id = random.pick(['msg_1', 'a', `d-${random.u32()}`, '']);
  const timestamp = String(random.once(10) ? seconds(random) : NOW - BigInt(random.below(700) - 350));
  const content = body(random);
  call.u64(NOW).u32(random.below(2));
  const fluxora = hmac(secret, `${timestamp}.`, content).digest('hex');
  const token = () => standardToken(random, secret, id, timestamp, content, withPublicKey);
  const tokens = Array.from({ length: random.once(20) ? 40 : 1 + random.below(3) }, (_, i) =>
    i === 0 || random.once(10) ? token() : random.pick(['v1,', 'v1,AAAA', '=', 'v1']));
  if (random.once(2)) tokens.reverse();
  const tag = random.once(4) ? ` ${fluxora.toUpperCase()}\t` : fluxora;
  // Both families, or one of them.
  const families = random.below(3);
  const headers = [
    ...(families === 1 ? ['', '', ''] : [id, timestamp, tag]),
    ...(families === 2 ? ['', '', ''] : [id, timestamp, tokens.join(' ')]),
  ];
  // Something wrong in one of them, or in the body.
  const wrong = random.below(14);
  const missing = random.below(40);
  headers.forEach((text, i) => {
    if (i === missing) call.text('');
    else call.text(i === wrong ? spoil(random, Buffer.from(text)) : text);
  });
  if (random.once(500)) call.text(Buffer.alloc(BODY_MAX + random.below(2)));
  else call.text(wrong === 6 ? spoil(random, content) : content);
}

function cells(random, count) {
  const writer = new Writer();
  for (let i = 0; i < count; ++i) writer.i128(units(random));
  return writer.take();
}

/** Rows of streams, most of them as they occur, some with extreme terms. */
function writeColumns(random, call) {
  const rows = random.below(6);
  call.u32(rows).u64(seconds(random));
  const usual = random.once(2);
  const notAKind = random.once(40);
  const amount = () => (usual ? BigInt(random.u32()) * 10_000_000n : units(random));
  for (let column = 0; column < 5; ++column) for (let row = 0; row < rows; ++row) call.i128(amount());
  for (let column = 0; column < 3; ++column) for (let row = 0; row < rows; ++row) call.u64(seconds(random));
  for (let row = 0; row < rows; ++row) call.u64(random.once(2) ? U64_MAX : seconds(random));
  call.bytes(Buffer.from(Array.from({ length: rows }, () => random.below(notAKind ? 4 : 3))));
  call.bytes(Buffer.from(Array.from({ length: rows }, () => random.below(notAKind ? 5 : 4))));
}

const twoCells = (random, call) => call.i128(units(random)).i128(units(random));
const twoCellsRounded = (random, call) => twoCells(random, call).u32(number(random, 4));

const ARGUMENTS = {
  amount_add: twoCells,
  amount_divide_fixed: twoCellsRounded,
  amount_format: (random, call) => call.i128(units(random)),
  amount_format_column(random, call) {
    const count = random.below(8);
    call.u32(count).bytes(cells(random, count));
  },
  amount_multiply: twoCells,
  amount_multiply_fixed: twoCellsRounded,
  amount_parse: (random, call) => call.text(decimal(random)),
  amount_subtract: twoCells,
  columns: writeColumns,
  contract_event_json(random, call) {
    call.u32(random.below(2));
    writeEvent(random, call);
  },
  cursor_format(random, call) {
    call.text(mostlyRight(random, random.pick(['k3f9', 'a', 'abcdefghij012345', '']))).u64(seconds(random));
  },
  cursor_parse: (random, call) => call.text(mostlyRight(random, cursor(random))),
  error_message: (random, call) => call.u32(number(random, 60)),
  error_name: (random, call) => call.u32(number(random, 60)),
  feed(random, call) {
    call.u32(number(random, 2)).text(random.once(4) ? '' : cursor(random));
    const steps = random.below(20);
    call.u32(steps);
    for (let i = 0; i < steps; ++i) writeFeedStep(random, call);
  },
  fold(random, call) {
    const contract = contractId(random);
    const creates = random.once(6);
    const observes = random.once(6);
    const id = random.once(4) ? API_STREAM : `${contract}-${random.below(3)}`;
    call.u64(seconds(random)).u64(BigInt(random.u32()));
    // The ledger, what there is of call, ledger and hash, the entry's event, and its stream.
    call.u32(random.u32()).u32(random.once(10) ? random.below(8) : 7);
    call.u32(observes ? OBSERVED : random.below(10)).u32(random.once(40) ? random.below(100) : id.length);
    call.bytes(random.bytes(32)).bytes(Buffer.alloc(STREAM_ID_ROOM).fill(id, 0, id.length));
    // Often the stream that the event is about.
    call.text(creates ? '' : streamBytes(random, id));
    if (observes) writeObservation(random, call);
    else writeEvent(random, call, creates ? 'created' : random.pick(TOPICS));
  },
  is_contract_id: (random, call) =>
    call.text(mostlyRight(random, random.once(2) ? contractId(random) : strkey(random))),
  is_stream_id: (random, call) =>
    call.text(mostlyRight(random, random.once(3) ? API_STREAM : streamId(random))),
  is_stream_party: (random, call) => call.text(mostlyRight(random, strkey(random))),
  limits() {},
  retract(random, call) {
    const id = streamId(random);
    call.u64(random.u64());
    for (let i = 0; i < 2; ++i) call.text(random.once(5) ? '' : streamBytes(random, id));
  },
  scval_json: (random, call) => call.text(base64(random, random.once(100) ? deepScval(random) : scval(random))),
  stream_json: (random, call) => call.u64(seconds(random)).text(streamBytes(random, streamId(random))),
  strkey_decode: (random, call) => call.text(mostlyRight(random, strkey(random))),
  strkey_encode(random, call) {
    const [version, size] = random.pick(STRKEY_SIZES);
    call.u32(random.once(20) ? random.u32() : version).text(mostlyRight(random, strkeyPayload(random, size)));
  },
  units_divide: twoCellsRounded,
  units_rescale: (random, call) =>
    call.i128(units(random)).u32(number(random, 38)).u32(number(random, 38)).u32(number(random, 4)),
  verdict: (random, call) => call.u32(number(random, 12)),
  verify: (random, call) => writeVerify(random, call),
  // A verification of ed25519 takes as long as a hundred other calls.
  verify_by_public_key: (random, call) => writeVerify(random, call, random.once(10)),
  webhook_sign(random, call) {
    const secret = random.pick(SECRETS);
    call.u64(seconds(random)).text(random.once(5) ? spoil(random, Buffer.from(secret)) : secret);
    call.text(mostlyRight(random, `msg_${random.u32()}`)).text(body(random));
  },
};

/** The call of that number: its function's name and its bytes. */
export function makeCall(seed, index) {
  const random = new Random(seed, index);
  const name = random.pick(FUNCTION_NAMES);
  const call = new Writer().text(name);
  ARGUMENTS[name](random, call);
  return { name, record: call.take() };
}
