import { createReceiver } from '@fluxora/edge';
import { onEvent } from './handler.js';

const { env } = Deno;
const receiver = createReceiver({
  secret: env.get('FLUXORA_WEBHOOK_SECRET'),
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: [
    { secret: env.get('FLUXORA_WEBHOOK_PREVIOUS_SECRET'), until: Number(env.get('FLUXORA_WEBHOOK_PREVIOUS_UNTIL') ?? 0) },
  ],
  onEvent,
});

Deno.serve({
  port: Number(env.get('PORT') ?? 8080),
  hostname: env.get('HOST') ?? '127.0.0.1',
  onListen: ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`),
}, (request, info) => {
  if (new URL(request.url).pathname === '/webhooks') return receiver(request, info);
  return new Response(null, { status: 404 });
});
