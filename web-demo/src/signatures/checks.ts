import type { WebhookCode } from '@fluxora/core';

import type { Received } from './delivery.js';

/** One row of SPEC section 8's table. */
export interface Check {
  /** `duplicate_delivery` is what a receiver's memory says, never the signature. */
  readonly code: WebhookCode | 'duplicate_delivery';
  readonly status: string;
  readonly condition: string;
  /** What it means that this row decides, and what to do. */
  readonly meaning: string;
}

/** In the order in which they are made: the first that holds decides. */
export const CHECKS: readonly Check[] = [
  {
    code: 'missing_secret',
    status: '500',
    condition: 'No secret is configured',
    meaning: 'The receiver has no secret, so it can’t tell who sent anything. That is its own fault, hence 500: the ' +
      'delivery comes again.',
  },
  {
    code: 'missing_delivery_id',
    status: '401',
    condition: 'No delivery id',
    meaning: 'The header with the delivery’s id isn’t there. A proxy may let only headers pass that it knows.',
  },
  {
    code: 'missing_timestamp',
    status: '401',
    condition: 'No timestamp',
    meaning: 'The header with the time of the attempt isn’t there, so nobody can tell how old the delivery is.',
  },
  {
    code: 'missing_signature',
    status: '401',
    condition: 'No signature',
    meaning: 'The header with the signature isn’t there. Anybody could have written the rest.',
  },
  {
    code: 'payload_too_large',
    status: '413',
    condition: 'A body over 256 KiB',
    meaning: 'The service never sends so much. It is refused by its size, before anything is computed over it.',
  },
  {
    code: 'invalid_timestamp',
    status: '400',
    condition: 'A timestamp that isn’t whole unix seconds',
    meaning: 'The timestamp must be 1 to 15 digits without a leading zero. Its text is part of what is signed, so ' +
      'there is one way to write it.',
  },
  {
    code: 'timestamp_outside_tolerance',
    status: '401',
    condition: 'More than 300 s from now, either side',
    meaning: 'The attempt was made more than five minutes from the receiver’s time. A delivery that somebody kept ' +
      'and shows again later ends here, and so does one at a receiver whose clock is off.',
  },
  {
    code: 'signature_mismatch',
    status: '401',
    condition: 'No signature that one of the secrets made for these bytes',
    meaning: 'The signature doesn’t belong to what arrived: a byte is another one, or the secret is. The bytes count ' +
      'as they came, so JSON that was parsed and written again fails too.',
  },
  {
    code: 'previous_secret_expired',
    status: '401',
    condition: 'One that only a replaced secret past its grace made',
    meaning: 'The signature is right, but the secret that made it was replaced and its grace is over. The sender, or ' +
      'this receiver, has missed a rotation.',
  },
  {
    code: 'duplicate_delivery',
    status: '200',
    condition: 'A delivery that was handled already',
    meaning: 'The receiver remembers ids for seven days, and answers a delivery that it has handled without doing ' +
      'anything.',
  },
  {
    code: 'ok',
    status: '200',
    condition: 'Otherwise',
    meaning: 'A secret of the receiver’s made this signature, for these very bytes, within the last five minutes.',
  },
];

/** `elsewhere`: it is made, but not by the signature. */
export type CheckState = 'passed' | 'decides' | 'unreached' | 'elsewhere';

/** What became of each check when `code` was the verdict. */
export function checkStates(code: WebhookCode): CheckState[] {
  const decided = CHECKS.findIndex((check) => check.code === code);
  return CHECKS.map((check, index) => {
    if (index === decided) return 'decides';
    if (index > decided) return 'unreached';
    return check.code === 'duplicate_delivery' ? 'elsewhere' : 'passed';
  });
}

/** Which headers decide, in words: the core takes `webhook-*` where any of them is there, or has to be. */
export function decidingFamily({ headers, requireStandard }: Received): 'webhook-*' | 'x-fluxora-*' {
  const standard = [headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature']];
  return requireStandard || standard.some((value) => value !== '') ? 'webhook-*' : 'x-fluxora-*';
}

const FLUXORA_ALONE = 'The x-fluxora-* headers alone are enough here. They don’t sign the delivery id: ' +
  'a receiver that remembers ids should insist on webhook-*.';
const ANOTHER_ID = 'Accepted with another id: the x-fluxora-* signature doesn’t cover it. ' +
  'That is why a receiver that remembers ids insists on webhook-*.';

/** What a verdict of `ok` leaves open where not everything is as it was sent; null where nothing is. */
export function okAlthough(received: Received, hasChanged: boolean, signedId: string): string | null {
  if (!hasChanged) return null;
  if (decidingFamily(received) === 'x-fluxora-*') {
    return received.headers['x-fluxora-delivery-id'] === signedId ? FLUXORA_ALONE : ANOTHER_ID;
  }
  return 'Accepted all the same: what has changed isn’t signed, or doesn’t decide.';
}
