// Many connections and slow ones, with the limits that are served. SPEC section 5, "Limits".
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { checkGrowth, residentBytes } from '../harness/memory.js';
import { RawStream } from '../harness/raw_stream.js';
import { parseResponse } from '../harness/raw_http.js';
import { startStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

const CONNECTIONS = 10_000;
/** Besides the connections: the database, the listener, files. */
const OTHER_DESCRIPTORS = 500;
const AT_ONCE = 500;
const GET = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n';
/** More than the server's own limits, which are 10 s for a header and 30 s for a body. */
const PATIENCE = { deadlineMs: 120_000 };

const descriptorLimit = Number(/Max open files\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
const enoughDescriptors = descriptorLimit >= CONNECTIONS + OTHER_DESCRIPTORS
  ? {} : { skip: `${CONNECTIONS} connections need more than the ${descriptorLimit} descriptors that a process may have here` };

test('10,000 idle connections: all were served, others are, and their end is noticed', enoughDescriptors, async () => {
  const stack = await startStack({ simulator: false });
  const start = residentBytes(stack.server);
  const idle = [];
  for (let opened = 0; opened < CONNECTIONS; opened += AT_ONCE) {
    const some = await Promise.all(Array.from({ length: AT_ONCE }, () => RawStream.open(stack.server.port, GET)));
    await waitFor(() => some.every((stream) => stream.text.startsWith('HTTP/1.1 200 ')), { what: `answers after ${opened} connections` });
    idle.push(...some);
    assert.equal((await stack.request('/api/streams')).status, 200);
  }
  checkGrowth(stack.server, start, 160);
  // All of them at once want something again.
  const alive = idle.filter(({ ended }) => ended === null);
  assert.ok(alive.length > CONNECTIONS / 2, `${alive.length} are left: opening them took longer than an idle one may stay`);
  const seen = new Map(alive.map((stream) => [stream, stream.length]));
  for (const stream of alive) stream.send(GET);
  await waitFor(() => alive.every((stream) => stream.ended !== null || stream.length > (seen.get(stream) ?? 0)), { what: 'an answer on each' });
  for (const stream of idle) stream.destroy();
  const descriptors = () => readdirSync(`/proc/${stack.server.process?.pid}/fd`);
  await waitFor(() => descriptors().length < OTHER_DESCRIPTORS, { what: 'the server to let go of them' });
  assert.equal((await stack.request('/health/live')).status, 200);
  await stack.stop();
});

test('headers and bodies that don’t come to an end are answered 408, silence isn’t', async () => {
  const stack = await startStack({ simulator: false });
  const open = (bytes) => RawStream.open(stack.server.port, bytes);
  const header = await open('GET /health/live HTTP/1.1\r\nHost:');
  const dripping = await open('GET /health/live HTTP/1.1\r\nHost: a\r\nX: ');
  const body = await open('POST /api/streams HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  const chunks = await open('POST /api/streams HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal');
  const silent = await open();
  const all = [header, dripping, body, chunks, silent];
  await waitFor(() => {
    if (dripping.length === 0 && dripping.ended === null) dripping.send('x');
    return all.every(({ ended }) => ended !== null);
  }, { what: 'all of them to be ended', ...PATIENCE });
  for (const stream of [header, dripping, body, chunks]) {
    const { status, headers } = parseResponse(stream.text);
    assert.deepEqual([status, headers.connection, headers['content-type']], [408, 'close', 'application/problem+json']);
  }
  assert.equal(silent.length, 0);
  for (const stream of all) stream.destroy();
  await stack.stop();
});
