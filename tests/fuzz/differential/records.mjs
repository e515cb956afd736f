// The bytes that both sides read and write: little-endian numbers, texts with their size in front.

export class Writer {
  #bytes = Buffer.alloc(1024);
  #size = 0;

  #room(size) {
    while (this.#size + size > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#size += size;
    return this.#size - size;
  }

  u32(value) {
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value >>> 0, at);
    return this;
  }
  u64(value) {
    const at = this.#room(8);
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    return this;
  }
  i128(value) {
    return this.u64(value).u64(value >> 64n);
  }
  bytes(bytes) {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** A string's UTF-8, or bytes. */
  text(text) {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    return this.u32(bytes.length).bytes(bytes);
  }
  take() {
    return Buffer.from(this.#bytes.subarray(0, this.#size));
  }
}

export class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }
  u32() {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }
  u64() {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }
  bytes(size) {
    if (this.#at + size > this.#bytes.length) throw new RangeError('a call ends within its arguments');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
  text() {
    return this.bytes(this.u32());
  }
}
