// The API's description as a server gives it: its operations, with references followed, and answers checked against it.
import assert from 'node:assert/strict';
import Ajv2020 from 'ajv/dist/2020.js';
import { request } from '../../integration/harness/http_client.js';
import { checkSecurityHeaders, SECURITY_HEADERS } from '../../integration/harness/security_headers.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Headers of any message, which the description of an answer needn't name. */
const ANY_ANSWER = new Set([
  ...Object.keys(SECURITY_HEADERS),
  'x-request-id',
  'date',
  'connection',
  'keep-alive',
  'content-type',
  'content-length',
  'transfer-encoding',
  'vary',
  'access-control-allow-origin',
  'access-control-expose-headers',
]);

/**
 * @typedef {object} Operation
 * @property {string} id
 * @property {string} method in capitals
 * @property {string} path
 * @property {any[]} parameters those of its path too
 * @property {any} body the body's schema, or undefined
 * @property {any} bodyExample
 * @property {boolean} bodyRequired
 * @property {Record<string, any>} responses by status
 * @property {any[] | undefined} security
 */

/** A JSON pointer as a URI fragment. @param {string[]} steps */
const pointer = (steps) =>
  steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

export class Description {
  /** @param {any} document */
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
    // The whole document is known as one schema, of which only parts are schemas.
    this.ajv.addVocabulary(Object.keys(document));
    this.ajv.addSchema(document, 'openapi.json', false, false);
    this.validators = new Map();
  }

  /** @param {string} baseUrl */
  static async of(baseUrl) {
    const answer = await request(`${baseUrl}/openapi.json`);
    assert.equal(answer.status, 200, answer.text);
    return new Description(answer.json);
  }

  /** What a reference points at, or the value itself. @param {any} value */
  resolved(value) {
    const steps = value?.$ref?.slice(2).split('/');
    return steps === undefined ? value : this.resolved(steps.reduce((at, step) => at[step], this.document));
  }

  /** @returns {Operation[]} */
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => {
        const operation = item[method];
        const body = operation.requestBody?.content['application/json'];
        return {
          id: operation.operationId,
          method: method.toUpperCase(),
          path,
          parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
            this.resolved(parameter),
          ),
          body: body?.schema,
          bodyExample: body?.example,
          bodyRequired: operation.requestBody?.required ?? false,
          responses: Object.fromEntries(
            Object.entries(operation.responses).map(([status, response]) => [status, this.resolved(response)]),
          ),
          security: operation.security ?? this.document.security,
        };
      }),
    );
  }

  /** The methods that a path has, HEAD and OPTIONS included. @param {string} path */
  methodsOf(path) {
    const methods = METHODS.filter((method) => this.document.paths[path][method]).map((method) => method.toUpperCase());
    const head = methods.includes('GET') && !this.document.paths[path].get.responses['101'];
    return [...methods, ...(head ? ['HEAD'] : []), 'OPTIONS'];
  }

  /** What may be said to any request. @returns {Record<string, any>} */
  answersToAny() {
    return Object.fromEntries(
      Object.entries(this.document['x-responses-to-any-request']).map(([status, response]) => [
        status,
        this.resolved(response),
      ]),
    );
  }

  /**
   * Whether a value is as the schema says; the errors of the last one are in `.errors`.
   * @param {any} schema
   * @returns {any}
   */
  validator(schema) {
    const known = this.validators.get(schema);
    if (known) return known;
    // Schemas refer to each other from the document's root, so each is compiled by the place where it stands.
    const place = this.placeOf(schema);
    const validator = this.ajv.compile({ $ref: `openapi.json#/${pointer(place)}` });
    this.validators.set(schema, validator);
    return validator;
  }

  /** @param {any} schema @returns {string[]} */
  placeOf(schema) {
    this.places ??= placesOf(this.document);
    const place = this.places.get(schema);
    if (!place) throw new Error(`a schema that isn't the description's: ${JSON.stringify(schema)}`);
    return place;
  }

  /**
   * Checks an answer, or throws: status, media type, body, headers, all described, and nothing besides.
   * @param {Operation} operation
   * @param {import('../../integration/harness/http_client.js').Answer} answer
   * @param {{what: string, head?: boolean, any?: boolean}} how `any`: what may be said to any request may be
   */
  check(operation, answer, { what, head = false, any = false }) {
    const described = { ...(any ? this.answersToAny() : {}), ...operation.responses }[answer.status];
    assert.ok(described, `${what}: ${answer.status} is not described: ${answer.text.slice(0, 300)}`);
    checkSecurityHeaders(answer.headers, what);
    this.checkHeaders(described, answer, what);
    if (head) assert.equal(answer.text, '', `${what}: a body for HEAD`);
    this.checkBody(described, answer, { what, head });
    if (answer.json?.error) assert.equal(answer.json.requestId, answer.headers['x-request-id'], what);
    if (answer.json?.error) assert.equal(answer.json.status, answer.status, what);
  }

  checkHeaders(described, answer, what) {
    const named = new Set();
    for (const [name, given] of Object.entries(described.headers ?? {})) {
      const header = this.resolved(given);
      const text = answer.headers[name.toLowerCase()];
      named.add(name.toLowerCase());
      if (text === undefined) {
        assert.ok(!header.required, `${what}: ${answer.status} without ${name}`);
      } else {
        const value = this.valueOf(header.schema, String(text));
        const validate = this.validator(header.schema);
        assert.ok(validate(value), `${what}: ${name}: ${text} ${JSON.stringify(validate.errors)}`);
      }
    }
    const others = Object.keys(answer.headers).filter((name) => !named.has(name) && !ANY_ANSWER.has(name));
    assert.deepEqual(others, [], `${what}: headers of ${answer.status} that are not described`);
  }

  /** How a response describes bodies of a media type, with its parameters or without. */
  contentOf(described, mediaType) {
    return described.content?.[mediaType] ?? described.content?.[mediaType?.split(';')[0]];
  }

  checkBody(described, answer, { what, head }) {
    if (described.content === undefined) return assert.equal(answer.text, '', `${what}: ${answer.status} has a body`);
    const mediaType = answer.headers['content-type'];
    const content = this.contentOf(described, mediaType);
    assert.ok(content, `${what}: ${answer.status} is ${mediaType}, which is not described`);
    if (head) return undefined;
    for (const value of bodyValues(mediaType, answer.text)) {
      const validate = this.validator(content.schema);
      assert.ok(
        validate(value),
        `${what}: ${answer.status} ${JSON.stringify(validate.errors?.slice(0, 3))} in ` +
          JSON.stringify(value).slice(0, 2000),
      );
    }
    return undefined;
  }

  /**
   * Text as it stands in a URL or a header, as the schema's type has it; undefined where it has no such form.
   * @param {any} schema
   * @param {string} text
   */
  valueOf(schema, text) {
    const { type } = this.resolved(schema);
    if (type === 'integer')
      return /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    if (type === 'boolean') return { true: true, false: false }[text];
    return text;
  }

  /**
   * Calls `found(name, value)` for every value within that has a schema with a name.
   * @param {any} schema @param {any} value @param {(name: string, value: any) => void} found
   */
  namedValues(schema, value, found) {
    if (schema.$ref && typeof value !== 'object') found(schema.$ref.split('/').pop(), value);
    const here = this.resolved(schema);
    for (const choice of here.anyOf ?? here.oneOf ?? []) {
      if (this.validator(choice)(value)) this.namedValues(choice, value, found);
    }
    if (Array.isArray(value)) value.forEach((item) => here.items && this.namedValues(here.items, item, found));
    else if (value !== null && typeof value === 'object') {
      for (const [name, member] of Object.entries(here.properties ?? {})) {
        if (value[name] !== undefined) this.namedValues(member, value[name], found);
      }
    }
  }
}

/** The values that a body holds: of NDJSON one a line. @param {string} mediaType @param {string} text */
export function bodyValues(mediaType, text) {
  if (mediaType === 'application/x-ndjson')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return [/\bjson\b/.test(mediaType) ? JSON.parse(text) : text];
}

/** Where every object of the document stands. @param {any} document */
function placesOf(document) {
  const places = new Map();
  const walk = (value, steps) => {
    if (value === null || typeof value !== 'object') return;
    places.set(value, steps);
    Object.entries(value).forEach(([name, inner]) => walk(inner, [...steps, name]));
  };
  walk(document, []);
  return places;
}
