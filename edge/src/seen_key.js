// A delivery's id as stores take it.

/** Fluxora's ids, and those of most others. Stores bound their keys; a sender's id is any text that it signs. */
const PLAIN = /^[!-~]{1,200}$/;

async function sha256(bytes) {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The id itself, or of one that is long or odd its SHA-256. */
export async function seenKey(id) {
  return PLAIN.test(id) ? id : `sha256:${await sha256(new TextEncoder().encode(id))}`;
}

/**
 * Of an id that may be unsigned: with the body, which is. Whoever shows a body that he has seen under an id that is
 * still to come would have the delivery of that id taken for handled otherwise.
 */
export async function seenKeyWithBody(id, body) {
  return seenKey(`${id}:${await sha256(body)}`);
}
