import { Disconnected } from './feed_retry.js';

/** A message's JSON object. */
export function parseMessage(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (cause) {
    throw new Disconnected('The server sent what is no JSON.', { cause });
  }
  if (typeof message !== 'object' || message === null) throw new Disconnected('The server sent what is no message.');
  return message;
}
