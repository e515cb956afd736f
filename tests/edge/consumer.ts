// A project in strict TypeScript that uses every entry of @fluxora/edge; it is checked, never run.
import { createReceiver, retryLater, type Receiver, type SeenStore, type WebhookEvent } from '@fluxora/edge';
import { toLambdaHandler, type LambdaContext } from '@fluxora/edge/aws-lambda';
import { SeenDeliveries, durableObjectStore } from '@fluxora/edge/durable-object';
import { createReceiver as createEd25519Receiver } from '@fluxora/edge/ed25519';
import { memoryStore } from '@fluxora/edge/memory';
import { toNodeListener, type NodeContext } from '@fluxora/edge/node';
import { postgresSchema, postgresStore } from '@fluxora/edge/postgres';
import { redisStore } from '@fluxora/edge/redis';
import { workersKvStore } from '@fluxora/edge/workers-kv';

interface Environment {
  WEBHOOK_SECRET: string;
  KV: {
    get(key: string): Promise<string | null>;
    put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  };
}

const byContext = createReceiver<Environment>({
  secret: (env) => env.WEBHOOK_SECRET,
  previousSecrets: (env) => [{ secret: env.WEBHOOK_SECRET, until: new Date() }],
  seen: (env) => workersKvStore(env.KV),
  onEvent(event, { deliveryId, timestamp, rawBody, context, signal }) {
    const id: string = deliveryId;
    const at: number = timestamp;
    const size: number = rawBody.byteLength;
    const secret: string = context.WEBHOOK_SECRET;
    if (signal.aborted) return retryLater(5);
    if (event.type === 'stream.created') {
      return `${event.data.streamId} ${event.data.cursor} ${id} ${at} ${size} ${secret.length}`;
    }
    if (event.type === 'webhook.test') return event.data.endpointId;
    return undefined;
  },
  duplicates: 'conflict',
  onReject: ({ code, status }) => `${status} ${code}`,
});
const answer: Promise<Response> = byContext(new Request('https://example.org'), {} as Environment);

// Node's own types aren't needed. What its server hands over has more members than these.
const onEvent = (event: WebhookEvent) => event.type;
const inMemory = { secret: 'whsec_', onEvent, seen: memoryStore({ maxEntries: 10 }) };
const forNode: Receiver<NodeContext> = createReceiver<NodeContext>(inMemory);
const listener = toNodeListener(forNode);
interface Emitter { on(name: string, f: () => void): this; off(name: string, f: () => void): this; destroy(): this }
interface Incoming extends Emitter {
  method: string; headers: Record<string, string | string[] | undefined>; url: string;
  readableDidRead: boolean; readableEncoding: 'utf8' | null; readableEnded: boolean; destroyed: boolean;
  pause(): this; resume(): this;
}
interface Outgoing extends Emitter {
  statusCode: number; headersSent: boolean; writableEnded: boolean;
  setHeader(name: string, value: string): this; end(text: string): this; json(value: unknown): void;
}
declare const request: Incoming;
declare const response: Outgoing;
const done: Promise<void> = listener(request, response, (error: unknown) => error);

const forLambda = createReceiver<LambdaContext>({ onEvent: (_, { context }) => context.event.requestContext });
const handler = toLambdaHandler(forLambda);
const status: Promise<{ statusCode: number; body: string }> = handler({ httpMethod: 'POST', headers: {}, body: null });

const stores: SeenStore[] = [
  memoryStore(),
  redisStore(async (words: string[]) => words.length),
  postgresStore(async (text, values) => ({ rows: [text, ...values] }), { table: 'seen' }),
  durableObjectStore({ idFromName: (name) => name, get: () => ({ fetch: async () => new Response() }) }),
];
const schema: string = postgresSchema({ table: 'seen' });
const signedByKey = createEd25519Receiver({ publicKeys: ['whpk_'], onEvent, seen: stores[0] });

// @ts-expect-error: a receiver without a handler
createReceiver({ secret: 'whsec_' });
// @ts-expect-error: there is no such option
createReceiver({ secret: 'whsec_', onEvent, sceret: 'whsec_' });
// @ts-expect-error: an event of that name has no such member
createReceiver({ onEvent: (event) => event.type === 'webhook.test' && event.data.streamId });

export { SeenDeliveries, answer, done, schema, signedByKey, status };
