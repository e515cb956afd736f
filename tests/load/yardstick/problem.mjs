// Errors as RFC 9457 has them, in the server's words.

const KINDS = {
  400: ['VALIDATION_ERROR', 'Bad Request'],
  404: ['NOT_FOUND', 'Not Found'],
  500: ['INTERNAL_ERROR', 'Internal Server Error'],
};

/**
 * @param {import('express').Response} response
 * @param {400 | 404 | 500} status
 * @param {string} detail
 * @param {{field: string, code: string, message: string}[]} [errors]
 */
export function sendProblem(response, status, detail, errors) {
  const [error, title] = KINDS[status];
  response.status(status).type('application/problem+json').send(JSON.stringify({
    type: 'about:blank', title, status, detail, error, requestId: response.get('X-Request-Id'), errors,
  }));
}

/** @param {import('express').Request} request @param {string[]} known */
export function queryProblems(request, known) {
  return Object.keys(request.query)
    .filter((name) => !known.includes(name))
    .map((field) => ({ field, code: 'VALIDATION_ERROR', message: 'is not a parameter of this resource.' }));
}
