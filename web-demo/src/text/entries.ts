import type { LogEntry } from '@fluxora/core/feed';

import { shortAddress } from './addresses.js';
import { plainAmount } from './amounts.js';
import { dateTime, type Seconds } from './times.js';

const TITLES: Record<string, string> = {
  'stream.created': 'Stream created',
  'stream.updated': 'Stream changed',
  'stream.cancelled': 'Stream cancelled',
  'stream.completed': 'Stream completed',
  'stream.cliff_reached': 'Cliff reached',
  'stream.ended': 'Stream ended',
  'stream.observed': 'Read from storage',
  'stream.retracted': 'Retracted by a reorg',
  'protocol.event': 'Protocol event',
  'chain.event': 'Contract event',
};

/** The events by their names, and what they are to people. */
export const EVENT_TITLES: ReadonlyMap<string, string> = new Map(Object.entries(TITLES));

const KIND_TITLES: Record<string, string> = {
  withdrew: 'Withdrawal',
  wdraw_to: 'Withdrawal to another address',
  paused: 'Stream paused',
  resumed: 'Stream resumed',
  kp_cncl: 'Cancelled by a keeper',
  closed: 'Stream closed',
  rate_upd: 'Rate changed',
  rate_dec: 'Rate lowered',
  end_shrt: 'End brought forward',
  end_ext: 'End put back',
  top_up: 'Topped up',
  recp_upd: 'New recipient',
  sndr_xfr: 'New sender',
  del_share: 'Share delegated',
};

const FIELDS: Record<string, string> = {
  depositAmount: 'deposit',
  ratePerSecond: 'per second',
  withdrawnAmount: 'withdrawn',
  settledAmount: 'settled',
  recipient: 'recipient',
  sender: 'sender',
  endTime: 'ends',
  cliffTime: 'cliff',
  token: 'token',
};
/** Of these, what they are now is enough. */
const TIMES = ['endTime', 'cliffTime'];

/** What happened, in a few words. */
export function entryTitle({ event, kind }: LogEntry): string {
  const title = TITLES[event] ?? event;
  return event === 'stream.updated' ? KIND_TITLES[kind ?? ''] ?? title : title;
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value !== 'string') return String(value);
  return /^-?[0-9]+\.[0-9]{7}$/.test(value) ? plainAmount(value) : shortAddress(value);
}

/** What an entry changed, in a few words: at most two of its fields. */
export function changeText({ change = {} }: LogEntry): string {
  return Object.entries(change)
    .filter(([name]) => name in FIELDS)
    .slice(0, 2)
    .map(([name, [before, after]]) => (TIMES.includes(name) ? `${FIELDS[name]} ${dateTime(after as Seconds)}`
      : `${FIELDS[name]} ${shown(before)} → ${shown(after)}`))
    .join(', ');
}
