import type { HeaderName, Received, Sent } from './delivery.js';

/** What can happen to a delivery on its way, or to its receiver. */
export interface Tampering {
  readonly name: string;
  readonly label: string;
  /** What arrives then; the same object where it can't be done. */
  readonly apply: (received: Received, sent: Sent) => Received;
}

export interface TamperingGroup {
  readonly title: string;
  readonly tamperings: readonly Tampering[];
}

/** The tolerance of SPEC section 8, and one second. */
const TOO_FAR_SECONDS = 301n;
/** One byte more than the core takes (webhook_signature.hpp), whatever the body. */
const TOO_MUCH_PADDING = 256 * 1024 + 1;
const AN_AMOUNT = /[0-9]\.[0-9]{7}/;
const VISIBLE = /[!-~]/g;

/** Text with another character at one place. */
function replacedAt(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at + 1);
}

/**
 * The lowest bit of one byte turned over: in the last digit of the first amount that isn't zero, so that one sees what
 * a thief would want; else in the first byte that is a visible character before and after.
 */
export function flipByte(body: string): string {
  const flipped = (at: number) => replacedAt(body, at, String.fromCharCode(body.charCodeAt(at) ^ 1));
  for (const { 0: amount, index } of body.matchAll(new RegExp(AN_AMOUNT, 'g'))) {
    if (/[1-9]/.test(amount)) return flipped(index + amount.length - 1);
  }
  // The neighbours of "!" and "~" are no visible characters.
  for (const { 0: character, index } of body.matchAll(VISIBLE)) {
    if (character !== '!' && character !== '~') return flipped(index);
  }
  return body;
}

/** JSON read and written again: it means the same, in other bytes. What is no JSON stays. */
export function rewriteJson(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    const indented = JSON.stringify(value, null, 2);
    return indented === body ? JSON.stringify(value) : indented;
  } catch {
    return body;
  }
}

function withBody(received: Received, body: string): Received {
  return body === received.body ? received : { ...received, body };
}

function withHeaders(received: Received, change: (value: string, name: HeaderName) => string): Received {
  const names = Object.keys(received.headers) as HeaderName[];
  const headers = Object.fromEntries(names.map((name) => [name, change(received.headers[name], name)]));
  return { ...received, headers: headers as Received['headers'] };
}

/** Leaves out the headers whose names end, or begin, so. */
function without(received: Received, isGone: (name: HeaderName) => boolean): Received {
  return withHeaders(received, (value, name) => (isGone(name) ? '' : value));
}

const isId = (name: HeaderName) => name.endsWith('-id');
const isTimestamp = (name: HeaderName) => name.endsWith('-timestamp');
const isSignature = (name: HeaderName) => name.endsWith('-signature');
const isStandard = (name: HeaderName) => name.startsWith('webhook-');

export const TAMPERING_GROUPS: readonly TamperingGroup[] = [
  {
    title: 'The body',
    tamperings: [
      { name: 'flip-byte', label: 'Flip a byte', apply: (received) => withBody(received, flipByte(received.body)) },
      { name: 'add-space', label: 'Add a space', apply: (received) => withBody(received, `${received.body} `) },
      {
        name: 'rewrite-json',
        label: 'Rewrite the JSON',
        apply: (received) => withBody(received, rewriteJson(received.body)),
      },
      { name: 'pad', label: 'Pad past 256 KiB', apply: (received) => ({ ...received, padding: TOO_MUCH_PADDING }) },
    ],
  },
  {
    title: 'The headers',
    tamperings: [
      {
        name: 'another-id',
        label: 'Another id',
        apply: (received, { id }) => withHeaders(received,
          (value, name) => (isId(name) && value !== '' ? `${id}_again` : value)),
      },
      {
        name: 'later-timestamp',
        label: 'Timestamp + 1 s',
        apply: (received, { timestamp }) => withHeaders(received,
          (value, name) => (isTimestamp(name) && value !== '' ? String(BigInt(timestamp) + 1n) : value)),
      },
      {
        name: 'odd-timestamp',
        label: 'Timestamp + 0.5 s',
        apply: (received, { timestamp }) => withHeaders(received,
          (value, name) => (isTimestamp(name) && value !== '' ? `${timestamp}.5` : value)),
      },
      { name: 'drop-id', label: 'Drop the id', apply: (received) => without(received, isId) },
      { name: 'drop-timestamp', label: 'Drop the timestamp', apply: (received) => without(received, isTimestamp) },
      { name: 'drop-signature', label: 'Drop the signature', apply: (received) => without(received, isSignature) },
      { name: 'only-fluxora', label: 'Only x-fluxora-*', apply: (received) => without(received, isStandard) },
      {
        name: 'only-standard',
        label: 'Only webhook-*',
        apply: (received) => without(received, (name) => !isStandard(name)),
      },
    ],
  },
  {
    title: 'The receiver',
    tamperings: [
      {
        name: 'clock-ahead',
        label: 'Clock 301 s ahead',
        apply: (received) => ({ ...received, clock: TOO_FAR_SECONDS }),
      },
      {
        name: 'clock-behind',
        label: 'Clock 301 s behind',
        apply: (received) => ({ ...received, clock: -TOO_FAR_SECONDS }),
      },
      { name: 'no-secret', label: 'No secret', apply: (received) => ({ ...received, secrets: 'none' }) },
      { name: 'another-secret', label: 'Another secret', apply: (received) => ({ ...received, secrets: 'another' }) },
      {
        name: 'in-grace',
        label: 'Replaced secret, in grace',
        apply: (received) => ({ ...received, secrets: 'in_grace' }),
      },
      {
        name: 'past-grace',
        label: 'Replaced secret, past grace',
        apply: (received) => ({ ...received, secrets: 'past_grace' }),
      },
      {
        name: 'require-standard',
        label: 'Insist on webhook-*',
        apply: (received) => ({ ...received, requireStandard: true }),
      },
    ],
  },
];
