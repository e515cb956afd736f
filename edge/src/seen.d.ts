/** Stores of handled deliveries: what they promise, whichever it is. */

/** A delivery's id with the right to handle it. The token tells this claim from later ones of the same id. */
export interface SeenClaim {
  readonly id: string;
  readonly token: string;
  /** How long the id is to be remembered once it is handled. */
  readonly keepMs: number;
}

export type ClaimOutcome =
  /** Nobody has handled it, and nobody else is about to: it is the caller's for `leaseMs`. */
  | { state: 'new'; token: string }
  /** It was handled. */
  | { state: 'done' }
  /** Somebody is handling it, for so long at most. */
  | { state: 'busy'; retryAfterMs: number };

/**
 * Remembers which deliveries were handled. Every method may reject, which has the sender try again later. Stores with
 * a clock of their own go by that and not by `now` (milliseconds), so that machines needn't agree about the time.
 *
 * Ids are the sender's texts. Receivers with different secrets that share a store share its memory of them: whoever can
 * sign for one of them can have an id remembered under which another one's delivery then counts as handled. Senders
 * that don't trust each other need stores, or prefixes, of their own.
 */
export interface SeenStore {
  claim(id: string, options: { leaseMs: number; keepMs: number; now: number }): Promise<ClaimOutcome> | ClaimOutcome;
  /**
   * Remembers it as handled, for `keepMs`. False where the claim ran out and somebody else is handling it by now: then
   * nothing has changed. True also where it is remembered already.
   */
  complete(id: string, token: string, options: { keepMs: number; now: number }): Promise<boolean> | boolean;
  /** Lets the next copy in at once. Without effect where the claim isn't this token's any more. */
  release(id: string, token: string, options: { now: number }): Promise<void> | void;
}
