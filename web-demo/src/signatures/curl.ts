import { HEADER_NAMES, bodyOf, type Received } from './delivery.js';

/** Bytes of one argument of a command: Linux takes 131,071 (MAX_ARG_STRLEN). */
const ARGUMENT_MAX = 100_000;

/** Text as one word of a POSIX shell. Within single quotes nothing but their end means anything. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The delivery's event, as `x-fluxora-event` has it; null where the body has none. */
export function eventOf(body: string): string | null {
  try {
    const { type } = JSON.parse(body) as { type?: unknown };
    return typeof type === 'string' && /^[\w.]+$/.test(type) ? type : null;
  } catch {
    return null;
  }
}

/**
 * A command that sends what arrives to a URL; null where the body is too long for one, or can't be an argument.
 * --data-raw takes the body as it stands, also where it begins with "@"; --globoff the URL.
 */
export function curlCommand(url: string, received: Received): string | null {
  const body = bodyOf(received);
  if (new TextEncoder().encode(body).length > ARGUMENT_MAX || body.includes('\0')) return null;
  const event = eventOf(body);
  const headers = [
    'content-type: application/json',
    ...HEADER_NAMES.filter((name) => received.headers[name] !== '').map((name) => `${name}: ${received.headers[name]}`),
    ...(event === null ? [] : [`x-fluxora-event: ${event}`]),
  ];
  return [
    `curl --globoff --include --request POST --url ${shellQuoted(url)}`,
    ...headers.map((header) => `  --header ${shellQuoted(header)}`),
    `  --data-raw ${shellQuoted(body)}`,
  ].join(' \\\n');
}
