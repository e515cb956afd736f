import { createReceiver } from '@fluxora/edge';
import { redisStore } from '@fluxora/edge/redis';
import { RedisClient } from 'bun';
import { onEvent } from './handler.js';

const { env } = process;
// Without a Redis, what was handled is remembered by this process alone.
const redis = env.REDIS_URL ? new RedisClient(env.REDIS_URL) : undefined;

const receiver = createReceiver({
  secret: env.FLUXORA_WEBHOOK_SECRET,
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: [
    { secret: env.FLUXORA_WEBHOOK_PREVIOUS_SECRET, until: Number(env.FLUXORA_WEBHOOK_PREVIOUS_UNTIL ?? 0) },
  ],
  seen: redis && redisStore(([name, ...words]) => redis.send(name, words)),
  onEvent,
});

const server = Bun.serve({
  port: Number(env.PORT ?? 8080),
  hostname: env.HOST ?? '127.0.0.1',
  routes: { '/webhooks': (request) => receiver(request) },
  fetch: () => new Response(null, { status: 404 }),
});
console.log(`listening on http://${server.hostname}:${server.port}`);
