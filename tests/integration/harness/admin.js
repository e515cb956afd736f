// Who may do everything, for tests that aren't about who may do what.
import { createHmac } from 'node:crypto';

const base64url = (value) => Buffer.from(value).toString('base64url');

/** Headers of an administrator, who may manage webhooks, too. @param {string} secret the server's JWT_SECRET @param {string} [sub] */
export function adminHeaders(secret, sub = 'operator') {
  const signed = `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify({ sub, scope: 'admin webhooks:manage' }))}`;
  return { authorization: `Bearer ${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}` };
}
