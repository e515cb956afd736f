// A receiver as a listener of Node's http server, which Express takes as a handler.

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
    const chunks = [];
    let size = 0;
    const missing = (code) => () => finish(reject, new BodyMissing(code));
    const ended = () => finish(resolve, Buffer.concat(chunks, size));
    const lost = missing('body_unreadable');
    const timer = setTimeout(missing('body_timeout'), bodyTimeoutSeconds * 1000);
    function take(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBodyBytes) ended();
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
  // Parsed JSON is never written again to be verified: it would be other bytes.
  if (kept === undefined && request.readableDidRead) throw new BodyMissing('body_already_read');
  const body = kept ?? await readBody(request, receiver);
  const header = (name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return receiver.handle({ method: request.method, header, body }, context);
}

function answer(response, { status, headers, body }) {
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
      answer(response, await receive(receiver, request, context));
    } catch (error) {
      if (!(error instanceof BodyMissing)) throw error;
      answer(response, receiver.refuse(error.code, context));
    }
    dropRest(request, receiver);
  };
}
