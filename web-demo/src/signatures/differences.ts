import { HEADER_NAMES, untouched, type HeaderName, type KnownSecrets, type Received, type Sent } from './delivery.js';

export type DifferencePlace = 'body' | HeaderName | 'clock' | 'secrets' | 'requireStandard';

/** One thing that isn't as it was sent. */
export interface Difference {
  readonly place: DifferencePlace;
  readonly text: string;
}

/** Where two texts part and meet again: what stands there in each, and where it begins in UTF-8 bytes. */
export interface BodyDifference {
  readonly byte: number;
  /** A few characters before and behind. */
  readonly before: string;
  readonly was: string;
  readonly now: string;
  readonly after: string;
}

const CONTEXT = 18;
const encoder = new TextEncoder();
const bytesIn = (text: string) => encoder.encode(text).length;
const isHighSurrogate = (text: string, at: number) => /[\uD800-\uDBFF]/.test(text.charAt(at));
const isLowSurrogate = (text: string, at: number) => /[\uDC00-\uDFFF]/.test(text.charAt(at));

/** The one stretch outside of which two bodies are the same; null where they are. */
export function bodyDifference(sent: string, received: string): BodyDifference | null {
  if (sent === received) return null;
  const shorter = Math.min(sent.length, received.length);
  let begin = 0;
  while (begin < shorter && sent[begin] === received[begin]) begin += 1;
  if (begin > 0 && isHighSurrogate(sent, begin - 1)) begin -= 1;
  let end = 0;
  while (end < shorter - begin && sent[sent.length - 1 - end] === received[received.length - 1 - end]) end += 1;
  if (end > 0 && isLowSurrogate(sent, sent.length - end)) end -= 1;
  const behind = sent.length - end;
  return {
    byte: bytesIn(sent.slice(0, begin)),
    before: sent.slice(Math.max(0, begin - CONTEXT), begin),
    was: sent.slice(begin, behind),
    now: received.slice(begin, received.length - end),
    after: sent.slice(behind, behind + CONTEXT),
  };
}

const count = (bytes: number) => `${bytes.toLocaleString('en')} byte${bytes === 1 ? '' : 's'}`;

function bodyText({ byte, was, now }: BodyDifference): string {
  const at = byte.toLocaleString('en');
  const [before, after] = [bytesIn(was), bytesIn(now)];
  if (before === 0) return `Body: ${count(after)} more, at byte ${at}`;
  if (after === 0) return `Body: ${count(before)} less, at byte ${at}`;
  if (before === 1 && after === 1) return `Body: byte ${at} is another one`;
  return `Body: from byte ${at} on, ${count(after)} instead of ${count(before)}`;
}

const SECRETS_TEXT: Record<Exclude<KnownSecrets, 'same'>, string> = {
  none: 'The receiver has no secret',
  another: 'The receiver has another secret',
  in_grace: 'The receiver has a new secret; this one is good for another day',
  past_grace: 'The receiver has a new secret; this one’s grace ended a second ago',
};

function clockText(clock: bigint): string {
  const seconds = (clock < 0n ? -clock : clock).toLocaleString('en');
  return `The receiver’s clock is ${seconds} s ${clock < 0n ? 'behind' : 'ahead'}`;
}

/** What isn't as it was sent, or isn't as it should be at the receiver. */
export function differences(sent: Sent, received: Received): Difference[] {
  const found: Difference[] = [];
  const body = bodyDifference(sent.body, received.body);
  if (body !== null) found.push({ place: 'body', text: bodyText(body) });
  if (received.padding > 0) found.push({ place: 'body', text: `Body: ${count(received.padding)} of spaces behind it` });
  for (const name of HEADER_NAMES) {
    const value = received.headers[name];
    if (value === sent.headers[name]) continue;
    found.push({ place: name, text: value === '' ? `${name} is missing` : `${name} is another one` });
  }
  if (received.clock !== 0n) found.push({ place: 'clock', text: clockText(received.clock) });
  if (received.secrets !== 'same') found.push({ place: 'secrets', text: SECRETS_TEXT[received.secrets] });
  if (received.requireStandard) found.push({ place: 'requireStandard', text: 'The receiver insists on webhook-*' });
  return found;
}

/** The same with one thing as it was. */
export function putBack(received: Received, sent: Sent, place: DifferencePlace): Received {
  const original = untouched(sent);
  switch (place) {
    case 'body': return { ...received, body: original.body, padding: 0 };
    case 'clock': return { ...received, clock: original.clock };
    case 'secrets': return { ...received, secrets: original.secrets };
    case 'requireStandard': return { ...received, requireStandard: original.requireStandard };
    default: return { ...received, headers: { ...received.headers, [place]: original.headers[place] } };
  }
}
