/** The service's REST answers. */

const TIMEOUT_MS = 15_000;

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

export class Service {
  /** Where the service is: the page's folder lies below it. */
  readonly root: URL;

  constructor(root: URL) {
    this.root = root;
  }

  /** An answer, of a status in 200..299 or one of `accepted`. Errors: ServiceError. */
  async get(path: string, options: { accepted?: readonly number[]; headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Response> {
    const { accepted = [], headers = {}, signal } = options;
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    try {
      response = await fetch(new URL(path, this.root), {
        headers: { accept: 'application/json', ...headers },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        cache: 'no-store',
      });
    } catch (cause) {
      throw new ServiceError(signal?.aborted ? 'Given up.' : 'The service can’t be reached.', 0);
    }
    if (response.ok || accepted.includes(response.status)) return response;
    const problem = await response.json().catch(() => null) as { detail?: string; title?: string } | null;
    throw new ServiceError(problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`, response.status);
  }

  /** The JSON of an answer. Errors: ServiceError. */
  async json<T>(path: string, options: Parameters<Service['get']>[1] = {}): Promise<T> {
    const response = await this.get(path, options);
    try {
      return await response.json() as T;
    } catch {
      throw new ServiceError('The answer broke off.', 0);
    }
  }

  /** The log's newest position. Errors: ServiceError. */
  async head(): Promise<string | null> {
    return (await this.get('api/events?limit=1')).headers.get('x-fluxora-cursor');
  }
}
