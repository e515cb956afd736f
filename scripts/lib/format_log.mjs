// The server's JSON log lines as short human ones: time, level, event, message, then the fields that are left.
import { createInterface } from 'node:readline';

const COLOURS = { warn: '\x1b[33m', error: '\x1b[31m', fatal: '\x1b[31m' };
const PLAIN = '\x1b[0m';
const LONGEST_VALUE = 80;
const coloured = process.stdout.isTTY && !process.env.NO_COLOR;

function field(name, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${name}=${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text}`;
}

function format(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return line;
  // An id of a request is for searching the log, not for reading along.
  const { time, level = 'info', event = '', message = '', requestId, ...rest } = entry;
  const said = String(time ?? '');
  const clock = /T(\d\d:\d\d:\d\d)/.exec(said)?.[1] ?? new Date().toISOString().slice(11, 19);
  const fields = Object.entries(rest).filter(([, value]) => value !== null && value !== '').map(([name, value]) => field(name, value));
  const text = [clock, String(level).padEnd(5), event, message, ...fields].filter((part) => part !== '').join(' ');
  const colour = coloured ? COLOURS[level] : undefined;
  return colour ? `${colour}${text}${PLAIN}` : text;
}

// Ends when the server does, not when the terminal says so: its last lines are worth most.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdout.on('error', () => {});
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) process.stdout.write(`${format(line)}\n`);
