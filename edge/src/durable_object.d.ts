/** Handled deliveries in Cloudflare Durable Objects: atomic wherever the copies arrive. */
import type { SeenStore } from './seen.js';

/** What is used of a Durable Object namespace's binding. */
export interface DurableObjectNamespaceLike {
  idFromName(name: string): unknown;
  get(id: any): { fetch(url: string, init: { method: string; body: string }): Promise<Response> };
}

export interface DurableObjectStoreOptions {
  /** Over how many objects the deliveries are spread, 1 to 1,000. Changing it forgets. Default 8. */
  shards?: number;
  /** Before each key. Default none. */
  prefix?: string;
}

/** The store that a Worker asks. Rejects where the object can't be reached or answers with an error. */
export function durableObjectStore(
  namespace: DurableObjectNamespaceLike,
  options?: DurableObjectStoreOptions,
): SeenStore;

/** The object: exported by the Worker, and in its configuration a class with SQLite (`new_sqlite_classes`). */
export class SeenDeliveries {
  constructor(state: unknown);
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}
