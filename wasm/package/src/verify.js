import { Handles } from './handles.js';
import { CoreMemory } from './memory.js';
import { verifyingOf } from './webhooks.js';

/** What a compiled module of the two that verify webhooks, and nothing else, can do; at once. */
export function fromModule(module) {
  const memory = new CoreMemory(module, 'fluxora_verifier_create');
  return Object.freeze({ webhooks: Object.freeze(verifyingOf(memory, new Handles())) });
}
