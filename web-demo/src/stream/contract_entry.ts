/** What a stream's contract holds of it, read from the service's proof. */
import { FluxoraError, type FluxoraCore } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { compareMembers, type Member } from './comparison.js';

export interface Proof {
  readonly stream: Stream;
  /** A LedgerKey, and the LedgerEntryData under it, as base64 XDR. */
  readonly entry: { key: string; xdr: string; lastModifiedLedger: number; liveUntilLedger?: number };
  readonly ledger: { sequence: number; hash: string; closedAt: string };
}

/** An ScVal in SEP-51 JSON. */
type Json = string | { readonly [arm: string]: unknown };

const STATUSES = ['active', 'paused', 'completed', 'cancelled'];
const KINDS = ['linear', 'cliff_only', 'cliff_slope'];

/** What a contract holds of a stream. */
export interface Stored {
  readonly contract: string;
  readonly fields: ReadonlyMap<string, Json>;
}

/** An ScVal's type, before the address that it is then. */
const ADDRESS = '\0\0\0\x12';
/** Of a key: its type, and the contract's address. */
const [TYPE_BYTES, CONTRACT_BYTES] = [4, 36];

/**
 * What is in a contract data entry. Of the entry (a type, an empty extension, the contract, the key, the durability, the
 * value) its key has all but the extension and the value. Null where it is no such entry, another key's, or no stream's.
 */
export function readStored(core: FluxoraCore, { key, xdr }: Proof['entry']): Stored | null {
  try {
    const [keyBytes, entryBytes] = [atob(key), atob(xdr)];
    const type = keyBytes.slice(0, TYPE_BYTES);
    const head = `${type}\0\0\0\0${keyBytes.slice(TYPE_BYTES)}`;
    if (!entryBytes.startsWith(head)) return null;
    const decode = (scval: string): Json => JSON.parse(core.scvalToJson(btoa(scval))) as Json;
    const contract = decode(ADDRESS + keyBytes.slice(TYPE_BYTES, TYPE_BYTES + CONTRACT_BYTES));
    const fields = members(decode(entryBytes.slice(head.length)));
    if (typeof contract === 'string' || !fields.has('stream_id')) return null;
    return { contract: String(contract.address), fields };
  } catch (error) {
    // It isn't base64, or not XDR.
    if (error instanceof DOMException || error instanceof FluxoraError) return null;
    throw error;
  }
}

/** The members of a struct, by their names. */
function members(value: Json): Map<string, Json> {
  type Pair = { key: { symbol?: string }; val: Json };
  const pairs = typeof value === 'object' && Array.isArray(value.map) ? value.map as Pair[] : [];
  return new Map(pairs.map(({ key, val }) => [key.symbol ?? '', val]));
}

/** Compares what the contract holds with what the service says, where both say the same thing. */
export function compareStored(core: FluxoraCore, { contract, fields }: Stored, stream: Stream): Member[] {
  const arm = (name: string, type: string): unknown => {
    const value = fields.get(name);
    return typeof value === 'object' ? value[type] : undefined;
  };
  const amount = (name: string): unknown => {
    const units = arm(name, 'i128');
    return typeof units === 'string' ? core.amounts.format(BigInt(units)) : undefined;
  };
  const u64 = (name: string): unknown => {
    const value = arm(name, 'u64');
    return value === undefined ? fields.get(name) === 'void' ? null : undefined : String(value);
  };
  const one = (name: string, of: readonly string[]): unknown => of[arm(name, 'u32') as number];

  const status = one('status', STATUSES);
  const depositAmount = amount('deposit_amount');
  const theirs = {
    id: `${contract}-${u64('stream_id')}`,
    sender: arm('sender', 'address'),
    recipient: arm('recipient', 'address'),
    depositAmount,
    ratePerSecond: amount('rate_per_second'),
    // A completed stream counts as wholly withdrawn, also where a relayer's fee went out of it.
    withdrawnAmount: status === 'completed' ? depositAmount : amount('withdrawn_amount'),
    startTime: u64('start_time'),
    cliffTime: u64('cliff_time'),
    endTime: u64('end_time'),
    cancelledAt: u64('cancelled_at'),
    status,
    kind: one('kind', KINDS),
    checkpointedAmount: amount('checkpointed_amount'),
    checkpointedAt: u64('checkpointed_at'),
  };
  const ours = Object.fromEntries(Object.keys(theirs).map((name) => [name, shown(stream, name)]));
  // Older contracts hold less: what isn't stored can't be compared.
  return compareMembers(ours, theirs).filter(({ name }) => theirs[name as keyof typeof theirs] !== undefined);
}

function shown(stream: Stream, name: string): unknown {
  const value = stream[name as keyof Stream];
  if (name === 'status' && value === 'scheduled') return 'active';
  return typeof value === 'number' ? String(value) : value;
}
