import { createReceiver } from '@fluxora/edge';
import { durableObjectStore } from '@fluxora/edge/durable-object';
import { onEvent } from './handler.js';

export { SeenDeliveries } from '@fluxora/edge/durable-object';

const receiver = createReceiver({
  secret: (env) => env.FLUXORA_WEBHOOK_SECRET,
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: (env) => [
    { secret: env.FLUXORA_WEBHOOK_PREVIOUS_SECRET, until: Number(env.FLUXORA_WEBHOOK_PREVIOUS_UNTIL ?? 0) },
  ],
  seen: (env) => durableObjectStore(env.SEEN),
  onEvent,
});

export default {
  fetch(request, env, execution) {
    if (new URL(request.url).pathname !== '/webhooks') return new Response(null, { status: 404 });
    const answer = receiver(request, env);
    // A handler goes on when the sender doesn't wait for it.
    execution.waitUntil(answer);
    return answer;
  },
};
