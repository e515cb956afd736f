// Compiled, never run: what the declarations take, and what they refuse.
import { createReceiver, retryLater, type Receiver, type SeenStore, type WebhookEvent } from '@fluxora/edge';
import { createReceiver as createEd25519Receiver } from '@fluxora/edge/ed25519';
import { memoryStore } from '@fluxora/edge/memory';
import { workersKvStore } from '@fluxora/edge/workers-kv';
import { durableObjectStore, SeenDeliveries } from '@fluxora/edge/durable-object';
import { redisStore } from '@fluxora/edge/redis';
import { ClaimLost, postgresSchema, postgresStore } from '@fluxora/edge/postgres';

interface Env { WEBHOOK_SECRET?: string; OLD?: string }

const receiver = createReceiver<Env>({
  secret: (env) => [env.WEBHOOK_SECRET, null],
  previousSecrets: (env) => [{ secret: env.OLD, until: new Date() }, { secret: 'whsec_', until: 1774780287 }],
  async onEvent(event, { deliveryId, timestamp, rawBody, context, signal, claim }) {
    const texts: string[] = [deliveryId, claim.token, context.WEBHOOK_SECRET ?? '', event.timestamp];
    const numbers: number[] = [timestamp, rawBody.byteLength, claim.keepMs];
    if (signal.aborted || texts.length < numbers.length) throw retryLater(5);
    switch (event.type) {
      case 'webhook.test': {
        const endpoint: string = event.data.endpointId;
        // @ts-expect-error a test has no entry
        return endpoint + event.data.streamId;
      }
      case 'stream.created': {
        const name: 'stream.created' = event.data.event;
        const amount: string | undefined = event.data.stream?.depositAmount;
        return name + amount;
      }
      default: {
        // @ts-expect-error what was handled above isn't left
        const created: 'stream.created' = event.type;
        return created;
      }
    }
  },
  onReject({ code, status, deliveryId, error }, env) {
    const told: [string, number, string | null, unknown] = [code, status, deliveryId, error];
    return [told, env.OLD];
  },
  seen: async () => memoryStore({ maxEntries: 5 }),
  duplicates: 'conflict', allowLegacy: true, maxBodyBytes: 1, bodyTimeoutSeconds: 1, retryAfterSeconds: 1, storeTimeoutSeconds: 1,
  leaseSeconds: 1, keepSeconds: 600, clock: () => 0,
});
interface Runtime { waitUntil(promise: Promise<unknown>): void }
const worker: { fetch(request: Request, env: Env, runtime: Runtime): Promise<Response> } = { fetch: receiver };
const answered: Promise<{ status: number; headers: [string, string][]; body: string }> =
  receiver.handle({ method: 'POST', header: () => null, body: new Uint8Array() }, {});
const any: Receiver<any> = receiver;
const bound: number = any.maxBodyBytes + any.bodyTimeoutSeconds;
receiver.refuse('body_timeout').body.toUpperCase();

const onEvent = (event: WebhookEvent): string => event.type;
// @ts-expect-error it has to be there
createReceiver({ secret: '' });
// @ts-expect-error no such option
createReceiver({ onEvent, onEvnt: onEvent });
// @ts-expect-error not one of the two
createReceiver({ onEvent, duplicates: 'no' });
// @ts-expect-error only in the entry that has ed25519
createReceiver({ onEvent, publicKeys: 'whpk_' });
createEd25519Receiver({ onEvent, publicKeys: ['whpk_', undefined] });
// @ts-expect-error not one of the codes
receiver.refuse('signature_mismatch');

const stores: SeenStore[] = [
  memoryStore(),
  workersKvStore({ get: async () => null, put: async () => {} }, { prefix: 'x' }),
  durableObjectStore({ idFromName: (name) => name, get: () => ({ fetch: async () => new Response() }) }, { shards: 3, prefix: 'x' }),
  redisStore(async (words) => words[0], { prefix: 'x' }),
];
const store = postgresStore(async (text, values) => ({ rows: [text, values] }), { table: 'a.b' });
const arrays = postgresStore(async () => [{ id: 1 }]);
store.completeIn(async () => [], { id: '', token: '', keepMs: 1 }).catch((error: ClaimLost) => error.message);
const swept: Promise<number> = arrays.sweep(5);
const schema: string = postgresSchema() + postgresSchema({ table: 'x' });
// @ts-expect-error a client is no function
redisStore({});
class Named extends SeenDeliveries {}
export { answered, bound, Named, schema, stores, swept, worker };
