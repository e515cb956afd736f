// A reporter for node --test: silent about what passes, complete about what fails, and the counts in the file that
// $TEST_COUNTS names, as one line "passed failed skipped". The numbers are the test runner's own summary.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';

const PRINTED_LINES = 400;

function place({ file, line, column }) {
  return file ? ` (${relative(process.cwd(), file)}${line ? `:${line}:${column}` : ''})` : '';
}

function indent(text) {
  return text.replace(/^/gm, '      ');
}

/** A failed parent ("1 subtest failed") only repeats what its child said. */
function repeatsItsChildren(error) {
  return error?.failureType === 'subtestsFailed';
}

export default async function* report(events) {
  /** What a test file printed since its last result, by file. @type {Map<string, string[]>} */
  const printed = new Map();
  const totals = { pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      const lines = printed.get(data.file) ?? [];
      lines.push(data.message);
      if (lines.length > PRINTED_LINES) lines.shift();
      printed.set(data.file, lines);
    } else if (type === 'test:pass' && data.skip !== undefined) {
      const reason = typeof data.skip === 'string' && data.skip !== '' ? `: ${data.skip}` : '';
      yield `    skipped  ${data.name}${reason}\n`;
    } else if (type === 'test:fail' && data.todo === undefined && !repeatsItsChildren(data.details.error)) {
      const { error } = data.details;
      const lines = printed.get(data.file) ?? [];
      printed.delete(data.file);
      yield `    FAILED   ${data.name}${place(data)}\n${indent(inspect(error.cause ?? error, { depth: 8, breakLength: 120 }))}\n`;
      if (lines.length > 0) yield `      what it printed:\n${indent(lines.join('').trimEnd())}\n`;
    } else if (type === 'test:diagnostic' && data.nesting === 0) {
      const [, name, count] = /^([a-z]+) (\d+)$/.exec(data.message) ?? [];
      if (name in totals) totals[name] = Number(count);
    }
  }
  writeFileSync(
    process.env.TEST_COUNTS,
    `${totals.pass} ${totals.fail + totals.cancelled} ${totals.skipped + totals.todo}\n`,
  );
}
