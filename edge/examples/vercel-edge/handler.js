// Your code goes here. It is called with events that are verified and were not handled before.

/** Throw, and the event comes again later. It is acknowledged once this has ended well. */
export async function onEvent(event, { deliveryId }) {
  const { streamId, cursor } = event.data;
  console.log(`${event.type} ${streamId ?? '-'} ${cursor ?? '-'} ${deliveryId}`);
}
