import { load } from '@fluxora/core/ed25519';

import { receiverMaker } from './receiver.js';

export { RetryLater, retryLater } from './retry_later.js';

export const createReceiver = receiverMaker(load, ['secret', 'publicKeys']);
