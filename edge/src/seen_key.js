// A delivery id as stores take it.

/** Fluxora's ids, and those of most others. Stores bound their keys; a sender's id is any text that it signs. */
const PLAIN = /^[!-~]{1,200}$/;

/** The id itself, or of one that is long or odd its SHA-256. */
export async function seenKey(id) {
  if (PLAIN.test(id)) return id;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id));
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
