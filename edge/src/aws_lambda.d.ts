/** Receivers for AWS Lambda. */
import type { Receiver } from './receiver.js';

/** Of the events of API Gateway (payload formats 1.0 and 2.0) and Function URLs, what is used. */
export interface LambdaHttpEvent {
  readonly httpMethod?: string;
  readonly requestContext?: { readonly http?: { readonly method?: string } };
  readonly headers?: { readonly [name: string]: string | undefined } | null;
  readonly multiValueHeaders?: { readonly [name: string]: string[] | undefined } | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

export interface LambdaHttpResult {
  statusCode: number;
  headers: { [name: string]: string };
  body: string;
  isBase64Encoded: false;
}

/** What `onEvent` and functions among the receiver's options get as their context. */
export interface LambdaContext<Event = LambdaHttpEvent> {
  event: Event;
  /** The function's own context, its second argument. */
  lambda: unknown;
}

/**
 * The handler of a function behind a REST API, an HTTP API or a Function URL. An event of another kind is refused with
 * a TypeError. Memory is one instance's, and there may be many: give the receiver a store that they share.
 */
export function toLambdaHandler(
  receiver: Receiver<any>,
): (event: LambdaHttpEvent, lambda?: unknown) => Promise<LambdaHttpResult>;
