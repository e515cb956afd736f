/** Handled deliveries in this process's memory. */
import type { SeenStore } from './seen.js';

export interface MemoryStoreOptions {
  /** How many handled deliveries are remembered (the oldest is forgotten first), and claims held. Default 100,000. */
  maxEntries?: number;
}

/**
 * Atomic within one process or isolate. Another one (a second instance, the next isolate of an edge function) knows
 * nothing of it, and neither does the process after a restart: the same delivery can be handled again there.
 */
export function memoryStore(options?: MemoryStoreOptions): SeenStore;
