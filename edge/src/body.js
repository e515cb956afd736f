// A request's body, read as it streams and no further than its bound.

// Room is made for what has come, not for what is announced: announcing costs a sender nothing.
export const FIRST_BYTES = 16 * 1024;

/** Bytes that arrive in pieces of any size, in one buffer: a piece a byte costs no more than its byte. */
export class Gathered {
  #bytes;
  #size = 0;

  constructor(expected) {
    this.#bytes = new Uint8Array(expected);
  }

  get size() {
    return this.#size;
  }

  add(piece) {
    const size = this.#size + piece.byteLength;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#size);
    this.#size = size;
  }

  bytes() {
    return this.#bytes.subarray(0, this.#size);
  }
}

/** What Content-Length says; it may say anything. */
function declaredSize(request) {
  const text = request.headers.get('content-length');
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * `{ bytes }`, `{ tooLarge: true }` (and then it isn't read on), or `{ code }`: body_already_read, body_timeout,
 * body_unreadable. Never rejects.
 */
export async function readBody(request, { maxBodyBytes, bodyTimeoutSeconds }) {
  if (request.bodyUsed || request.body?.locked) return { code: 'body_already_read' };
  if (!request.body) return { bytes: new Uint8Array(0) };
  const declared = declaredSize(request);
  const reader = request.body.getReader();
  // It isn't waited for: a sender that hangs can have a stream whose end hangs.
  const stop = () => void reader.cancel().catch(() => {});
  if (declared > maxBodyBytes) {
    stop();
    return { tooLarge: true };
  }

  let stopped;
  const stopWith = (code) => {
    stopped = { code };
    stop();
  };
  const onAbort = () => stopWith('body_unreadable');
  const timer = setTimeout(() => stopWith('body_timeout'), bodyTimeoutSeconds * 1000);
  request.signal?.addEventListener('abort', onAbort);
  if (request.signal?.aborted) onAbort();
  try {
    const gathered = new Gathered(Math.min(declared ?? FIRST_BYTES, FIRST_BYTES));
    for (;;) {
      const { done, value } = await reader.read();
      if (stopped) return stopped;
      if (done) return { bytes: gathered.bytes() };
      if (gathered.size + value.byteLength > maxBodyBytes) {
        stop();
        return { tooLarge: true };
      }
      gathered.add(value);
    }
  } catch {
    return stopped ?? { code: 'body_unreadable' };
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}
