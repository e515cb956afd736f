// Which entries of the log belong to whom, from SPEC sections 4, 6 and 7 alone: the rule that the server's feeds are
// compared with. It reads the table, not an answer.

/**
 * What a feed asks for: one of the four, and an event's name where only those are wanted.
 * @typedef {{streamId?: string, recipient?: string, sender?: string, event?: string}} Topic no stream, no address: all
 */

/**
 * @typedef {object} Row of the log
 * @property {number} seq
 * @property {string} event
 * @property {string | null} streamId
 * @property {Parties | null} after whose stream it is after the entry
 * @property {Parties | null} before whose it was before
 */

/** @typedef {{sender: string, recipient: string}} Parties */

/** The parties in a stream's stored state: XDR, whose first members are id, source, kind, status, archived, sender, recipient. */
function readParties(/** @type {Buffer} */ state) {
  let offset = 0;
  const text = () => {
    const size = state.readUInt32BE(offset);
    const value = state.toString('utf8', offset + 4, offset + 4 + size);
    offset += 4 + size + ((4 - (size % 4)) % 4);
    return value;
  };
  text();
  offset += 4 * 4;
  const sender = text();
  return { sender, recipient: text() };
}

/**
 * The log, in order, with whom each entry concerns.
 * @param {import('../../integration/harness/stack.js').Database} db
 * @returns {Promise<Row[]>}
 */
export async function readLog(db) {
  const rows = await db.rows('SELECT seq, event, stream_id, stream_state FROM events ORDER BY seq');
  /** @type {Map<string, Parties | null>} */
  const owners = new Map();
  return rows.map(({ seq, event, stream_id: streamId, stream_state: state }) => {
    const before = owners.get(streamId) ?? null;
    // No state: an entry that changed no stream. An empty one: a retraction that left none.
    let after = before;
    if (state !== null) after = state.length === 0 ? null : readParties(state);
    if (streamId !== null) owners.set(streamId, after);
    return { seq: Number(seq), event, streamId, after: state === null ? null : after, before: state === null ? null : before };
  });
}

/** An entry is of the party that has the stream after it, and of the one that had it before. @param {Row} row @param {Topic} topic */
export function concerns(row, { streamId, recipient, sender, event }) {
  if (event !== undefined && row.event !== event) return false;
  if (streamId !== undefined) return row.streamId === streamId;
  if (recipient !== undefined) return [row.after, row.before].some((parties) => parties?.recipient === recipient);
  if (sender !== undefined) return [row.after, row.before].some((parties) => parties?.sender === sender);
  return true;
}

/** The positions that a feed of the topic has to bring after a position. @param {Row[]} log @param {Topic} topic @param {number} after */
export const expectedSeqs = (log, topic, after) => log.filter((row) => row.seq > after && concerns(row, topic)).map(({ seq }) => seq);
