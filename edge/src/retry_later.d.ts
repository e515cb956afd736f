/**
 * Thrown or returned by `onEvent`: 429 with this `Retry-After` (1 to 86,400 seconds), and the event comes again.
 *
 * It says that the receiver as a whole has too much to do: Fluxora then sends nothing to the endpoint for that long, an
 * hour at most. For this one event alone, throw any other error: it comes again by the retry schedule while others go
 * on. Where handlers are slow, have them put events into a queue.
 */
export class RetryLater extends Error {
  constructor(seconds: number);
  readonly seconds: number;
}
export function retryLater(seconds: number): RetryLater;
