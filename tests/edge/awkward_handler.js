// Takes the place of an example's handler: does as a delivery's stream says, as real handlers do on a bad day.
import { retryLater } from '@fluxora/edge';

const failed = new Set();
const SLOW_MS = 1500;

export async function onEvent(event, { deliveryId }) {
  const { streamId } = event.data;
  if (streamId === 'fails-once' && !failed.has(deliveryId)) {
    failed.add(deliveryId);
    throw new Error('the handler of the first copy fails');
  }
  if (streamId === 'overloaded') return retryLater(17);
  if (streamId === 'slow') {
    console.log(`started - - ${deliveryId}`);
    await new Promise((resolve) => { setTimeout(resolve, SLOW_MS); });
  }
  console.log(`${event.type} ${streamId} ${event.data.cursor} ${deliveryId}`);
}
