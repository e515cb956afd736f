// The yardstick's log of requests: a line each, as the server writes it, gathered so that it costs little.
import { randomUUID } from 'node:crypto';
import { write } from 'node:fs';

const FLUSH_MS = 50;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

let pending = '';
let timer;

function flush() {
  timer = undefined;
  write(process.stdout.fd, pending, () => {});
  pending = '';
}

/** @type {import('express').RequestHandler} */
export function logRequests(request, response, next) {
  const started = process.hrtime.bigint();
  const given = request.get('x-request-id') ?? '';
  const requestId = REQUEST_ID.test(given) ? given : randomUUID();
  response.set('X-Request-Id', requestId);
  response.on('finish', () => {
    pending += `${JSON.stringify({
      time: new Date().toISOString(),
      level: 'info',
      event: 'request',
      requestId,
      method: request.method,
      path: request.path,
      route: request.route?.path ?? '',
      status: response.statusCode,
      durationUs: Number((process.hrtime.bigint() - started) / 1000n),
      ip: request.socket.remoteAddress,
    })}\n`;
    timer ??= setTimeout(flush, FLUSH_MS);
  });
  next();
}
