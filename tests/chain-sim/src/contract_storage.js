// Ledger entries as getLedgerEntries serves them: the stream contract's instance and its streams, the
// token's instance, and whatever a test put there.
import { xdr } from '@stellar/stellar-sdk';
import { digest } from './prng.js';
import { address, bytes, bytesMap, i128, none, option, scAddress, struct, symbol, u32, u64, variant, vec } from './scval.js';

/** The contract's own lifetimes, in ledgers. */
const TTL = Object.freeze({ secondsPerLedger: 5n, buffer: 17_280n, floor: 518_400n, ceiling: 3_110_400n });

const DURABILITY = xdr.ContractDataDurability.persistent();
const EXTENSION = Buffer.alloc(4).toString('base64');

/** The newest Stream struct, field by field. @param {import('./stream_contract.js').Stream} stream */
export function streamScVal(stream) {
  return struct({
    stream_id: u64(stream.streamId),
    sender: address(stream.sender),
    recipient: address(stream.recipient),
    claim_owner: none(),
    deposit_amount: i128(stream.depositAmount),
    rate_per_second: i128(stream.ratePerSecond),
    start_time: u64(stream.startTime),
    cliff_time: u64(stream.cliffTime),
    end_time: u64(stream.endTime),
    withdrawn_amount: i128(stream.withdrawnAmount),
    status: u32(stream.status),
    cancelled_at: option(stream.cancelledAt, u64),
    checkpointed_amount: i128(stream.checkpointedAmount),
    checkpointed_at: u64(stream.checkpointedAt),
    withdraw_dust_threshold: i128(stream.withdrawDustThreshold),
    memo: option(stream.memo, (text) => bytes(Buffer.from(text))),
    kind: u32(stream.kind),
    last_pause_toggle_ledger: u32(stream.lastPauseToggleLedger),
    last_withdraw_ledger: u32(stream.lastWithdrawLedger),
    metadata: option(stream.metadata, bytesMap),
    witness: none(),
    is_pooled: none(),
    last_rate_change_ledger: u32(stream.lastRateChangeLedger),
    delegation_depth: u32(0),
    parent_stream_id: none(),
    irrevocable: none(),
    decommissioned: none(),
    paused_at_timestamp: u64(stream.pausedAtTimestamp),
    cumulative_paused_duration: u64(stream.cumulativePausedDuration),
  });
}

/** The key that the contract stores a stream under. @param {bigint} id */
export const streamKey = (id) => variant('Stream', u64(id));

/** @param {string} contractId @param {xdr.ScVal} key @returns {xdr.LedgerKey} */
export function contractDataKey(contractId, key) {
  return xdr.LedgerKey.contractData(
    new xdr.LedgerKeyContractData({ contract: scAddress(contractId), key, durability: DURABILITY }),
  );
}

function contractData(contractId, key, val) {
  return xdr.LedgerEntryData.contractData(
    new xdr.ContractDataEntry({
      ext: new xdr.ExtensionPoint(0),
      contract: scAddress(contractId),
      key,
      durability: DURABILITY,
      val,
    }),
  );
}

function instance(executable, storage) {
  return xdr.ScVal.scvContractInstance(
    new xdr.ScContractInstance({
      executable,
      storage: storage.map(([key, val]) => new xdr.ScMapEntry({ key, val })),
    }),
  );
}

/** @param {import('./stream_contract.js').StreamContract} contract */
function contractInstance(contract) {
  const { nextStreamId, pausedStreams, totalLiabilities } = contract.instance;
  return instance(xdr.ContractExecutable.contractExecutableWasm(digest('stream-contract-wasm')), [
    [vec([symbol('Config')]), struct({ admin: address(contract.admin), token: address(contract.token.address) })],
    [vec([symbol('NextStreamId')]), u64(nextStreamId)],
    [vec([symbol('PausedStreamCount')]), u64(pausedStreams)],
    [vec([symbol('TotalLiabilities')]), i128(totalLiabilities)],
  ]);
}

