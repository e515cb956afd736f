/** Handled deliveries in Cloudflare Workers KV. */
import type { SeenStore } from './seen.js';

/** What is used of a KV namespace's binding. */
export interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export interface WorkersKvStoreOptions {
  /** Before each key. Default `fluxora:seen:`. */
  prefix?: string;
}

/**
 * KV has no atomic step and shows a write elsewhere only after a minute or so. So a copy that arrives at another place
 * within that time, or at two isolates at once, may be handled twice; within one isolate it is not. What failed is
 * never remembered as handled. Where each event must be handled once: `@fluxora/edge/durable-object`.
 */
export function workersKvStore(namespace: KvNamespace, options?: WorkersKvStoreOptions): SeenStore;
