// SPEC section 5, "Security headers on every response": the exact values.
import assert from 'node:assert/strict';

export const SECURITY_HEADERS = Object.freeze({
  'content-security-policy':
    "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; frame-ancestors 'self'; " +
    "img-src 'self' data:; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'; script-src-attr 'none'; " +
    "style-src 'self' https: 'unsafe-inline'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
});

/** @param {import('node:http').IncomingHttpHeaders} headers @param {string} what */
export function checkSecurityHeaders(headers, what) {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) assert.equal(headers[name], value, `${what}: ${name}`);
  assert.equal(headers['x-powered-by'], undefined, what);
  assert.doesNotMatch(headers.server ?? '', /\d/, `${what}: a version in Server`);
  assert.match(String(headers['x-request-id']), /^[A-Za-z0-9._-]{1,128}$/, `${what}: X-Request-Id`);
}
