/** What every entry of a receiver shares. SPEC section 8, "Verifying". */
import type { WebhookCode } from '@fluxora/core/verify';
import type { WebhookEvent } from './events.js';
import type { SeenClaim, SeenStore } from './seen.js';

/** Secrets, live all of them: `whsec_` and base64. Empty and absent ones (environment variables) are none. */
export type Secrets = string | null | undefined | readonly (string | null | undefined)[];

/** A secret that was replaced, and until when it is good: a Date, or unix seconds. Then `previous_secret_expired`. */
export interface PreviousSecret {
  secret: string | null | undefined;
  until: Date | number;
}

/** What the table of verdicts doesn't have, because it is the receiver's own. */
export type ReceiverCode =
  /** 405: only POST brings deliveries. */
  | 'method_not_allowed'
  /** 400: the sender went away, or the body broke off. */
  | 'body_unreadable'
  /** 408: the body wasn't there within `bodyTimeoutSeconds`. */
  | 'body_timeout'
  /** 500: something before the receiver (a body parser) has read the body: what was signed is gone. */
  | 'body_already_read'
  /** 400: signed well, but no JSON object. */
  | 'invalid_json'
  /** 200, 409, or 503 while the first copy is being handled. */
  | 'duplicate_delivery'
  /** 503: the store of handled deliveries can't be asked, or gave no answer in `storeTimeoutSeconds`. */
  | 'store_unavailable'
  /** 500: the event was handled, but that couldn't be remembered, so it will come again. */
  | 'store_failed'
  /** 500: `onEvent` threw. */
  | 'handler_failed'
  /** 500: `onEvent` took longer than `leaseSeconds`. */
  | 'handler_timeout'
  /** 429: `onEvent` asked for it, see `retryLater`. */
  | 'retry_later'
  /** 500: a secret that is none, or `secret`, `previousSecrets` or `seen` threw. */
  | 'receiver_misconfigured';

/** A delivery that isn't acknowledged, or (409) one that already was. Holds no secret, signature or body. */
export interface Rejection {
  code: Exclude<WebhookCode, 'ok'> | ReceiverCode;
  /** What was answered. */
  status: number;
  /** Null unless the signature was good: before, it is anyone's text. */
  deliveryId: string | null;
  /** What the handler, the store, or the configuration threw; it isn't shown to the sender. */
  error?: unknown;
}

/** Beside the event. */
export interface DeliveryInfo<Context> {
  /** Stable over retries and redeliveries of one delivery. */
  readonly deliveryId: string;
  /** Unix seconds of this attempt. */
  readonly timestamp: number;
  /** What was signed. */
  readonly rawBody: Uint8Array;
  /** The receiver's second argument: the environment in Workers, the connection's in Deno, … */
  readonly context: Context;
  /** Aborts when the claim ends (`leaseSeconds`): from then on another copy may be handled. */
  readonly signal: AbortSignal;
  /** For a store that can finish it in a transaction of the handler's own: `completeIn` of `@fluxora/edge/postgres`. */
  readonly claim: SeenClaim;
}

export interface ReceiverOptions<Context = unknown> {
  /** All live. A function is asked at each delivery, with the context, such as the environment of a Worker. */
  secret?: Secrets | ((context: Context) => Secrets | Promise<Secrets>);
  /** Those of a rotation with a grace: good until their time. */
  previousSecrets?: readonly PreviousSecret[]
    | ((context: Context) => readonly PreviousSecret[] | Promise<readonly PreviousSecret[]>);
  /**
   * Handles an event. The delivery is acknowledged once this has ended well and the store remembers it. Whatever it
   * throws has the event sent again later.
   */
  onEvent: (event: WebhookEvent, info: DeliveryInfo<Context>) => unknown;
  /**
   * Where handled deliveries are remembered. The default, `memoryStore()`, knows what this one isolate or process has
   * handled, and nothing after its end: enough to try, or where handling twice does no harm.
   */
  seen?: SeenStore | ((context: Context) => SeenStore | Promise<SeenStore>);
  /**
   * True: the `x-fluxora-*` headers alone are enough. They don't sign the delivery id, so who sees one delivery can
   * have it handled again under other ids for five minutes. So that this doesn't pass those ids' own deliveries off as
   * handled, what is remembered is then the id with the body's SHA-256 (`claim.id`). Default false.
   */
  allowLegacy?: boolean;
  /** How a delivery that was handled already is answered: 200 with `duplicate: true` (`ok`, the default), or 409. */
  duplicates?: 'ok' | 'conflict';
  /** At most 262,144, the default. */
  maxBodyBytes?: number;
  /** How long a body may take to arrive. 1 to 300, default 15. */
  bodyTimeoutSeconds?: number;
  /** `Retry-After` of a 503. 1 to 86,400, default 5. */
  retryAfterSeconds?: number;
  /** How long the store may take for an answer. 1 to 300, default 10; a sender of Fluxora's waits for 15 in all. */
  storeTimeoutSeconds?: number;
  /**
   * How long a handler may take, with the claim before it; then, or when its process died, the next copy is let in.
   * 1 to 3,600, default 60.
   */
  leaseSeconds?: number;
  /** How long handled deliveries are remembered. 600 to 31,536,000, default 604,800 (7 days). */
  keepSeconds?: number;
  /** Milliseconds since 1970; `Date.now` where it is missing. */
  clock?: () => number;
  /** Hears of all that isn't acknowledged, for logs. Where it is missing, those with a 500 go to `console.error`. */
  onReject?: (rejection: Rejection, context: Context) => unknown;
}

/** A delivery as servers have it that don't speak `Request` and `Response`. */
export interface PlainRequest {
  method: string;
  /** A header's value by its lower-case name; several lines of it joined by `, `. */
  header(name: string): string | null | undefined;
  /** The bytes as received. A longer one than `maxBodyBytes` may be cut anywhere behind that. */
  body: Uint8Array;
}

export interface PlainResponse {
  status: number;
  headers: [name: string, value: string][];
  body: string;
}

/** Answers each request; it never throws and never rejects. */
export interface Receiver<Context = unknown> {
  (request: Request, context?: Context, ...others: unknown[]): Promise<Response>;
  handle(request: PlainRequest, context?: Context): Promise<PlainResponse>;
  /** The answer to what the receiver never sees: a body that an adapter couldn't get. Told to `onReject`. */
  refuse(code: 'body_unreadable' | 'body_timeout' | 'body_already_read', context?: Context): PlainResponse;
  /** For a start: loads what verifying needs and reads the secrets; rejects with what is wrong with them. */
  ready(context?: Context): Promise<void>;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutSeconds: number;
}
