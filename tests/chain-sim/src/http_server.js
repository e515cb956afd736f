// JSON-RPC 2.0 over HTTP POST.
import { createServer } from 'node:http';
import { CODE, RpcError } from './rpc_error.js';

export const BOUNDS = Object.freeze({
  bodyBytes: 512 * 1024, // the real server's
  batch: 100,
  requestTimeoutMs: 30_000,
});

/**
 * @param {object} options
 * @param {Record<string, (params: unknown) => unknown>} options.methods
 * @param {import('./faults.js').Faults} options.faults
 * @param {number} options.port 0 for any free one
 * @param {string} [options.host] the address to listen on
 * @param {(call: {method: string, params: unknown}) => void} [options.onCall]
 */
export async function startHttpServer({ methods, faults, port, host = '127.0.0.1', onCall }) {
  /** @type {Set<NodeJS.Timeout>} answers that a fault holds back */
  const delayed = new Set();
  const later = (ms, act) => {
    const timer = setTimeout(() => {
      delayed.delete(timer);
      act();
    }, ms);
    delayed.add(timer);
  };

  const server = createServer((request, response) => {
    response.setHeader('Accept-Post', 'application/json');
    if (request.method !== 'POST') return refuse(request, response, 405, '');
    const problem = contentTypeProblem(request.headers['content-type']);
    if (problem) return refuse(request, response, 415, problem);
    readBody(request, (error, body) => {
      if (error) return refuse(request, response, error.status, error.message);
      let parsed;
      try {
        parsed = JSON.parse(body.toString('utf8'));
      } catch {
        return send(response, 500, '[-32700] invalid request value\n', 'text/plain; charset=utf-8');
      }
      answer(parsed, response);
    });
  });
  server.requestTimeout = BOUNDS.requestTimeoutMs;
  server.headersTimeout = BOUNDS.requestTimeoutMs;

  function answer(parsed, response) {
    const calls = Array.isArray(parsed) ? parsed : [parsed];
    const fault = faults.take(calls.map((call) => (typeof call?.method === 'string' ? call.method : '')));
    if (fault?.kind === 'http') return send(response, fault.status, 'upstream trouble\n', 'text/plain; charset=utf-8');
    if (fault?.kind === 'reset') return response.destroy();
    if (fault?.kind === 'timeout') return later(fault.delayMs, () => response.destroy());
    if (fault?.kind === 'garbage') return send(response, 200, '<html>bad gateway</html>', 'application/json');
    if (calls.length > BOUNDS.batch) return send(response, 413, 'batch too large\n', 'text/plain; charset=utf-8');

    const replies = calls.map((call) => reply(call, fault)).filter((one) => one !== undefined);
    if (replies.length === 0) return send(response, 204, '');
    const body = Buffer.from(JSON.stringify(replies.length === 1 ? replies[0] : replies));
    if (fault?.kind === 'slow') return later(fault.delayMs, () => send(response, 200, body));
    if (fault?.kind === 'truncated') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
      return response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    }
    return send(response, 200, body);
  }

  function reply(call, fault) {
    const id = call?.id ?? null;
    const fail = (error) => ({ jsonrpc: '2.0', id, error });
    if (typeof call !== 'object' || call === null || Array.isArray(call)) {
      return fail(new RpcError(CODE.parse, 'request is not a JSON object'));
    }
    if (call.jsonrpc !== '2.0') return fail(new RpcError(CODE.invalidRequest, 'invalid version marker'));
    if (typeof call.method !== 'string' || call.method === '') {
      return fail(new RpcError(CODE.invalidRequest, 'empty method name'));
    }
    if (Array.isArray(call.params)) return fail(new RpcError(CODE.invalidParams, 'invalid parameters', 'array parameters are not accepted'));
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (!method) return fail(new RpcError(CODE.methodNotFound, 'method not found', call.method));
    onCall?.({ method: call.method, params: call.params });
    if (call.id === undefined || call.id === null) return undefined;
    if (fault?.kind === 'rpcError') return fail(new RpcError(CODE.internal, 'internal error'));
    try {
      return { jsonrpc: '2.0', id: fault?.kind === 'wrongId' ? `not-${id}` : id, result: method(call.params) };
    } catch (error) {
      return fail(error instanceof RpcError ? error : new RpcError(CODE.internal, error.message));
    }
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.removeListener('error', reject);
      resolve(undefined);
    });
  });
  const { port: bound } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port: bound,
    url: `http://${host}:${bound}`,
    async stop() {
      for (const timer of delayed) clearTimeout(timer);
      delayed.clear();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response, status, body, contentType = 'application/json') {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...(status === 204 ? {} : { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }),
  });
  response.end(body);
}

/** Answers before the body has been read, so the connection can't be used again. */
function refuse(request, response, status, message) {
  response.setHeader('Connection', 'close');
  send(response, status, message, 'text/plain; charset=utf-8');
  request.resume();
}

function contentTypeProblem(header = '') {
  const [type, ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/json') return 'content-type must be application/json\n';
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length).replaceAll('"', '');
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' ? undefined : 'invalid content-type charset\n';
}

function readBody(request, done) {
  const tooLarge = { status: 413, message: 'http: request body too large\n' };
  if (Number(request.headers['content-length'] ?? 0) > BOUNDS.bodyBytes) return done(tooLarge);
  const chunks = [];
  let size = 0;
  let over = false;
  request.on('data', (chunk) => {
    if (over) return;
    size += chunk.length;
    if (size > BOUNDS.bodyBytes) {
      over = true;
      chunks.length = 0;
      done(tooLarge);
      return;
    }
    chunks.push(chunk);
  });
  request.on('end', () => {
    if (!over) done(undefined, Buffer.concat(chunks));
  });
  request.on('error', () => {});
}
