import { wholeNumber } from './whole_number.js';

export class RetryLater extends Error {
  constructor(seconds) {
    super(`Not now; again in ${seconds} s.`);
    this.name = 'RetryLater';
    this.seconds = wholeNumber(seconds, 1, 86_400, 'seconds');
  }
}

export function retryLater(seconds) {
  return new RetryLater(seconds);
}
