// Requests over a pool of kept connections, and what their answers come to.
import { Pool } from 'undici';

const ANSWER_MS = 30_000;

/**
 * @typedef {object} Answer
 * @property {'ok' | 'refused' | 'failed'} outcome refused: 429 or 503 that says when to come again
 * @property {number} status 0: none
 * @property {Record<string, any>} headers
 * @property {any} json undefined where the body is none
 * @property {string} trouble '' where all is well
 */

/** @param {number} status @param {Record<string, any>} headers @param {number[]} expected */
function judge(status, headers, expected) {
  if (expected.includes(status)) return { outcome: /** @type {const} */ ('ok'), trouble: '' };
  if (status === 429 || status === 503) {
    return headers['retry-after'] === undefined
      ? { outcome: /** @type {const} */ ('failed'), trouble: `${status} without Retry-After` }
      : { outcome: /** @type {const} */ ('refused'), trouble: `${status} with Retry-After` };
  }
  return { outcome: /** @type {const} */ ('failed'), trouble: `status ${status}` };
}

export class Client {
  /**
   * @param {string} origin
   * @param {{headers?: Record<string, string>, connections: number}} options headers on every request
   */
  constructor(origin, { headers = {}, connections }) {
    this.headers = headers;
    this.pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
  }

  /**
   * Never rejects.
   * @param {{path: string, method?: string, headers?: Record<string, string>, body?: unknown, expected?: number[]}} request
   * @returns {Promise<Answer>}
   */
  async send({ path, method = 'GET', headers = {}, body, expected = [200] }) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    try {
      const answer = await this.pool.request({
        path,
        method,
        headers: { ...this.headers, ...type, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await answer.body.text();
      const isJson = /^application\/(problem\+)?json\b/.test(String(answer.headers['content-type']));
      const json = isJson && text !== '' ? JSON.parse(text) : undefined;
      return {
        ...judge(answer.statusCode, answer.headers, expected),
        status: answer.statusCode,
        headers: answer.headers,
        json,
      };
    } catch (error) {
      const { code, name } = /** @type {any} */ (error);
      return { outcome: 'failed', trouble: `no answer: ${code ?? name}`, status: 0, headers: {}, json: undefined };
    }
  }

  async close() {
    await this.pool.destroy();
  }
}
