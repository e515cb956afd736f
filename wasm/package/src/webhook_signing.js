import { FluxoraError, argumentInvalid } from './errors.js';
import { record } from './plain.js';
import { toSecondsOrNow } from './seconds.js';
import { BODY_MAX, NAMES, readBody, writeBody } from './webhooks.js';

const [FLUXORA_ID, FLUXORA_TIMESTAMP, FLUXORA_SIGNATURE, ID, TIMESTAMP, SIGNATURE] = NAMES;
// wasm/src/webhook_signing.cpp
const FLUXORA_SIGNATURE_SIZE = 64;

export function signingOf(memory) {
  return {
    sign(delivery) {
      const { secret, id, timestamp, body } = record(delivery, 'Not a delivery.');
      if (typeof secret !== 'string') throw argumentInvalid('Not a string.', 'secret');
      if (typeof id !== 'string') throw argumentInvalid('Not a string.', 'id');
      const seconds = toSecondsOrNow(timestamp, 'timestamp');
      const content = readBody(body);
      if (content.atLeast > BODY_MAX) {
        throw new FluxoraError('INPUT_TOO_LONG', 'No receiver takes more than 256 KiB.', { field: 'body' });
      }
      const pointer = memory.input((secret.length + id.length) * 3 + content.atMost);
      const secretSize = memory.write(secret, 0);
      const idSize = memory.write(id, secretSize);
      const size = writeBody(memory, content, secretSize + idSize);
      memory.check(memory.exports.fluxora_webhook_sign(pointer, secretSize, idSize, size, seconds));
      const signatures = memory.outputText();
      const second = String(seconds);
      return {
        [FLUXORA_ID]: id,
        [FLUXORA_TIMESTAMP]: second,
        [FLUXORA_SIGNATURE]: signatures.slice(0, FLUXORA_SIGNATURE_SIZE),
        [ID]: id,
        [TIMESTAMP]: second,
        [SIGNATURE]: signatures.slice(FLUXORA_SIGNATURE_SIZE),
      };
    },
  };
}
