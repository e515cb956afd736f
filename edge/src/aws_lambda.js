// A receiver as the handler of a Lambda function, behind API Gateway or a Function URL.

const NOT_HTTP = 'Not an HTTP event: this handler stands behind API Gateway (a REST or HTTP API) or a Function URL.';

/** HTTP APIs and Function URLs (2.0) name the method in the context, REST APIs (1.0) in the event. */
function methodOf(event) {
  const method = event.requestContext?.http?.method ?? event.httpMethod;
  if (typeof method !== 'string') throw new TypeError(NOT_HTTP);
  return method;
}

/** By names in lower case. 1.0 keeps the sender's spelling, and all values of a name in a list beside the last one. */
function headersOf({ headers, multiValueHeaders }) {
  const values = new Map();
  for (const [name, value] of Object.entries(multiValueHeaders ?? headers ?? {})) {
    const key = name.toLowerCase();
    values.set(key, [values.get(key) ?? [], value ?? []].flat());
  }
  return values;
}

function bodyOf({ body, isBase64Encoded }) {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}

export function toLambdaHandler(receiver) {
  return async (event, lambda) => {
    const method = methodOf(event);
    const received = headersOf(event);
    const header = (name) => received.get(name)?.join(', ');
    const { status, headers, body } = await receiver.handle({ method, header, body: bodyOf(event) }, { event, lambda });
    return { statusCode: status, headers: Object.fromEntries(headers), body, isBase64Encoded: false };
  };
}
