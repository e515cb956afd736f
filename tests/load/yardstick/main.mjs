// The yardstick: the same resources as someone would write them with Express and pg. Environment: DATABASE_URL, PORT (0: any),
// WORKERS (1: this process alone). Says {"event":"listening","port"} on stdout once it listens.
import cluster from 'node:cluster';
import { writeSync } from 'node:fs';

import express from 'express';
import pg from 'pg';

import { createStream } from './create.mjs';
import { logRequests } from './log.mjs';
import { sendProblem } from './problem.mjs';
import { listStreams, readStream } from './reads.mjs';

/** What the server puts on every response. */
const SECURITY_HEADERS = {
  'Content-Security-Policy': "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; "
    + "frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    + "script-src-attr 'none'; style-src 'self' https: 'unsafe-inline'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
};

function makeApp(pool) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // those of streams are made by hand
  app.use(logRequests);
  app.use((request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
  app.get('/api/streams/:id', readStream(pool));
  app.get('/api/streams', listStreams(pool));
  app.post('/api/streams', express.json({ limit: '256kb' }), createStream(pool));
  app.use((request, response) => sendProblem(response, 404, 'There is nothing here.'));
  // Express tells an error handler by its four parameters.
  app.use((error, request, response, next) => (error.status === 400
    ? sendProblem(response, 400, 'The body is not JSON.')
    : sendProblem(response, 500, 'Something went wrong.')));
  return app;
}

const say = (port) => writeSync(process.stdout.fd, `${JSON.stringify({ event: 'listening', port })}\n`);

const workers = Number(process.env.WORKERS ?? 1);
if (cluster.isPrimary && workers > 1) {
  let listening = 0;
  cluster.on('listening', (worker, { port }) => {
    listening += 1;
    if (listening === workers) say(port);
  });
  for (let i = 0; i < workers; i += 1) cluster.fork();
} else {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  const server = makeApp(pool).listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    if (cluster.isPrimary) say(server.address().port);
  });
}
