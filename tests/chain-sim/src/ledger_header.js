// Ledger headers as a validator would write them: the hash is the SHA-256 of the header's XDR and
// names the ledger before.
import { xdr } from '@stellar/stellar-sdk';
import { digest, sha256 } from './prng.js';

export const PROTOCOL_VERSION = 23;
const ZERO_HASH = Buffer.alloc(32);

/**
 * @typedef {object} Ledger
 * @property {number} sequence
 * @property {number} closedAt unix seconds
 * @property {Buffer} hash
 * @property {Buffer} previousHash
 * @property {Buffer} header LedgerHeader XDR
 */

function emptyTxSet(previousHash) {
  return new xdr.GeneralizedTransactionSet(
    1,
    new xdr.TransactionSetV1({ previousLedgerHash: previousHash, phases: [] }),
  );
}

/**
 * @param {object} options
 * @param {number} options.sequence
 * @param {number} options.closedAt
 * @param {Buffer} options.previousHash
 * @param {Buffer[]} [options.txHashes]
 * @param {string | number} options.salt what tells this chain's ledgers from another's (seed, branch)
 * @param {number} [options.protocolVersion]
 * @returns {Ledger}
 */
export function buildLedger({ sequence, closedAt, previousHash, txHashes = [], salt, protocolVersion = PROTOCOL_VERSION }) {
  const state = digest('state', salt, sequence);
  const signature = Buffer.concat([digest('signature-r', salt, sequence), digest('signature-s', salt, sequence)]);
  const header = new xdr.LedgerHeader({
    ledgerVersion: protocolVersion,
    previousLedgerHash: previousHash,
    scpValue: new xdr.StellarValue({
      txSetHash: sha256(Buffer.concat([previousHash, ...txHashes])),
      closeTime: new xdr.Uint64(BigInt(closedAt)),
      upgrades: [],
      // Nobody here runs consensus; the signature has the form of one.
      ext: xdr.StellarValueExt.stellarValueSigned(
        new xdr.LedgerCloseValueSignature({
          nodeId: xdr.PublicKey.publicKeyTypeEd25519(digest('validator', salt)),
          signature,
        }),
      ),
    }),
    txSetResultHash: sha256(Buffer.concat([Buffer.from('results'), ...txHashes])),
    bucketListHash: state,
    ledgerSeq: sequence,
    totalCoins: new xdr.Int64(1054439020873472865n),
    feePool: new xdr.Int64(45_000_000_000_000n),
    inflationSeq: 0,
    idPool: new xdr.Uint64(1_500_000_000n),
    baseFee: 100,
    baseReserve: 5_000_000,
    maxTxSetSize: 1000,
    skipList: [ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH],
    ext: new xdr.LedgerHeaderExt(0),
  }).toXDR();
  return { sequence, closedAt, hash: sha256(header), previousHash, header };
}

/** @param {Ledger} ledger */
function historyEntry(ledger) {
  return new xdr.LedgerHeaderHistoryEntry({
    hash: ledger.hash,
    header: xdr.LedgerHeader.fromXDR(ledger.header),
    ext: new xdr.LedgerHeaderHistoryEntryExt(0),
  });
}

/** The ledger's LedgerHeaderHistoryEntry, base64. @param {Ledger} ledger */
export function headerEntryXdr(ledger) {
  return historyEntry(ledger).toXDR('base64');
}

/** The ledger's LedgerHeader alone, base64: what getLatestLedger gives. @param {Ledger} ledger */
export function headerXdr(ledger) {
  return ledger.header.toString('base64');
}

/** A real LedgerCloseMeta that leaves the transactions out: the server's is large, nobody here reads it. @param {Ledger} ledger */
export function closeMetaXdr(ledger) {
  return new xdr.LedgerCloseMeta(
    2,
    new xdr.LedgerCloseMetaV2({
      ext: new xdr.LedgerCloseMetaExt(0),
      ledgerHeader: historyEntry(ledger),
      txSet: emptyTxSet(ledger.previousHash),
      txProcessing: [],
      upgradesProcessing: [],
      scpInfo: [],
      totalByteSizeOfLiveSorobanState: new xdr.Uint64(0n),
      evictedKeys: [],
    }),
  ).toXDR('base64');
}

/** @param {Ledger} ledger */
export function protocolVersionOf(ledger) {
  return ledger.header.readUInt32BE(0);
}

/**
 * A ledger from a recorded LedgerHeaderHistoryEntry.
 * @param {string} entryBase64
 * @returns {Ledger}
 */
export function parseHeaderEntry(entryBase64) {
  const entry = xdr.LedgerHeaderHistoryEntry.fromXDR(entryBase64, 'base64');
  const header = entry.header();
  return {
    sequence: header.ledgerSeq(),
    closedAt: Number(header.scpValue().closeTime().toString()),
    hash: entry.hash(),
    previousHash: header.previousLedgerHash(),
    header: header.toXDR(),
  };
}
