/** Webhooks verified with shared secrets, and nothing else, in a module of a few kilobytes. */
import type { WebhookVerifying } from './index.js';

export { FluxoraError } from './index.js';
export type {
  FluxoraErrorCode,
  ReceivedDelivery,
  WebhookCode,
  WebhookHeaders,
  WebhookKey,
  WebhookVerdict,
  WebhookVerifier,
  WebhookVerifierOptions,
  WebhookVerifying,
} from './index.js';

/** The small module, ready: everything in it is synchronous and throws `FluxoraError`. */
export interface FluxoraVerify {
  readonly webhooks: WebhookVerifying;
}

/** As `load` of `@fluxora/core`, with the small module. */
export function load(source?: URL | string | WebAssembly.Module): Promise<FluxoraVerify>;

/** As `fromModule` of `@fluxora/core`, with the small module. */
export function fromModule(module: WebAssembly.Module): FluxoraVerify;
