// A receiver as a listener of Node's http server, which Express takes as a handler.
import { FIRST_BYTES, Gathered } from './body.js';

// What still comes behind an answer is read and dropped up to here: a connection that is closed over unread bytes may
// lose the answer on its way.
const LEFT_OVER_MAX = 1024 * 1024;

/** Why there is no body: a code of the receiver's. */
class BodyMissing extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The bytes as something before this one has kept them: express.raw(), or a cloud's own server. */
function keptBytes({ rawBody, body }) {
  return [rawBody, body].find((bytes) => bytes instanceof Uint8Array);
}

/** A body's bytes; of one that is too long its beginning, which is too long as well. */
function readBody(request, { maxBodyBytes, bodyTimeoutSeconds }) {
  return new Promise((resolve, reject) => {
    const gathered = new Gathered(FIRST_BYTES);
    const missing = (code) => () => finish(reject, new BodyMissing(code));
    const ended = () => finish(resolve, gathered.bytes());
    const lost = missing('body_unreadable');
    const timer = setTimeout(missing('body_timeout'), bodyTimeoutSeconds * 1000);
    function take(chunk) {
      gathered.add(chunk);
      if (gathered.size > maxBodyBytes) ended();
    }
    function finish(settle, value) {
      clearTimeout(timer);
      request.off('data', take).off('end', ended).off('close', lost).pause();
      settle(value);
    }
    request.on('data', take).on('end', ended).on('close', lost);
  });
}

async function receive(receiver, request, context) {
  const kept = keptBytes(request);
  // Neither parsed JSON nor decoded text is made bytes again to be verified: they would be others.
  const isSpent = request.readableDidRead || request.readableEncoding;
  if (kept === undefined && isSpent) throw new BodyMissing('body_already_read');
  const body = kept ?? await readBody(request, receiver);
  const header = (name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return receiver.handle({ method: request.method, header, body }, context);
}

async function answerOf(receiver, request, context) {
  try {
    return await receive(receiver, request, context);
  } catch (error) {
    if (!(error instanceof BodyMissing)) throw error;
    return receiver.refuse(error.code, context);
  }
}

/** Unless something else has answered, such as a limit on the time that a server puts before its handlers. */
function answer(response, { status, headers, body }) {
  if (response.headersSent || response.writableEnded) return;
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  response.end(body);
}

/** Behind the answer: a sender of more than there is room for, or of too little in the time, loses its connection. */
function dropRest(request, { bodyTimeoutSeconds }) {
  if (request.readableEnded || request.destroyed) return;
  const cut = () => request.destroy();
  const timer = setTimeout(cut, bodyTimeoutSeconds * 1000);
  const settled = () => clearTimeout(timer);
  let left = LEFT_OVER_MAX;
  request.on('data', (chunk) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.on('end', settled).on('close', settled).resume();
}

export function toNodeListener(receiver) {
  return async (request, response) => {
    const context = { request, response };
    // A sender that goes away is a body that doesn't end, or an answer that nobody reads. Without listeners it would
    // end the process.
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      answer(response, await answerOf(receiver, request, context));
      dropRest(request, receiver);
    } catch (error) {
      // Of a request or response that something has wrapped. A rejection that nobody handles would end the process.
      console.error('Webhook not answered:', error);
      response.destroy();
    }
  };
}
