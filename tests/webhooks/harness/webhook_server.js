// A server that may deliver to the loopback interface, and its webhooks as an operator manages them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { adminHeaders } from '../../integration/harness/admin.js';
import { request, withQuery } from '../../integration/harness/http_client.js';
import { startStack } from '../../integration/harness/stack.js';
import { waitFor } from '../../integration/harness/wait.js';

export const JWT_SECRET = randomBytes(32).toString('hex');
/** What a cursor of the API may have as pages before it counts as endless. */
const MAX_PAGES = 2_000;

/** Settings of a server that delivers here. A new key every time: nothing depends on it. */
export function webhookEnvironment() {
  return {
    JWT_SECRET,
    WRITE_RATE_LIMIT: '0',
    WEBHOOK_SECRET_KEYS: randomBytes(32).toString('base64'),
    WEBHOOK_HTTP_HOSTS: '127.0.0.1',
    WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8',
  };
}

/**
 * A stack whose server delivers here, with `stack.webhooks`.
 * @param {Parameters<typeof startStack>[0] & {env?: Record<string, string | undefined>}} [options]
 */
export async function startWebhookStack({ env = {}, ...options } = {}) {
  const stack = await startStack({
    simulator: false,
    ...options,
    server: { env: { ...webhookEnvironment(), ...env } },
  });
  return Object.assign(stack, { webhooks: new WebhookApi(() => stack.baseUrl) });
}

/** Every call asserts its status. */
export class WebhookApi {
  /** @param {() => string} baseUrl of a server, asked for at every call */
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
    this.headers = adminHeaders(JWT_SECRET);
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  ask(method, path, body) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return request(this.baseUrl() + path, {
      method,
      headers: { ...this.headers, ...type },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** @param {number} status */
  async must(status, method, path, body) {
    const answer = await this.ask(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    return answer.json;
  }

  /** @param {{url: string} & Record<string, unknown>} endpoint */
  create(endpoint) {
    return this.must(201, 'POST', '/api/webhooks/endpoints', endpoint);
  }

  endpoint(id) {
    return this.must(200, 'GET', `/api/webhooks/endpoints/${id}`);
  }

  change(id, change) {
    return this.must(200, 'PATCH', `/api/webhooks/endpoints/${id}`, change);
  }

  remove(id) {
    return this.must(204, 'DELETE', `/api/webhooks/endpoints/${id}`);
  }

  rotate(id, graceSeconds) {
    return this.must(200, 'POST', `/api/webhooks/endpoints/${id}/rotate-secret`, { graceSeconds });
  }

  /** Gives the delivery. */
  test(id) {
    return this.must(202, 'POST', `/api/webhooks/endpoints/${id}/test`);
  }

  delivery(id) {
    return this.must(200, 'GET', `/api/webhooks/deliveries/${id}`);
  }

  redeliver(id) {
    return this.must(202, 'POST', `/api/webhooks/deliveries/${id}/redeliver`);
  }

  /** All pages of a listing. @param {string} path @param {string} name @param {Record<string, any>} [query] */
  async all(path, name, query = {}) {
    const items = [];
    let cursor;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await this.must(200, 'GET', withQuery(path, { limit: 100, ...query, cursor }));
      items.push(...answer[name]);
      if (!answer.has_more) return items;
      cursor = answer.next_cursor;
    }
    throw new Error(`${path} has no last page`);
  }

  endpoints() {
    return this.all('/api/webhooks/endpoints', 'endpoints');
  }

  deliveries(id, query) {
    return this.all(`/api/webhooks/endpoints/${id}/deliveries`, 'deliveries', query);
  }

  deadLetters(query) {
    return this.all('/admin/webhooks/dead-letters', 'deliveries', query);
  }

  redeliverDead(endpointId, limit) {
    return this.must(202, 'POST', '/admin/webhooks/dead-letters/redeliver', { endpointId, limit });
  }

  replay(range) {
    return this.must(202, 'POST', '/api/webhooks/replay', range);
  }

  replayState(id) {
    return this.must(200, 'GET', `/api/webhooks/replay/${id}`);
  }

  changeReplay(id, action) {
    return this.must(200, 'POST', `/api/webhooks/replay/${id}/${action}`);
  }

  /** The delivery, once it is in that state. @param {string} id @param {string} state */
  reaches(id, state) {
    return waitFor(
      async () => {
        const delivery = await this.delivery(id);
        return delivery.state === state && delivery;
      },
      { what: `${id} to be ${state}`, describe: () => this.delivery(id).catch(String) },
    );
  }

  /** The delivery, once that many attempts of it are recorded. @param {string} id @param {number} count */
  attempted(id, count = 1) {
    return waitFor(
      async () => {
        const delivery = await this.delivery(id);
        return delivery.attempts.length >= count && delivery;
      },
      { what: `${count} attempts of ${id}`, describe: () => this.delivery(id).catch(String) },
    );
  }
}
