import { load } from '@fluxora/core/verify';

import { receiverMaker } from './receiver.js';

export { RetryLater, retryLater } from './retry_later.js';

export const createReceiver = receiverMaker(load, ['secret']);