/** A Stellar asset contract's instance. @param {{name: string, symbol: string, issuer: string}} token */
function tokenInstance(token) {
  return instance(xdr.ContractExecutable.contractExecutableStellarAsset(), [
    [symbol('METADATA'), struct({
      decimal: u32(7),
      name: xdr.ScVal.scvString(token.name),
      symbol: xdr.ScVal.scvString(token.symbol),
    })],
    [vec([symbol('Admin')]), address(token.issuer)],
    [vec([symbol('AssetInfo')]), variant('AlphaNum4', struct({
      asset_code: xdr.ScVal.scvString(token.symbol),
      issuer: bytes(scAddress(token.issuer).accountId().ed25519()),
    }))],
  ]);
}

/**
 * @typedef {object} StoredEntry
 * @property {string} contractId
 * @property {xdr.ScVal} key
 * @property {xdr.ScVal} val
 * @property {number} modifiedLedger
 * @property {bigint} [lifetime] in ledgers
 */

export class ContractStorage {
  /**
   * @param {import('./stream_contract.js').StreamContract} contract
   * @param {number} deployedLedger
   */
  constructor(contract, deployedLedger) {
    this.contract = contract;
    this.deployedLedger = deployedLedger;
    /** @type {Map<string, StoredEntry>} */
    this.extra = new Map();
  }

  /** Puts an entry of any contract there, or takes it away (no `val`). */
  set({ contractId, key, val, modifiedLedger }) {
    const id = contractDataKey(contractId, key).toXDR('base64');
    if (val) this.extra.set(id, { contractId, key, val, modifiedLedger });
    else this.extra.delete(id);
  }

  /**
   * @param {xdr.LedgerKey} ledgerKey
   * @param {import('./ledger_header.js').Ledger} latest
   * @returns {object | undefined} an entry as getLedgerEntries sends it
   */
  find(ledgerKey, latest) {
    if (ledgerKey.switch().name !== 'contractData') return undefined;
    /** @type {StoredEntry | undefined} */
    const found = this.extra.get(ledgerKey.toXDR('base64')) ?? this.#own(ledgerKey.contractData());
    if (!found) return undefined;
    const { contractId, key, val, modifiedLedger } = found;
    return {
      key: ledgerKey.toXDR('base64'),
      xdr: contractData(contractId, key, val).toXDR('base64'),
      lastModifiedLedgerSeq: modifiedLedger,
      liveUntilLedgerSeq: Math.max(modifiedLedger + Number(found.lifetime ?? TTL.floor), latest.sequence),
      extXdr: EXTENSION,
    };
  }

  /** @returns {StoredEntry | undefined} */
  #own(wanted) {
    if (wanted.durability().name !== 'persistent') return undefined;
    const { contract } = this;
    const isOf = (contractId) => wanted.contract().toXDR().equals(scAddress(contractId).toXDR());
    const key = wanted.key();
    const kind = key.switch().name;
    if (isOf(contract.token.address)) {
      if (kind !== 'scvLedgerKeyContractInstance') return undefined;
      return { contractId: contract.token.address, key, val: tokenInstance(contract.token), modifiedLedger: this.deployedLedger };
    }
    if (!isOf(contract.address)) return undefined;
    if (kind === 'scvLedgerKeyContractInstance') {
      return { contractId: contract.address, key, val: contractInstance(contract), modifiedLedger: contract.instance.modifiedLedger };
    }
    const id = streamIdOf(key);
    const entry = id === undefined ? undefined : contract.entries.get(id);
    if (!entry) return undefined;
    return {
      contractId: contract.address,
      key,
      val: streamScVal(entry.stream),
      modifiedLedger: entry.modifiedLedger,
      lifetime: lifetime(entry.stream),
    };
  }
}

/** `vec[symbol "Stream", u64 id]`, or nothing. @param {xdr.ScVal} key @returns {bigint | undefined} */
function streamIdOf(key) {
  if (key.switch().name !== 'scvVec') return undefined;
  const items = key.vec();
  if (items?.length !== 2 || items[0].switch().name !== 'scvSymbol' || items[1].switch().name !== 'scvU64') return undefined;
  return items[0].sym().toString() === 'Stream' ? BigInt(items[1].u64().toString()) : undefined;
}

/** How long the entry lives: longer, the longer the stream. @param {import('./stream_contract.js').Stream} stream */
function lifetime(stream) {
  const ledgers = (stream.endTime - stream.startTime) / TTL.secondsPerLedger + TTL.buffer;
  return ledgers < TTL.floor ? TTL.floor : ledgers > TTL.ceiling ? TTL.ceiling : ledgers;
}
