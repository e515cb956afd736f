import { createServer } from 'node:http';
import { createReceiver } from '@fluxora/edge';
import { toNodeListener } from '@fluxora/edge/node';
import { onEvent } from './handler.js';

const { env } = process;
const receive = toNodeListener(createReceiver({
  secret: env.FLUXORA_WEBHOOK_SECRET,
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: [
    { secret: env.FLUXORA_WEBHOOK_PREVIOUS_SECRET, until: Number(env.FLUXORA_WEBHOOK_PREVIOUS_UNTIL ?? 0) },
  ],
  onEvent,
}));

const server = createServer((request, response) => {
  if (request.url === '/webhooks') receive(request, response);
  else response.writeHead(404).end();
});

server.listen(Number(env.PORT ?? 8080), env.HOST ?? '127.0.0.1', () => {
  console.log(`listening on http://${server.address().address}:${server.address().port}`);
});
process.once('SIGTERM', () => server.close());
