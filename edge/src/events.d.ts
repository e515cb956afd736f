/** What webhooks carry. Within a `schemaVersion` the service only adds members and, with new releases, types. */
import type { EventName, LogEntry } from '@fluxora/core/feed';

export type { EventName, LogEntry, Stream } from '@fluxora/core/feed';

/** An entry of the log, as a webhook of its name carries it. */
export type EntryEvent<Name extends EventName = EventName> = Name extends EventName ? {
  type: Name;
  /** The entry's close time, RFC 3339. */
  timestamp: string;
  data: LogEntry & {
    event: Name;
    /** `raw` was left out, because the body would have been over 256 KiB; `GET /api/events` has it. */
    rawOmitted?: true;
  };
} : never;

/** Sent by `POST /api/webhooks/endpoints/{id}/test`. */
export interface TestEvent {
  type: 'webhook.test';
  timestamp: string;
  data: { endpointId: string };
}

/** Told apart by `type`. A later service may send types that aren't here: pass over what a handler doesn't know. */
export type WebhookEvent = EntryEvent | TestEvent;
