import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Where the shared vectors are; read in place, never copied. */
export const vectorsPath = process.env.FLUXORA_VECTORS ?? join(projectRoot, '..', 'shared', 'vectors');

/** For node:test's `skip`: false when the file is there, else one clear line. */
export function unlessPresent(...parts) {
  const path = join(vectorsPath, ...parts);
  return existsSync(path) ? false : `no vectors at ${path} (set FLUXORA_VECTORS)`;
}

export async function post(url, body, headers = { 'content-type': 'application/json' }) {
  return fetch(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** A call's result; throws the JSON-RPC error. */
export async function call(url, method, params) {
  const response = await post(url, { jsonrpc: '2.0', id: 1, method, params });
  const { result, error } = await response.json();
  if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
  return result;
}

/** Every event from `startLedger` on, as a client would page through them. */
export async function allEvents(url, { startLedger, filters, limit }) {
  const events = [];
  let pages = 0;
  let page = await call(url, 'getEvents', { startLedger, filters, pagination: { limit } });
  for (;;) {
    pages += 1;
    events.push(...page.events);
    const ledger = Number(BigInt(page.cursor.split('-')[0]) >> 32n);
    if (page.events.length < limit && ledger >= page.latestLedger) return { events, pages };
    page = await call(url, 'getEvents', { filters, pagination: { cursor: page.cursor, limit } });
  }
}
