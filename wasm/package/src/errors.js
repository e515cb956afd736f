/** What every function of this package throws. `code` is stable: compare it, never the message. */
export class FluxoraError extends Error {
  constructor(code, message, { offset = 0, field, cause } = {}) {
    super(field === undefined ? message : `${field}: ${message}`, { cause });
    this.name = 'FluxoraError';
    this.code = code;
    this.offset = offset;
    this.field = field;
  }
}

/** An argument of another type or form than the function takes. */
export const argumentInvalid = (message, field) => new FluxoraError('ARGUMENT_INVALID', message, { field });
