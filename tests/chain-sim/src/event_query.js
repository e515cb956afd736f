// What getEvents accepts and which events it means: the server's rules and its wording.
import { StrKey, xdr } from '@stellar/stellar-sdk';
import { parseCursor } from './event_cursor.js';
import { invalidParams, malformedParams } from './rpc_error.js';
import { checkFormat, object, optionalUint } from './rpc_params.js';

export const LIMITS = Object.freeze({
  ledgersPerCall: 10_000,
  events: 10_000,
  defaultEvents: 100,
  filters: 5,
  contractIds: 5,
  topics: 5,
  segments: 4,
});

const ONE = '*';
const REST = '**';
const UINT32 = 0xffffffff;

/**
 * @typedef {object} EventQuery
 * @property {number} startLedger 0 when a cursor is given
 * @property {number} endLedger 0 when not given
 * @property {import('./event_cursor.js').Cursor | undefined} cursor
 * @property {number} limit
 * @property {(event: any) => boolean} matches
 */

/**
 * @param {unknown} params
 * @returns {EventQuery}
 */
export function parseEventQuery(params) {
  const request = object(params, 'params');
  const startLedger = optionalUint(request.startLedger, 'startLedger', UINT32) ?? 0;
  const endLedger = optionalUint(request.endLedger, 'endLedger', UINT32) ?? 0;
  const pagination = object(request.pagination ?? {}, 'pagination');
  const limit = optionalUint(pagination.limit, 'pagination.limit', Number.MAX_SAFE_INTEGER) ?? 0;
  const cursor = parsePagingCursor(pagination.cursor);
  const filters = (array(request.filters ?? [], 'filters')).map(parseFilter);

  checkFormat(request.xdrFormat);
  if (cursor) {
    if (startLedger !== 0 || endLedger !== 0) throw invalidParams('ledger ranges and cursor cannot both be set');
  } else if (startLedger <= 0) {
    throw invalidParams('startLedger must be positive');
  }
  if (limit > LIMITS.events) throw invalidParams(`limit must not exceed ${LIMITS.events}`);
  if (filters.length > LIMITS.filters) throw invalidParams('maximum 5 filters per request');
  filters.forEach((filter, index) => {
    const problem = filterProblem(filter);
    if (problem) throw invalidParams(`filter ${index + 1} invalid: ${problem}`);
  });
  const accepts = filters.map(compileFilter);
  return {
    startLedger,
    endLedger,
    cursor,
    limit: limit || LIMITS.defaultEvents,
    matches: (event) => accepts.length === 0 || accepts.some((accept) => accept(event)),
  };
}

function array(value, name) {
  if (!Array.isArray(value)) throw malformedParams(`${name} must be an array`);
  return value;
}

function parsePagingCursor(text) {
  if (text === undefined || text === null) return undefined;
  if (typeof text !== 'string') throw malformedParams('pagination.cursor must be a string');
  try {
    return parseCursor(text);
  } catch (error) {
    throw malformedParams(error.message);
  }
}

function parseFilter(filter) {
  const { type = '', contractIds, topics } = object(filter, 'filter');
  if (typeof type !== 'string') throw malformedParams('filter type must be a string');
  return {
    types: type === '' ? [] : type.split(','),
    contractIds: array(contractIds ?? [], 'contractIds').map((id) => {
      if (typeof id !== 'string') throw malformedParams('contractIds must be strings');
      return id;
    }),
    topics: array(topics ?? [], 'topics').map((topic) => array(topic, 'topics').map(parseSegment)),
  };
}

/** A segment is `*`, `**`, or an ScVal; kept in its canonical encoding, which is how events hold theirs. */
function parseSegment(segment) {
  if (typeof segment !== 'string') throw malformedParams('topic segments must be strings');
  if (segment === ONE || segment === REST) return segment;
  try {
    return xdr.ScVal.fromXDR(segment, 'base64').toXDR('base64');
  } catch {
    throw malformedParams(`topic segment ${segment} is not a base64 ScVal`);
  }
}

function filterProblem({ types, contractIds, topics }) {
  if (types.some((type) => type !== 'system' && type !== 'contract')) {
    return "filter type invalid: if set, type must be either 'system' or 'contract'";
  }
  if (contractIds.length > LIMITS.contractIds) return 'maximum 5 contract IDs per filter';
  if (topics.length > LIMITS.topics) return 'maximum 5 topics per filter';
  const badContract = contractIds.findIndex((id) => !StrKey.isValidContract(id));
  if (badContract >= 0) return `contract ID ${badContract + 1} invalid`;
  for (const [index, topic] of topics.entries()) {
    const problem = topicProblem(topic);
    if (problem) return `topic ${index + 1} invalid: ${problem}`;
  }
  return undefined;
}

function topicProblem(topic) {
  if (topic.length < 1) return 'topic must have at least 1 segment';
  const fixed = topic[topic.length - 1] === REST ? topic.slice(0, -1) : topic;
  const misplaced = fixed.indexOf(REST);
  if (misplaced >= 0) return `segment ${misplaced + 1} invalid: wildcard '**' is only allowed as the last segment`;
  if (fixed.length > LIMITS.segments) return `topic cannot have more than ${LIMITS.segments} segments`;
  return undefined;
}

function compileFilter({ types, contractIds, topics }) {
  const matchers = topics.map(compileTopic);
  return (event) =>
    (types.length === 0 || types.includes(event.type)) &&
    (contractIds.length === 0 || contractIds.includes(event.contractId)) &&
    (matchers.length === 0 || matchers.some((matches) => matches(event.topic)));
}

function compileTopic(topic) {
  const open = topic[topic.length - 1] === REST;
  const fixed = open ? topic.slice(0, -1) : topic;
  return (segments) =>
    (open ? segments.length >= fixed.length : segments.length === fixed.length) &&
    fixed.every((wanted, i) => wanted === ONE || wanted === segments[i]);
}
