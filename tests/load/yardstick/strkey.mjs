// StrKeys of accounts and contracts (SEP-23): 32 bytes behind a version byte, with a checksum, in canonical base32.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const FORM = /^[GC][A-Z2-7]{55}$/;
const VERSIONS = { G: 6 << 3, C: 2 << 3 };
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** CRC16-XModem. @param {Uint8Array} bytes */
function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** @param {unknown} text */
export function isParty(text) {
  if (typeof text !== 'string' || !FORM.test(text)) return false;
  const bytes = new Uint8Array(35);
  let bits = 0;
  let held = 0;
  let filled = 0;
  for (const letter of text) {
    held = ((held << 5) | VALUES.get(letter)) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[filled] = (held >> bits) & 0xff;
      filled += 1;
    }
  }
  return bytes[0] === VERSIONS[text[0]] && crc16(bytes.subarray(0, 33)) === (bytes[33] | (bytes[34] << 8));
}

/** The n-th account: 28 zeros and n are its key. @param {number} n */
export function accountId(n) {
  const bytes = new Uint8Array(35);
  bytes[0] = VERSIONS.G;
  new DataView(bytes.buffer).setUint32(29, n);
  const crc = crc16(bytes.subarray(0, 33));
  bytes[33] = crc & 0xff;
  bytes[34] = crc >> 8;
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
  }
  return text;
}
