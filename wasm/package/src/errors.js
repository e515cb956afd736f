/** What every function of this package throws. `code` is stable: compare it, never the message. */
export class FluxoraError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{offset?: number, field?: string}} [where]
   */
  constructor(code, message, { offset = 0, field } = {}) {
    super(field === undefined ? message : `${field}: ${message}`);
    this.name = 'FluxoraError';
    this.code = code;
    this.offset = offset;
    this.field = field;
  }
}

/** An argument of another type or form than the function takes. */
export const argumentInvalid = (message, field) => new FluxoraError('ARGUMENT_INVALID', message, { field });
