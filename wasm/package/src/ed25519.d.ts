/** Webhooks verified with shared secrets and with senders' public keys (`whpk_…`, ed25519), in a module of its own. */
export * from './verify.js';
