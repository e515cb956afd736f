import { createReceiver } from '@fluxora/edge';
import { toLambdaHandler } from '@fluxora/edge/aws-lambda';
import { redisStore } from '@fluxora/edge/redis';
import { onEvent } from './handler.js';
import { redisOverHttp } from './redis.js';

const { env } = process;
const redis = redisOverHttp(env.KV_REST_API_URL, env.KV_REST_API_TOKEN);

export const handler = toLambdaHandler(createReceiver({
  secret: env.FLUXORA_WEBHOOK_SECRET,
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: [
    { secret: env.FLUXORA_WEBHOOK_PREVIOUS_SECRET, until: Number(env.FLUXORA_WEBHOOK_PREVIOUS_UNTIL ?? 0) },
  ],
  seen: redis && redisStore(redis),
  // The function's timeout: then it ends, and the next copy may be let in.
  leaseSeconds: 15,
  onEvent,
}));
