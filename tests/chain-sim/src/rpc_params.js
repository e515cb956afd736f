import { invalidParams, malformedParams } from './rpc_error.js';

/** @param {unknown} value @param {string} name @returns {Record<string, any>} */
export function object(value, name) {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw malformedParams(`${name} must be an object`);
  return value;
}

/** @param {unknown} value @param {string} name @param {number} max @returns {number | undefined} */
export function optionalUint(value, name, max) {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw malformedParams(`${name} must be an unsigned integer`);
  }
  return value;
}

/** @param {unknown} format */
export function checkFormat(format) {
  if (format === undefined || format === null || format === '' || format === 'base64') return;
  if (typeof format !== 'string') throw malformedParams('xdrFormat must be a string');
  if (format === 'json') throw invalidParams('this server answers xdrFormat base64 only');
  throw invalidParams(`got '${format}': expected base64, json for optional 'xdrFormat'`);
}
