// Asks the operations of a description with requests made of it, checks each answer by it, and learns from them.
import { request } from '../../integration/harness/http_client.js';
import { bodyValues } from './description.js';
import { goodValues } from './samples.js';

/** Good values of one parameter or member that are tried. */
const MOST_VALUES = 30;
const WRITES_LAST = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** @typedef {import('./description.js').Operation} Operation */

/**
 * What a request has besides what it must have.
 * @typedef {object} Changes
 * @property {Record<string, string>} [path] encoded
 * @property {[string, string][]} [query]
 * @property {string} [rawQuery]
 * @property {Record<string, any>} [headers] undefined leaves one out, an array sends it several times
 * @property {any} [body] text and bytes as they are, anything else as JSON
 */

/**
 * What an operation was asked and answered.
 * @typedef {object} Walked
 * @property {number} requests
 * @property {Map<number, number>} statuses how often each
 * @property {Set<string>} shown parameters and members with which it succeeded
 * @property {Record<string, string>} path path parameters that led to a success
 */

/** @param {number} status */
export const isSuccess = (status) => status < 400;

/** The scope that an operation asks for, or none. @param {Operation} operation */
export const scopeOf = (operation) => operation.security?.flatMap((way) => Object.values(way).flat())[0];

/** @param {Operation} operation */
export const isUpgrade = (operation) => operation.responses['101'] !== undefined;

export class Walker {
  /**
   * @param {string} baseUrl
   * @param {import('./description.js').Description} description
   * @param {(scope: string) => string} tokenFor a bearer token of that scope
   * @param {(operation: Operation) => Promise<void>} [prepare] called before each request
   */
  constructor(baseUrl, description, tokenFor, prepare = async () => {}) {
    this.baseUrl = baseUrl;
    this.description = description;
    this.tokenFor = tokenFor;
    this.prepare = prepare;
    this.operations = description
      .operations()
      .sort((a, b) => WRITES_LAST.indexOf(a.method) - WRITES_LAST.indexOf(b.method));
    /** Base URLs of operations that another server answers, by operationId. @type {Map<string, string>} */
    this.homes = new Map();
    /** Values that answers had, newest first, by the name of their schema. @type {Map<string, any[]>} */
    this.seen = new Map();
    /** By operationId. @type {Map<string, Walked>} */
    this.walked = new Map(
      this.operations.map(({ id }) => [id, { requests: 0, statuses: new Map(), shown: new Set(), path: {} }]),
    );
  }

  /** Where an operation is asked unless told. @param {Operation} operation */
  homeOf(operation) {
    return this.homes.get(operation.id) ?? this.baseUrl;
  }

  /** @param {string} id @returns {Operation} */
  operation(id) {
    const found = this.operations.find((one) => one.id === id);
    if (!found) throw new Error(`no operation ${id} is described`);
    return found;
  }

  /** Good values of a parameter, the likeliest first. @param {any} parameter @returns {any[]} */
  values(parameter) {
    const values = [parameter.example, ...goodValues(this.description, parameter.schema, this.seen)];
    return values.filter((value) => value !== undefined).slice(0, MOST_VALUES);
  }

  /** Good values of a body's member, those of its alternatives and items too. @param {any} schema @returns {any[]} */
  memberValues(schema) {
    const here = this.description.resolved(schema);
    if (here.items) return [goodValues(this.description, here.items, this.seen).slice(0, MOST_VALUES)];
    const alternatives = (here.anyOf ?? here.oneOf ?? []).flatMap((choice) => this.memberValues(choice));
    const nothing = here.type === 'null' || here.type?.includes?.('null') ? [null] : [];
    return [...alternatives, ...nothing, ...goodValues(this.description, schema, this.seen)].slice(0, MOST_VALUES);
  }

