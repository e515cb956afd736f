#!/usr/bin/env node
// What a Stellar RPC server has of a stream contract, and the settings that follow from it:
//   npm install @stellar/stellar-sdk@15.1.0
//   node look.mjs RPC_URL CONTRACT_ID
import { Contract, rpc, scValToNative, StrKey } from '@stellar/stellar-sdk';

const PAGE = 10_000; // events, and ledgers: the most that one call takes
const MAX_PAGES = 1_000;

const [url, contractId] = process.argv.slice(2);
if (!url || !StrKey.isValidContract(contractId ?? '')) {
  process.stderr.write('usage: node look.mjs RPC_URL CONTRACT_ID\n');
  process.exit(2);
}
const server = new rpc.Server(url, { allowHttp: true });

/** The contract's token, from its instance's storage; nothing where there is no such contract. */
async function readToken() {
  const { entries } = await server.getLedgerEntries(new Contract(contractId).getFootprint());
  const storage = entries[0]?.val.contractData().val().instance().storage() ?? [];
  const config = storage.find((entry) => String(scValToNative(entry.key())) === 'Config');
  return config && scValToNative(config.val()).token;
}

/** How many events there are of each kind, and the ledger of the first; all pages of the server's window. */
async function readEvents({ oldestLedger, latestLedger }) {
  const filters = [{ type: 'contract', contractIds: [contractId] }];
  const kinds = new Map();
  let first;
  let from = { startLedger: oldestLedger };
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { events, cursor } = await server.getEvents({ ...from, filters, limit: PAGE });
    first ??= events[0]?.ledger;
    for (const { topic } of events) {
      const kind = String(scValToNative(topic[0]));
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    // A cursor begins with ledger << 32; a page without events moves it on, too.
    if (events.length < PAGE && BigInt(cursor.split('-')[0]) >> 32n >= BigInt(latestLedger)) break;
    from = { cursor };
  }
  return { kinds: [...kinds].sort(([one], [other]) => (one < other ? -1 : 1)), first };
}

const health = await server.getHealth();
const { passphrase } = await server.getNetwork();
const token = await readToken();
const { kinds, first } = await readEvents(health);

console.log(`network   ${passphrase}`);
console.log(`ledgers   ${health.oldestLedger} to ${health.latestLedger}, ${health.ledgerRetentionWindow} are kept`);
console.log(`contract  ${token === undefined ? 'not found, or not a stream contract' : contractId}`);
console.log(`token     ${token ?? 'unknown'}`);
console.log(`events    ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`);
console.log('');
console.log(`STELLAR_RPC_URL=${url}`);
console.log(`NETWORK_PASSPHRASE="${passphrase}"`);
console.log(`CONTRACT_IDS=${contractId}`);
console.log(`INDEXER_START_LEDGER=${first ?? health.latestLedger}`);
