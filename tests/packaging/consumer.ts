// A user's program, for the types alone: it is compiled and never run.
import { FluxoraError, fromModule, load } from '@fluxora/core';
import type { Balances, FluxoraCore, FluxoraErrorCode, StreamTerms } from '@fluxora/core';
import { connectFeed } from '@fluxora/core/feed';
import type { FeedMessage } from '@fluxora/core/feed';
import { load as loadVerify } from '@fluxora/core/verify';
import { load as loadEd25519 } from '@fluxora/core/ed25519';
import type { FluxoraVerify, WebhookVerdict } from '@fluxora/core/verify';

const core: FluxoraCore = await load();
const same: FluxoraCore = fromModule(new WebAssembly.Module(new Uint8Array()));
const units: bigint = core.amounts.parse('1250.5');
const text: string = same.amounts.format(units);
// @ts-expect-error an amount is never a number
core.amounts.format(1250.5);

const terms: StreamTerms = {
  kind: 'linear', status: 'active', depositAmount: text, ratePerSecond: 116n, withdrawnAmount: '0', settledAmount: '0',
  checkpointedAmount: '0', checkpointedAt: 0, cliffTime: 0n, endTime: '18446744073709551615',
};
const balances: Balances = core.balancesAt(terms, 10);
for (const { id, streamed } of core.streamColumns().accrue(10n)) console.log(id, streamed, balances.streamedUnits);

const small: FluxoraVerify = await loadVerify();
const delivery = { headers: new Headers(), body: new Uint8Array() };
const verdict: WebhookVerdict = small.webhooks.verifier(['whsec_', { secret: 'whsec_', graceEnds: 1 }]).verify(delivery);
const keys: FluxoraVerify = await loadEd25519();
console.log(keys.webhooks.verifier('whpk_').verify(delivery).code);
if (verdict.code === 'signature_mismatch') console.log(verdict.status);
// @ts-expect-error no such verdict
if (verdict.code === 'wrong') console.log(verdict.status);

const step = core.feedClient({ scope: 'stream', from: null }).entry({ cursor: 'k3f9-1' });
if (step.action === 'ask') console.log(step.after, step.to);

const feed = connectFeed({ core, url: 'https://service.test', recipient: 'G', snapshot: true });
const message: FeedMessage = (await feed.next()).value;
console.log(message.type === 'entry' ? message.entry.streamId : message.state.length, feed.cursor);

try {
  core.strkey.decode('G');
} catch (error) {
  const code: FluxoraErrorCode | undefined = error instanceof FluxoraError ? error.code : undefined;
  console.log(code);
}
