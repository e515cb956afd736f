// A reducer written from SPEC section 3 alone, to hold the events against the storage.
import { xdr, scValToNative } from '@stellar/stellar-sdk';
import { scheduled } from '../src/accrual.js';

const seconds = (timestamp) => BigInt(Date.parse(timestamp) / 1000);

function created(p) {
  return {
    streamId: p.stream_id,
    sender: p.sender,
    recipient: p.recipient,
    depositAmount: p.deposit_amount,
    ratePerSecond: p.rate_per_second,
    startTime: p.start_time,
    cliffTime: p.cliff_time,
    endTime: p.end_time,
    withdrawnAmount: 0n,
    status: 0,
    cancelledAt: null,
    checkpointedAmount: 0n,
    checkpointedAt: p.start_time,
    withdrawDustThreshold: p.withdraw_dust_threshold,
    kind: 0,
    lastModifiedLedger: 0,
  };
}

const RULES = {
  withdrew: (s, p) => ({ withdrawnAmount: s.withdrawnAmount + p.amount }),
  wdraw_to: (s, p) => ({ withdrawnAmount: s.withdrawnAmount + p.amount }),
  paused: () => ({ status: 1 }),
  resumed: () => ({ status: 0 }),
  completed: (s) => ({ status: 2, withdrawnAmount: s.depositAmount }),
  cancelled: (s, p, at) => ({ status: 3, cancelledAt: at }),
  kp_cncl: (s, p, at) => ({ status: 3, cancelledAt: at }),
  rate_upd: (s, p) => ({
    checkpointedAmount: scheduled(s, p.effective_time),
    checkpointedAt: p.effective_time,
    ratePerSecond: p.new_rate_per_second,
  }),
  rate_dec: (s, p) => ({
    checkpointedAmount: p.checkpointed_amount,
    checkpointedAt: p.effective_time,
    ratePerSecond: p.new_rate_per_second,
    depositAmount: s.depositAmount - p.refund_amount,
  }),
  end_shrt: (s, p) => ({ endTime: p.new_end_time, depositAmount: s.depositAmount - p.refund_amount }),
  end_ext: (s, p) => ({ endTime: p.new_end_time }),
  top_up: (s, p) => ({ depositAmount: p.new_deposit_amount, endTime: p.new_end_time }),
  recp_upd: (s, p) => ({ recipient: p.new_recipient }),
  sndr_xfr: (s, p) => ({ sender: p.new_sender }),
};

/** Topic and payload of a getEvents item, decoded by the SDK. */
export function decode(event) {
  const [name, id] = event.topic.map((topic) => scValToNative(xdr.ScVal.fromXDR(topic, 'base64')));
  return { name, id, payload: scValToNative(xdr.ScVal.fromXDR(event.value, 'base64')) };
}

/** Streams after these events, by id: what the contract's storage should hold. */
export function fold(events) {
  const streams = new Map();
  for (const event of events) {
    const { name, id, payload } = decode(event);
    if (name === 'created') streams.set(id, created(payload));
    else if (name === 'closed') streams.delete(id);
    else if (!RULES[name]) throw new Error(`no rule for ${name}`);
    else Object.assign(streams.get(id), RULES[name](streams.get(id), payload, seconds(event.ledgerClosedAt)));
    if (name !== 'closed') streams.get(id).lastModifiedLedger = event.ledger;
  }
  return streams;
}
