/** Receivers for Node's http server and Express. */
import type { Receiver } from './receiver.js';

/** Of `http.IncomingMessage`, and of Express' request, what is used. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  /** Bytes that something before has kept. */
  readonly rawBody?: unknown;
  /** Likewise; anything else here is what a parser made. */
  readonly body?: unknown;
  readonly readableDidRead: boolean;
  readonly readableEncoding: string | null;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: string, listener: (...values: any[]) => void): this;
  off(event: string, listener: (...values: any[]) => void): this;
  pause(): this;
  resume(): this;
  destroy(): unknown;
}

/** Of `http.ServerResponse`, and of Express' response, what is used. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  on(event: string, listener: (...values: any[]) => void): unknown;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
  destroy(): unknown;
}

/** What `onEvent` and functions among the receiver's options get as their context. */
export interface NodeContext<Request = NodeRequest, Response = NodeResponse> {
  request: Request;
  response: Response;
}

/**
 * A listener for `http.createServer` and a handler for Express, for every path that it is given. It reads the body
 * itself, no more of it than the receiver takes, so it has to stand before body parsers such as `express.json()`. Behind
 * `express.raw({ type: () => true })`, or where a cloud's server keeps `rawBody`, it takes those bytes. A body that was
 * parsed already is answered 500 `body_already_read`: what was signed is gone. A sender that goes away before its
 * body is there has had nothing handled. Where something else answers meanwhile, that stays the answer, and the handler
 * goes on. The promise never rejects.
 */
export function toNodeListener(
  receiver: Receiver<any>,
): (request: NodeRequest, response: NodeResponse, ...others: unknown[]) => Promise<void>;
