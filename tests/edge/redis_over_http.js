// A Redis asked over HTTP as Upstash has it: one command a POST, as a JSON array of words; what comes back is
// {"result": …} or {"error": …}.
import { createServer } from 'node:http';

const TOKEN = 'token-of-the-test';

/** One value of a reply, whose lines RedisServer.command joins by spaces: no word of ours has one. */
function take(words) {
  const word = words.shift();
  const rest = word.slice(1);
  if (word[0] === '*') return Array.from({ length: Number(rest) }, () => take(words));
  if (word[0] === ':') return Number(rest);
  if (word === '$-1') return null;
  return word[0] === '$' ? words.shift() : rest;
}

/** @param {import('../realtime/harness/redis_server.js').RedisServer} redis */
export async function serveRedisOverHttp(redis) {
  async function run(request) {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return [401, { error: 'Unauthorized' }];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const reply = await redis.command(...JSON.parse(Buffer.concat(chunks).toString()));
    return reply.startsWith('-') ? [400, { error: reply.slice(1) }] : [200, { result: take(reply.split(' ')) }];
  }
  const server = createServer(async (request, response) => {
    const [status, answer] = await run(request).catch((error) => [500, { error: String(error) }]);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    env: { KV_REST_API_URL: `http://127.0.0.1:${server.address().port}`, KV_REST_API_TOKEN: TOKEN },
    stop: () => { server.closeAllConnections(); server.close(); },
  };
}
