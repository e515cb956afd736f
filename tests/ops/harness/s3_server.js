// An S3 to back up to: s3rver keeps the objects, and what it doesn't look at is done in front of it, as S3 documents it:
// each request's signature is made again by the official signer and compared, the body is compared with the hash that
// was signed, uploads that are over are unknown, If-Match holds, an empty object has no range. In front of that stands the network, which tests own.
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import S3rver from 's3rver';
import { disown, own } from '../../integration/harness/ownership.js';

export const BUCKET = 'fluxora-backups';
/** s3rver knows this one key. */
export const ACCESS_KEY = 'S3RVER';
const REGION = 'eu-central-1';

/** What the official signer hashes with. */
class Sha256 {
  constructor(secret) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }

  update(data) {
    this.hash.update(data);
  }

  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

/**
 * @typedef {object} Seen a request
 * @property {string} method
 * @property {string} step uploads, part, complete, abort, get, head
 * @property {number} bytes of its body
 */

export class S3Server {
  /** @param {{secret: string, sessionToken?: string}} credentials that it believes */
  static async start({ secret, sessionToken }) {
    const server = new S3Server();
    Object.assign(server, { secret, sessionToken });
    server.directory = mkdtempSync(join(tmpdir(), 'fluxora-s3-'));
    server.objects = new S3rver({
      address: '127.0.0.1', port: 0, silent: true, directory: server.directory, configureBuckets: [{ name: BUCKET, configs: [] }],
    });
    const { port } = await server.objects.run();
    server.objectsPort = port;
    server.front = createServer((incoming, answer) => {
      server.serve(incoming, answer).catch((error) => {
        server.troubles.push(error);
        answer.destroy();
      });
    });
    server.front.listen(0, '127.0.0.1');
    await once(server.front, 'listening');
    server.endpoint = `http://127.0.0.1:${server.front.address().port}`;
    server.client = new S3Client({
      endpoint: `http://127.0.0.1:${port}`, region: REGION, forcePathStyle: true, credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: 'any' },
    });
    own(server);
    return server;
  }

  constructor() {
    /** @type {Seen[]} */
    this.seen = [];
    /** Errors of this harness. @type {unknown[]} */
    this.troubles = [];
    this.calm();
  }

  /** The network does nothing from now on. */
  calm() {
    /** What the network does to a request: 'drop', 'lose the answer', 'hang', 'corrupt', a status; else nothing. @type {(seen: Seen) => any} */
    this.network = () => undefined;
  }

  /** The settings that a program has of it. */
  get environment() {
    return {
      AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: this.secret, AWS_SESSION_TOKEN: this.sessionToken,
      AWS_REGION: REGION, AWS_ENDPOINT_URL: this.endpoint,
    };
  }

  /** @param {import('node:http').IncomingMessage} incoming @param {import('node:http').ServerResponse} answer */
  async serve(incoming, answer) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    let body = Buffer.concat(chunks);
    const url = new URL(incoming.url, this.endpoint);
    const seen = { method: incoming.method, step: stepOf(incoming.method, url), bytes: body.length };
    this.seen.push(seen);
    const trouble = await this.network(seen);
    if (trouble === 'hang') return;
    if (trouble === 'drop') {
      answer.destroy();
      return;
    }
    if (typeof trouble === 'number') {
      answer.writeHead(trouble).end();
      return;
    }
    if (trouble === 'corrupt') {
      body = Buffer.from(body);
      body[Math.floor(body.length / 2)] ^= 1;
    }
    const refusal = await this.refusal(incoming, url, body, seen);
    if (trouble === 'lose the answer') {
      await this.pass(incoming, body);
      answer.destroy();
      return;
    }
    if (refusal) {
      answer.writeHead(refusal.status, { 'content-type': 'application/xml' })
        .end(refusal.code && incoming.method !== 'HEAD' ? `<?xml version="1.0"?><Error><Code>${refusal.code}</Code></Error>` : undefined);
      return;
    }
    if (seen.step === 'abort') {
      rmSync(this.uploadDirectory(url.searchParams.get('uploadId')), { recursive: true });
      answer.writeHead(204).end();
      return;
    }
    const { status, headers, bytes } = await this.pass(incoming, body);
    answer.writeHead(status, headers).end(bytes);
  }

  /** What S3 refuses this with, as far as s3rver doesn't. */
  async refusal(incoming, url, body, { step }) {
    if (incoming.headers['x-amz-security-token'] !== this.sessionToken) return { status: 403, code: 'InvalidToken' };
    if (!(await this.isSigned(incoming, url))) return { status: 403, code: 'SignatureDoesNotMatch' };
    const hash = createHash('sha256').update(body).digest('hex');
    if (incoming.headers['x-amz-content-sha256'] !== hash) return { status: 400, code: 'XAmzContentSHA256Mismatch' };
    const upload = url.searchParams.get('uploadId');
    if (upload !== null && !existsSync(this.uploadDirectory(upload))) return { status: 404, code: 'NoSuchUpload' };
    const [, bucket, ...key] = decodeURIComponent(url.pathname).split('/');
    if (step !== 'get' || bucket !== BUCKET || !(await this.keys()).includes(key.join('/'))) return undefined;
    const head = await this.head(key.join('/'));
    if (head.ContentLength === 0 && incoming.headers.range) return { status: 416, code: 'InvalidRange' };
    const etag = incoming.headers['if-match'];
    return etag !== undefined && etag !== head.ETag ? { status: 412, code: 'PreconditionFailed' } : undefined;
  }

  /** Whether the official signer makes the same signature of it. */
  async isSigned({ method, headers }, url) {
    const [, scope, names, signature] = /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
    const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers['x-amz-date'] ?? '');
    if (!date || !signature) return false;
    const [, region] = scope.split('/');
    const signed = names.split(';');
    const must = ['host', 'x-amz-content-sha256', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-') && name !== 'x-amz-content-sha256')];
    if (!must.every((name) => signed.includes(name))) return false;
    const signer = new SignatureV4({
      service: 's3', region, sha256: Sha256, uriEscapePath: false, applyChecksum: false,
      credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: this.secret, sessionToken: this.sessionToken },
    });
    const request = {
      method, protocol: 'http:', hostname: url.hostname, path: url.pathname, query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(signed.map((name) => [name, headers[name]])),
    };
    const signingDate = new Date(`${date.slice(1, 4).join('-')}T${date.slice(4, 7).join(':')}Z`);
    const made = await signer.sign(request, { signingDate });
    return String(made.headers.authorization).endsWith(`Signature=${signature}`);
  }

  /** To s3rver. */
  async pass({ method, url, headers }, body) {
    const outgoing = httpRequest({ port: this.objectsPort, host: '127.0.0.1', method, path: url, headers, agent: false });
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) };
  }

  /** @param {string | null} [upload] */
  uploadDirectory(upload = '') {
    return join(this.objects.store.getResourcePath(BUCKET, undefined, 'uploads'), String(upload));
  }

  /** Uploads that are neither completed nor aborted. */
  get uploads() {
    return existsSync(this.uploadDirectory()) ? readdirSync(this.uploadDirectory()) : [];
  }

  /** The keys of what is kept. */
  async keys() {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return Contents.map(({ Key }) => Key);
  }

  /** @param {string} key */
  head(key) {
    return this.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
  }

  /** @param {string} key */
  async get(key) {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return Buffer.from(await Body.transformToByteArray());
  }

  /** @param {string} key @param {Buffer} bytes */
  put(key, bytes) {
    return this.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
  }

  async end() {
    disown(this);
    this.client.destroy();
    this.front.closeAllConnections();
    this.front.close();
    await this.objects.close();
    rmSync(this.directory, { recursive: true, force: true });
    if (this.troubles.length > 0) throw new AggregateError(this.troubles, 'the S3 of the tests failed');
  }

  endNow() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** @param {string | undefined} method @param {URL} url */
function stepOf(method, url) {
  if (url.searchParams.has('uploads')) return 'uploads';
  if (url.searchParams.has('partNumber')) return 'part';
  if (url.searchParams.has('uploadId')) return method === 'POST' ? 'complete' : 'abort';
  return String(method).toLowerCase();
}
