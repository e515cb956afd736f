// @fluxora/edge/aws-lambda beyond what its example shows: the shapes of events at their edges.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createReceiver } from '@fluxora/edge';
import { toLambdaHandler } from '@fluxora/edge/aws-lambda';

import { BODY_MAX, eventBody, newId, newSecret, nowSeconds, signedHeaders } from './sender.js';

const secret = newSecret();
const recorded = (name) => JSON.parse(readFileSync(new URL(`lambda_events/${name}.json`, import.meta.url), 'utf8'));

function handlerOf(options = {}) {
  const events = [];
  const onEvent = (event, info) => { events.push({ event, ...info }); };
  const receiver = createReceiver({ secret, onEvent, ...options });
  return { handler: toLambdaHandler(receiver), events };
}

const headersFor = (body) => signedHeaders({ id: newId(), timestamp: nowSeconds(), body, secrets: [secret] });
const renamed = (headers, rename) => Object.fromEntries(
  Object.entries(headers).map(([name, value]) => [rename(name), value]),
);

/** A recorded event about a body. */
const filled = (name, body, parts = {}) => ({
  ...recorded(name), headers: headersFor(body), body, isBase64Encoded: false, ...parts,
});

for (const name of ['rest_api', 'http_api', 'function_url']) {
  test(`${name}: text, and the same as base64`, async () => {
    const { handler } = handlerOf();
    const body = eventBody('größer');
    const event = filled(name, body, { multiValueHeaders: undefined });
    const encoded = { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
    const base64 = { ...filled(name, body, { multiValueHeaders: undefined }), ...encoded };
    for (const received of [event, base64]) {
      const answer = await handler(received);
      assert.deepEqual(answer, {
        statusCode: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
        body: '{"ok":true}',
        isBase64Encoded: false,
      });
    }
  });
}

test('1.0: the sender\'s spelling of names, and all values of one', async () => {
  const { handler } = handlerOf();
  const body = eventBody();
  const spelled = renamed(headersFor(body), (name) => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase()));
  const lists = Object.fromEntries(Object.entries(spelled).map(([name, value]) => [name, [value]]));
  const event = filled('rest_api', body, { headers: spelled, multiValueHeaders: lists });
  assert.equal((await handler(event)).statusCode, 200);
  assert.equal((await handler({ ...event, headers: null })).body, '{"ok":true,"duplicate":true}');
  // What the last value hides is seen in the list.
  lists['Webhook-Id'].unshift('msg_other');
  assert.equal((await handler(event)).statusCode, 401);
});

test('1.0: one name in two spellings is both values', async () => {
  const { handler } = handlerOf();
  const body = eventBody();
  const headers = { 'WEBHOOK-ID': 'msg_other', ...headersFor(body) };
  const answer = await handler(filled('rest_api', body, { headers, multiValueHeaders: null }));
  assert.equal(answer.statusCode, 401);
});

test('names that objects have anyway are no headers', async () => {
  const { handler } = handlerOf();
  const headers = JSON.parse('{"__proto__": "x", "constructor": "y"}');
  const answer = await handler(filled('http_api', '{}', { headers }));
  assert.equal(JSON.parse(answer.body).error, 'missing_delivery_id');
});

test('no body, no headers', async () => {
  const { handler } = handlerOf();
  for (const name of ['rest_api', 'http_api', 'function_url']) {
    const { headers, multiValueHeaders, body, ...event } = recorded(name);
    assert.equal((await handler(event)).statusCode, 401);
  }
  const answer = await handler(filled('rest_api', '', { body: null, multiValueHeaders: null }));
  assert.equal(JSON.parse(answer.body).error, 'invalid_json');
});

test('a body that is too large', async () => {
  const { handler } = handlerOf();
  const answer = await handler(filled('function_url', `{}${' '.repeat(BODY_MAX)}`));
  assert.equal(answer.statusCode, 413);
});

test('another method', async () => {
  const { handler } = handlerOf();
  const event = recorded('http_api');
  event.requestContext.http.method = 'GET';
  const { statusCode, headers } = await handler(event);
  assert.deepEqual([statusCode, headers.allow], [405, 'POST']);
});

test('an event of another kind', async () => {
  const { handler } = handlerOf();
  await assert.rejects(handler({ Records: [{ eventSource: 'aws:sqs' }] }), TypeError);
});

test('the handler gets the event and the function\'s context', async () => {
  const { handler, events } = handlerOf();
  const event = filled('http_api', eventBody());
  const lambda = { awsRequestId: 'c6af9ac6' };
  await handler(event, lambda);
  assert.equal(events[0].context.event, event);
  assert.equal(events[0].context.lambda, lambda);
});
