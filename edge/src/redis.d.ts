/** Handled deliveries in Redis (or Valkey): atomic. */
import type { SeenStore } from './seen.js';

/**
 * Sends one command and gives its reply.
 *
 * - npm `redis`: `(words) => client.sendCommand(words)`
 * - npm `ioredis`: `([name, ...rest]) => client.call(name, ...rest)`
 * - Redis over HTTP, as Upstash has it: POST the words as a JSON array with `Authorization: Bearer …`, and give the
 *   `result` of the answer; throw where it has an `error`
 */
export type RedisCommand = (words: string[]) => Promise<unknown>;

export interface RedisStoreOptions {
  /** Before each key. Default `fluxora:seen:`. */
  prefix?: string;
}

/**
 * Goes by Redis' clock. It promises what the Redis does: one that evicts keys, restarts without persistence or fails
 * over to a replica that hadn't heard yet has forgotten, and what it forgot is handled again. Never is something lost.
 */
export function redisStore(command: RedisCommand, options?: RedisStoreOptions): SeenStore;
