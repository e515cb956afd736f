import type { FluxoraCore } from '@fluxora/core';
import { FluxoraError } from '@fluxora/core';
import type { Stream } from '@fluxora/core/feed';

import { groupAmount } from '../text/amounts.js';
import { KIND_NAMES } from '../text/streams.js';
import { dateTime } from '../text/times.js';

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** An address, to be told letter by letter. */
  readonly look?: 'mono';
}

const THIRTY_DAYS = 30n * 86_400n;

function perThirtyDays({ amounts }: FluxoraCore, stream: Stream): string {
  try {
    return groupAmount(amounts.format(amounts.multiply(amounts.parse(stream.ratePerSecond), THIRTY_DAYS)));
  } catch (error) {
    if (error instanceof FluxoraError && error.code === 'AMOUNT_OVERFLOW') return 'more than an amount can hold';
    throw error;
  }
}

/** What is known of a stream and doesn't move with time. */
export function streamFacts(core: FluxoraCore, stream: Stream): Fact[] {
  const ledger = stream.ledger === null ? '' : `, ledger ${stream.ledger.toLocaleString('en')}`;
  const facts: (Fact | false)[] = [
    { name: 'Sender', value: stream.sender, look: 'mono' },
    { name: 'Recipient', value: stream.recipient, look: 'mono' },
    { name: 'Token', value: stream.token ?? 'not known', look: 'mono' },
    { name: 'Kind', value: KIND_NAMES[stream.kind] ?? stream.kind },
    { name: 'Deposit', value: groupAmount(stream.depositAmount) },
    { name: 'Per second', value: groupAmount(stream.ratePerSecond) },
    { name: 'Per 30 days', value: perThirtyDays(core, stream) },
    { name: 'Withdrawn', value: groupAmount(stream.withdrawnAmount) },
    core.amounts.parse(stream.settledAmount) > 0n &&
      { name: 'Paid at cancellation', value: groupAmount(stream.settledAmount) },
    { name: 'Start', value: dateTime(stream.startTime) },
    stream.cliffTime !== stream.startTime && { name: 'Cliff', value: dateTime(stream.cliffTime) },
    { name: 'End', value: dateTime(stream.endTime) },
    stream.cancelledAt !== null && { name: 'Cancelled', value: dateTime(stream.cancelledAt) },
    { name: 'Last change', value: `log position ${stream.version}${ledger}` },
  ];
  return facts.filter((fact) => fact !== false);
}
