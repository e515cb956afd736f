/** Thrown or returned by `onEvent`: 429 with this `Retry-After` (1 to 86,400 seconds), and the event comes again. */
export class RetryLater extends Error {
  constructor(seconds: number);
  readonly seconds: number;
}
export function retryLater(seconds: number): RetryLater;