  /**
   * A request of an operation: everything that it must have, and `changes`.
   * @param {Operation} operation
   * @param {Changes} [changes]
   */
  build(operation, { path = {}, query = [], rawQuery = '', headers = {}, body = operation.bodyExample } = {}) {
    const first = (parameter) => String(this.values(parameter)[0] ?? '');
    const required = (where) =>
      operation.parameters.filter((parameter) => parameter.in === where && parameter.required);
    const known = {
      ...Object.fromEntries(
        required('path').map((parameter) => [parameter.name, encodeURIComponent(first(parameter))]),
      ),
      ...this.walked.get(operation.id)?.path,
      ...path,
    };
    const target = operation.path.replace(/\{(\w+)\}/g, (_, name) => known[name]);
    const missing = required('query').filter(({ name }) => !query.some(([given]) => given === name));
    const pairs = [...missing.map((parameter) => [parameter.name, first(parameter)]), ...query].map((pair) =>
      pair.map(encodeURIComponent).join('='),
    );
    const search = [...pairs, ...(rawQuery ? [rawQuery] : [])].join('&');
    const scope = scopeOf(operation);
    const all = {
      ...(scope ? { authorization: `Bearer ${this.tokenFor(scope)}` } : {}),
      ...(operation.body ? { 'content-type': 'application/json' } : {}),
      ...Object.fromEntries(required('header').map((parameter) => [parameter.name, first(parameter)])),
      ...headers,
    };
    return {
      method: operation.method,
      target: search ? `${target}?${search}` : target,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== '')),
      body: operation.body && (typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)),
    };
  }

  /**
   * Sends it, checks the answer by the description, and learns from it.
   * @param {Operation} operation
   * @param {Changes} [changes]
   * @param {{any?: boolean, what?: string, baseUrl?: string, head?: boolean}} [how] `any`: it is wrong as a message
   */
  async ask(operation, changes = {}, { any = false, what = '', baseUrl = this.homeOf(operation), head = false } = {}) {
    const { method, target, headers, body } = this.build(operation, changes);
    await this.prepare(operation);
    const answer = await request(baseUrl + target, { method: head ? 'HEAD' : method, headers, body });
    const told = `${operation.id}${what && `: ${what}`} (${method} ${target.slice(0, 200)})`;
    this.description.check(operation, answer, { what: told, any, head });
    this.count(operation, answer.status);
    if (isSuccess(answer.status) && !head) this.learn(operation, answer);
    return Object.assign(answer, { what: told });
  }

  /**
   * Asks at one path after the other until one succeeds.
   * @param {Operation} operation
   * @param {Changes} changes
   * @param {Record<string, string>[]} paths
   */
  async succeeds(operation, changes, paths = this.pathsOf(operation)) {
    for (const path of paths) {
      const { status } = await this.ask(operation, { ...changes, path });
      if (!isSuccess(status)) continue;
      Object.assign(this.walked.get(operation.id).path, path);
      return true;
    }
    return false;
  }

  /**
   * Where an operation may be had: where it succeeded before, and everywhere else that is known.
   * @param {Operation} operation
   */
  pathsOf(operation) {
    const [parameter] = operation.parameters.filter((one) => one.in === 'path');
    const others = parameter
      ? this.values(parameter).map((value) => ({ [parameter.name]: encodeURIComponent(value) }))
      : [];
    return [{}, ...others];
  }

  /** @param {Operation} operation @param {number} status */
  count(operation, status) {
    const walked = this.walked.get(operation.id);
    walked.requests += 1;
    walked.statuses.set(status, (walked.statuses.get(status) ?? 0) + 1);
  }

  learn(operation, answer) {
    const mediaType = answer.headers['content-type'];
    const content = this.description.contentOf(operation.responses[answer.status], mediaType);
    if (!content) return;
    for (const value of bodyValues(mediaType, answer.text)) {
      this.description.namedValues(content.schema, value, (name, found) => {
        const known = this.seen.get(name) ?? [];
        if (!known.includes(found)) this.seen.set(name, [found, ...known].slice(0, 2 * MOST_VALUES));
      });
    }
  }

  /**
   * Every operation in turn but upgrades; one that is wrong doesn't keep the others from being walked.
   * @param {(operation: Operation) => Promise<void>} work
   * @param {(operation: Operation) => boolean} [choose]
   */
  async forEachOperation(work, choose = () => true) {
    const wrong = [];
    for (const operation of this.operations.filter((one) => !isUpgrade(one) && choose(one))) {
      try {
        await work(operation);
      } catch (error) {
        wrong.push(String(error.message ?? error).slice(0, 1500));
      }
    }
    if (wrong.length > 0) throw new Error(`${wrong.length} wrong:\n${wrong.join('\n\n')}`);
  }

  /** A line an operation: how many requests, answered with what. */
  report() {
    const lines = [...this.walked].map(([id, { requests, statuses }]) => {
      const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status} × ${times}`);
      return `${id}: ${requests} requests, ${answers.join(', ')}`;
    });
    const all = [...this.walked.values()].reduce((sum, { requests }) => sum + requests, 0);
    return [...lines, `walked ${this.walked.size} operations with ${all} requests`].join('\n');
  }
}
