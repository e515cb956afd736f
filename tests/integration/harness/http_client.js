// One request, one connection, the whole answer. No retries, no redirects, nothing added that a test didn't say.
import { request as httpRequest } from 'node:http';
import { DEADLINE_MS } from './wait.js';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import('node:http').IncomingHttpHeaders} headers names in lower case
 * @property {Buffer} bytes the body; of an event stream, which has no end, the first event
 * @property {string} text the same
 * @property {any} json the body parsed, where it says that it is JSON; else undefined
 */

/**
 * @param {string} url
 * @param {{method?: string, headers?: Record<string, string>, body?: string | Buffer}} [options]
 * @returns {Promise<Answer>}
 */
export function request(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, headers, agent: false, timeout: DEADLINE_MS }, (response) => {
      const chunks = [];
      const isEndless = response.statusCode === 200 && /^text\/event-stream\b/.test(response.headers['content-type'] ?? '');
      response.on('data', (chunk) => {
        chunks.push(chunk);
        if (isEndless && Buffer.concat(chunks).includes('\n\n')) finish();
      });
      response.on('error', reject);
      response.on('end', finish);
      function finish() {
        if (isEndless) outgoing.destroy();
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        const isJson = /^application\/(problem\+)?json\b/.test(response.headers['content-type'] ?? '');
        try {
          const json = isJson && text !== '' ? JSON.parse(text) : undefined;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json });
        } catch (error) {
          reject(new Error(`${method} ${url} says JSON and sends ${text.slice(0, 200)}`, { cause: error }));
        }
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${url}: no answer in ${DEADLINE_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Appends a query; values are encoded. @param {string} path @param {Record<string, string | number | boolean | undefined>} query */
export function withQuery(path, query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return path;
  return `${path}?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join('&')}`;
}
