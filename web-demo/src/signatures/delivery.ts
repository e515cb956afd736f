import type { FluxoraCore, SignedHeaders, WebhookKey, WebhookVerdict } from '@fluxora/core';
import { FluxoraError } from '@fluxora/core';

/** The six headers, in the order in which the core gives them. */
export const HEADER_NAMES = [
  'webhook-id', 'webhook-timestamp', 'webhook-signature',
  'x-fluxora-delivery-id', 'x-fluxora-timestamp', 'x-fluxora-signature',
] as const satisfies readonly (keyof SignedHeaders)[];
export type HeaderName = typeof HEADER_NAMES[number];

/** What somebody wants signed, as typed. */
export interface Draft {
  secret: string;
  id: string;
  timestamp: string;
  body: string;
}

/** A delivery as its sender makes it. */
export interface Sent extends Readonly<Draft> {
  readonly headers: Readonly<SignedHeaders>;
}

/** Which secrets the receiver has: the sender's, and what else a life with secrets brings. */
export type KnownSecrets = 'same' | 'none' | 'another' | 'in_grace' | 'past_grace';

/** A delivery as it comes to its receiver, and the receiver. */
export interface Received {
  readonly body: string;
  /** Spaces behind the body: more than a text field should hold. */
  readonly padding: number;
  /** An empty one is absent. */
  readonly headers: Readonly<Record<HeaderName, string>>;
  /** The receiver's clock: seconds from the attempt's timestamp. */
  readonly clock: bigint;
  readonly secrets: KnownSecrets;
  readonly requireStandard: boolean;
}

export type DraftField = keyof Draft;

/** Why nothing could be signed. */
export interface SigningProblem {
  readonly field: DraftField;
  readonly code: string;
  readonly message: string;
}

const GRACE_SECONDS = 86_400n;

const PROBLEM_FIELDS: Record<string, DraftField> = {
  WEBHOOK_SECRET_INVALID: 'secret',
  WEBHOOK_ID_INVALID: 'id',
  TIME_INVALID: 'timestamp',
  // The package's own: all else that is signed is text, which has the right type.
  ARGUMENT_INVALID: 'timestamp',
  INPUT_TOO_LONG: 'body',
};

/** A secret as the service makes them: `whsec_` and base64 of 32 random bytes. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}

/** What core makes of a draft: six headers, or what is wrong with it. */
export function sign(core: FluxoraCore, draft: Draft): Sent | SigningProblem {
  try {
    const headers = core.webhooks.sign(draft);
    return { ...draft, timestamp: headers['webhook-timestamp'], headers };
  } catch (error) {
    if (!(error instanceof FluxoraError)) throw error;
    const { code, message } = error;
    return { field: PROBLEM_FIELDS[code] ?? 'body', code, message };
  }
}

/** The delivery as it was sent, at a receiver that knows the secret and has the right time. */
export function untouched({ body, headers }: Sent): Received {
  return { body, padding: 0, headers: { ...headers }, clock: 0n, secrets: 'same', requireStandard: false };
}

/** The bytes that arrive, as text. */
export function bodyOf({ body, padding }: Received): string {
  return body + ' '.repeat(padding);
}

/** The receiver's time in unix seconds. */
export function receiversTime({ timestamp }: Sent, { clock }: Received): bigint {
  const now = BigInt(timestamp) + clock;
  return now < 0n ? 0n : now;
}

/** The receiver's secrets. `another` is one that signed nothing here. */
export function keysOf(known: KnownSecrets, secret: string, another: string, now: bigint): WebhookKey[] {
  switch (known) {
    case 'same': return [secret];
    case 'none': return [];
    case 'another': return [another];
    case 'in_grace': return [another, { secret, graceEnds: now + GRACE_SECONDS }];
    case 'past_grace': return [another, { secret, graceEnds: now === 0n ? 0n : now - 1n }];
  }
}

/** The core's verdict on what arrives. */
export function verdictOn(core: FluxoraCore, sent: Sent, received: Received, another: string): WebhookVerdict {
  const now = receiversTime(sent, received);
  const { requireStandard } = received;
  const verifier = core.webhooks.verifier(keysOf(received.secrets, sent.secret, another, now), { requireStandard });
  try {
    return verifier.verify({ headers: { ...received.headers }, body: bodyOf(received), now });
  } finally {
    verifier.dispose();
  }
}
