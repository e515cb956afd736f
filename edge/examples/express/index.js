import { createReceiver } from '@fluxora/edge';
import { toNodeListener } from '@fluxora/edge/node';
import { postgresSchema, postgresStore } from '@fluxora/edge/postgres';
import express from 'express';
import pg from 'pg';
import { onEvent } from './handler.js';

const { env } = process;
// Without a database, what was handled is remembered by this process alone.
const pool = env.DATABASE_URL ? new pg.Pool({ connectionString: env.DATABASE_URL }) : undefined;
// The database may end a connection that nobody uses. Unheard, that would end this process.
pool?.on('error', (error) => console.error(`database: ${error.message}`));
await pool?.query(postgresSchema());

const receiver = createReceiver({
  secret: env.FLUXORA_WEBHOOK_SECRET,
  // Of a rotation: the secret before, and the unix second until which it is good.
  previousSecrets: [
    { secret: env.FLUXORA_WEBHOOK_PREVIOUS_SECRET, until: Number(env.FLUXORA_WEBHOOK_PREVIOUS_UNTIL ?? 0) },
  ],
  seen: pool && postgresStore((text, values) => pool.query(text, values)),
  onEvent,
});

const app = express();
// Before the parsers: what is signed are the bytes as they come.
app.all('/webhooks', toNodeListener(receiver));
app.use(express.json());

const server = app.listen(Number(env.PORT ?? 8080), env.HOST ?? '127.0.0.1', (error) => {
  if (error) throw error; // such as a port in use
  console.log(`listening on http://${server.address().address}:${server.address().port}`);
});
process.once('SIGTERM', () => server.close(() => pool?.end()));
