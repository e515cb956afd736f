/**
 * `createReceiver` for senders that sign with ed25519 (Standard Webhooks `v1a`) as well: an entry of its own, because
 * its module is twice as large. Fluxora signs with shared secrets, for which `@fluxora/edge` is enough.
 */
import type { Receiver, ReceiverOptions } from './receiver.js';

export * from './index.js';

/** Public keys of senders, `whpk_` and base64, all live. Empty and absent ones are none. */
export type PublicKeys = string | null | undefined | readonly (string | null | undefined)[];

export interface Ed25519ReceiverOptions<Context = unknown> extends ReceiverOptions<Context> {
  publicKeys?: PublicKeys | ((context: Context) => PublicKeys | Promise<PublicKeys>);
}

export function createReceiver<Context = unknown>(options: Ed25519ReceiverOptions<Context>): Receiver<Context>;
