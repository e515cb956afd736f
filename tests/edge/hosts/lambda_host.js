// A Lambda function's folder behind what stands before such functions: each path has its own kind of event, filled into
// one as it was recorded.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const GATEWAY_MAX = 10 * 1024 * 1024;

const { handler } = await import(pathToFileURL(join(resolve(process.argv[2]), 'index.js')).href);

const recorded = (name) => JSON.parse(readFileSync(new URL(`../lambda_events/${name}.json`, import.meta.url), 'utf8'));
const pairs = ({ rawHeaders }) => rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []));

/** Payload format 1.0: names as they were sent, the last value and all of them, the body as text. */
function restApiEvent(request, body) {
  const all = new Map();
  for (const [name, value] of pairs(request)) all.set(name, [...all.get(name) ?? [], value]);
  return {
    ...recorded('rest_api'),
    httpMethod: request.method,
    headers: Object.fromEntries(pairs(request)),
    multiValueHeaders: Object.fromEntries(all),
    body: body.length === 0 ? null : body.toString('utf8'),
    isBase64Encoded: false,
  };
}

/** Payload format 2.0: names in lower case, values joined, the body as text or base64. */
function httpApiEvent(name, isBase64Encoded) {
  return (request, body) => {
    const event = recorded(name);
    const headers = {};
    for (const [key, value] of pairs(request)) {
      const lower = key.toLowerCase();
      headers[lower] = headers[lower] === undefined ? value : `${headers[lower]},${value}`;
    }
    event.requestContext.http.method = request.method;
    const content = body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') };
    return { ...event, headers, ...content, isBase64Encoded };
  };
}

const EVENTS = {
  '/rest-api': restApiEvent,
  '/http-api': httpApiEvent('http_api', false),
  '/function-url': httpApiEvent('function_url', true),
};

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > GATEWAY_MAX) throw new Error('more than the gateway takes');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const server = createServer(async (request, response) => {
  const makeEvent = EVENTS[request.url];
  if (!makeEvent) {
    response.writeHead(404).end();
    return;
  }
  try {
    const event = makeEvent(request, await bodyOf(request));
    const context = { functionName: 'webhooks', awsRequestId: 'c6af9ac6-7b61-41e6-9a41-93e8d0adbeef' };
    const result = await handler(event, context);
    const { statusCode, headers, body, isBase64Encoded } = JSON.parse(JSON.stringify(result));
    response.writeHead(statusCode, headers).end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', () => process.exit());
