// Where an event stands: ledger, transaction, operation, index. The server writes it as
// "%019d-%010d" of the TOID (ledger << 32 | transaction << 12 | operation) and the index; both event
// ids and getEvents cursors have this form, and sort as text.

export const MAX_TX = (1 << 20) - 1;
export const MAX_OP = (1 << 12) - 1;
export const MAX_EVENT = 0xffffffff;
const MAX_INT64 = (1n << 63n) - 1n;

/**
 * @typedef {object} Cursor
 * @property {number} ledger
 * @property {number} tx
 * @property {number} op
 * @property {number} event
 */

/** @param {Cursor} cursor */
export function formatCursor({ ledger, tx, op, event }) {
  const toid = (BigInt(ledger) << 32n) | (BigInt(tx) << 12n) | BigInt(op);
  return `${toid.toString().padStart(19, '0')}-${String(event).padStart(10, '0')}`;
}

/**
 * @param {string} text
 * @returns {Cursor}
 * @throws {Error} with the server's own wording
 */
export function parseCursor(text) {
  const dash = text.indexOf('-');
  if (dash < 0) throw new Error(`invalid event id ${text}`);
  const [toidText, eventText] = [text.slice(0, dash), text.slice(dash + 1)];
  if (!/^[0-9]{1,20}$/.test(toidText) || !/^[0-9]{1,20}$/.test(eventText)) {
    throw new Error(`invalid event id ${text}`);
  }
  const toid = BigInt(toidText);
  const event = BigInt(eventText);
  if (toid > MAX_INT64 || event > BigInt(MAX_EVENT)) throw new Error(`invalid event id ${text}`);
  return {
    ledger: Number(toid >> 32n),
    tx: Number((toid >> 12n) & BigInt(MAX_TX)),
    op: Number(toid & BigInt(MAX_OP)),
    event: Number(event),
  };
}

/**
 * The first position after `cursor`. The server increments an unsigned 32-bit number, so the cursor
 * of an exhausted span (index 4294967295) wraps to 0 of the same, unused, operation slot.
 * @param {Cursor} cursor
 * @returns {Cursor}
 */
export function after(cursor) {
  return { ...cursor, event: (cursor.event + 1) >>> 0 };
}

/** The last position a ledger can have: the cursor of a page that didn't fill. @param {number} ledger */
export function endOfLedger(ledger) {
  return formatCursor({ ledger, tx: MAX_TX, op: MAX_OP, event: MAX_EVENT });
}
