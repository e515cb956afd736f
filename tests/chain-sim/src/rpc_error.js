// JSON-RPC errors, with the codes that the real server gives them.

export const CODE = Object.freeze({
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
});

export class RpcError extends Error {
  /** @param {number} code @param {string} message @param {unknown} [data] */
  constructor(code, message, data) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
  }

  toJSON() {
    return { code: this.code, message: this.message, ...(this.data === undefined ? {} : { data: this.data }) };
  }
}

/** The request is well formed and asks for what can't be given. */
export const invalidRequest = (message) => new RpcError(CODE.invalidRequest, message);
/** A parameter breaks a rule. */
export const invalidParams = (message) => new RpcError(CODE.invalidParams, message);
/** A parameter has the wrong type: the server's decoder refused it before any rule was asked. */
export const malformedParams = (detail) => new RpcError(CODE.invalidParams, 'invalid parameters', detail);
export const internalError = (message) => new RpcError(CODE.internal, message);
