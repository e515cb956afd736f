/**
 * A receiver of webhooks: verified over the bytes as they came, each delivery handled once, acknowledged only when its
 * handler has ended well.
 *
 * ```js
 * export default { fetch: createReceiver({ secret: (env) => env.WEBHOOK_SECRET, onEvent: async (event) => … }) };
 * ```
 */
import type { Receiver, ReceiverOptions } from './receiver.js';

export { RetryLater, retryLater } from './retry_later.js';
export type {
  DeliveryInfo, PlainRequest, PlainResponse, PreviousSecret, Receiver, ReceiverCode, ReceiverOptions, Rejection,
  Secrets,
} from './receiver.js';
export type { ClaimOutcome, SeenClaim, SeenStore } from './seen.js';
export type { EntryEvent, EventName, LogEntry, Stream, TestEvent, WebhookEvent } from './events.js';

/** Throws TypeError for options of another type, out of their bounds, or with a name that isn't one. */
export function createReceiver<Context = unknown>(options: ReceiverOptions<Context>): Receiver<Context>;
