// A receiver that stops at the place PLACE of its work, says so, and waits to be killed.
import { createReceiver } from '../../edge/src/index.js';
import { postgresStore } from '../../edge/src/postgres.js';
import { redisStore } from '../../edge/src/redis.js';
import { BODY, WAYS } from '../unit/edge/deliveries.js';

const { PLACE, SECRET, HEADERS, REDIS_URL, DATABASE_URL } = process.env;

async function newStore() {
  if (REDIS_URL) {
    const { createClient } = await import('redis');
    const client = await createClient({ url: REDIS_URL }).connect();
    return redisStore((words) => client.sendCommand(words));
  }
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: DATABASE_URL });
  return postgresStore((text, values) => pool.query(text, values));
}

async function stopAt(place) {
  if (place !== PLACE) return;
  process.stdout.write(`${place}\n`);
  await new Promise(() => { setInterval(() => {}, 1000); });
}

const store = await newStore();
const seen = {
  claim: (...values) => store.claim(...values),
  release: (...values) => store.release(...values),
  async complete(...values) {
    await stopAt('completing');
    const completed = await store.complete(...values);
    await stopAt('completed');
    return completed;
  },
};
const receiver = createReceiver({ secret: SECRET, seen, leaseSeconds: 2, onEvent: () => stopAt('handling') });
await WAYS.fetch(receiver, JSON.parse(HEADERS), BODY);
