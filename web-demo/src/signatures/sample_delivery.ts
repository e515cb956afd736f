import type { LogEntry } from '@fluxora/core/feed';

const CONTRACT = 'CCQWFBFMBQEXJPXP6AYAQWCGHTKTT4NF5RSCRSVIUZYJ3YAXNCS53LVW';
const TX_HASH = '3b4120dc23ebf56c630b0f3f4c026f55d5a939c0a9d7ae0cb75c6511bc949303';

/** A withdrawal, with everything that the service says of one. */
const SAMPLE = {
  schemaVersion: 1,
  cursor: 'k3f9a2b1-1043',
  seq: 1043,
  event: 'stream.updated',
  kind: 'withdrew',
  streamId: `${CONTRACT}-7`,
  eventId: '0219044594816385024-0000000003',
  contractId: CONTRACT,
  ledger: 51000294,
  ledgerHash: '204935e533983358034d42ef9aea46f88810128c4441888a8287e82d1eff839d',
  txHash: TX_HASH,
  closedAt: '2026-03-29T09:31:27Z',
  change: { withdrawnAmount: ['0.0000000', '0.0215445'] },
  stream: {
    id: `${CONTRACT}-7`,
    source: 'chain',
    sender: 'GADALEDXOL5AXJY5M54VGNNLZCCPWC2SAAP2JZQ7A2BNCOYTIN7OITXL',
    recipient: 'GA3RRYONRRHGCG2YJWT46FFYMTA7JXZXETETL44REENB5Q4CTE3QPTA2',
    token: null,
    depositAmount: '1022.5385956',
    ratePerSecond: '0.0043089',
    withdrawnAmount: '0.0215445',
    settledAmount: '0.0000000',
    streamedAmount: '0.0215445',
    withdrawableAmount: '0.0000000',
    remainingAmount: '1022.5170511',
    asOf: 1774776687,
    startTime: 1774776682,
    cliffTime: 1774776682,
    endTime: 1774992417,
    cancelledAt: null,
    checkpointedAmount: '0.0000000',
    checkpointedAt: 1774776682,
    kind: 'linear',
    status: 'active',
    archived: false,
    version: 1043,
    createdAt: '2026-03-29T09:31:22.000Z',
    updatedAt: '2026-03-29T09:31:27.000Z',
    ledger: 51000294,
    txHash: TX_HASH,
    contractId: CONTRACT,
  },
  prevSeq: 987,
} as const;

/** What a delivery of an entry says, and the id that one to the service's first endpoint has. SPEC section 8. */
export function deliveryOf(entry: Pick<LogEntry, 'cursor' | 'event' | 'closedAt'>): { id: string; body: string } {
  return {
    id: `wd_1_${entry.cursor.replace('-', '_')}`,
    body: JSON.stringify({ type: entry.event, timestamp: entry.closedAt, data: entry }),
  };
}

export const SAMPLE_DELIVERY = deliveryOf(SAMPLE);
