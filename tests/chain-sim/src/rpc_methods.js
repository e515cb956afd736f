// The RPC methods: request and response fields, limits, error codes and wording of a Stellar RPC server.
import { xdr } from '@stellar/stellar-sdk';
import { after, endOfLedger, formatCursor } from './event_cursor.js';
import { LIMITS as EVENT_LIMITS, parseEventQuery } from './event_query.js';
import { closeMetaXdr, headerEntryXdr, headerXdr, protocolVersionOf } from './ledger_header.js';
import { internalError, invalidParams, invalidRequest, malformedParams } from './rpc_error.js';
import { checkFormat, object, optionalUint } from './rpc_params.js';

export const LEDGERS_LIMIT = Object.freeze({ max: 200, default: 50 });
export const MAX_KEYS = 200;
const UINT32 = 0xffffffff;

/**
 * @typedef {object} Served what the methods read
 * @property {import('./chain.js').Chain} chain
 * @property {import('./contract_storage.js').ContractStorage} storage
 * @property {string} networkPassphrase
 * @property {number | undefined} maxHealthyLatencySeconds
 * @property {number} lag how many of the last ledgers the server hasn't seen yet
 */

/** @param {Served} served */
export function rpcMethods(served) {
  const { chain, storage } = served;

  const window = () => {
    const oldest = chain.oldest;
    const latest = served.lag === 0 ? chain.latest : chain.ledger(Math.max(oldest.sequence, chain.latest.sequence - served.lag));
    return { oldest, latest };
  };
  const ledgerRange = ({ oldest, latest }, closeTime) => ({
    latestLedger: latest.sequence,
    oldestLedger: oldest.sequence,
    latestLedgerCloseTime: closeTime(latest.closedAt),
    oldestLedgerCloseTime: closeTime(oldest.closedAt),
  });

  function getHealth() {
    const range = window();
    if (served.maxHealthyLatencySeconds !== undefined) {
      const latency = Math.round(Date.now() / 1000) - range.latest.closedAt;
      if (latency > served.maxHealthyLatencySeconds) {
        throw internalError(
          `latency (${latency}s) since last known ledger closed is too high (>${served.maxHealthyLatencySeconds}s)`,
        );
      }
    }
    return {
      status: 'healthy',
      ...ledgerRange(range, Number),
      ledgerRetentionWindow: chain.retentionLedgers,
    };
  }

  function getNetwork() {
    return { passphrase: served.networkPassphrase, protocolVersion: protocolVersionOf(window().latest) };
  }

  function getLatestLedger() {
    const { latest } = window();
    return {
      id: latest.hash.toString('hex'),
      protocolVersion: protocolVersionOf(latest),
      sequence: latest.sequence,
      closeTime: String(latest.closedAt),
      headerXdr: headerXdr(latest),
      metadataXdr: closeMetaXdr(latest),
    };
  }

  function getLedgers(params) {
    const request = object(params, 'params');
    const startLedger = optionalUint(request.startLedger, 'startLedger', UINT32) ?? 0;
    const pagination = request.pagination === undefined || request.pagination === null ? undefined : object(request.pagination, 'pagination');
    const limit = optionalUint(pagination?.limit, 'pagination.limit', UINT32) ?? 0;
    const cursor = pagination?.cursor ?? '';
    if (typeof cursor !== 'string') throw malformedParams('pagination.cursor must be a string');

    const range = window();
    const [oldest, latest] = [range.oldest.sequence, range.latest.sequence];
    const bounds = `the oldest ledger: ${oldest} and the latest ledger: ${latest} for this rpc instance`;
    const known = (sequence) => sequence >= oldest && sequence <= latest;
    if (cursor !== '') {
      if (startLedger !== 0) throw invalidRequest(`startLedger (${startLedger}) and cursor (${cursor}) cannot both be set`);
    } else if (!known(startLedger)) {
      throw invalidRequest(`start ledger (${startLedger}) must be between ${bounds}`);
    }
    if (limit > LEDGERS_LIMIT.max) throw invalidRequest(`limit must not exceed ${LEDGERS_LIMIT.max}`);
    try {
      checkFormat(request.xdrFormat);
    } catch (error) {
      throw invalidRequest(error.message);
    }

    let start = startLedger;
    if (cursor !== '') {
      if (!/^[0-9]+$/.test(cursor) || Number(cursor) > UINT32) throw invalidParams(`strconv.ParseUint: parsing "${cursor}": invalid syntax`);
      start = Number(cursor) + 1;
      if (!known(start)) throw invalidParams(`cursor ('${cursor}') must be between ${bounds}`);
    }
    const end = Math.min(latest, start + (limit || LEDGERS_LIMIT.default) - 1);
    const ledgers = [];
    for (let sequence = start; sequence <= end; sequence += 1) {
      const ledger = chain.ledger(sequence);
      ledgers.push({
        hash: ledger.hash.toString('hex'),
        sequence: ledger.sequence,
        ledgerCloseTime: String(ledger.closedAt),
        headerXdr: headerEntryXdr(ledger),
        metadataXdr: closeMetaXdr(ledger),
      });
    }
    return { ledgers, ...ledgerRange(range, Number), cursor: String(end) };
  }

  function getEvents(params) {
    const query = parseEventQuery(params);
    const range = window();
    const [oldest, latest] = [range.oldest.sequence, range.latest.sequence];
    const start = query.cursor ? after(query.cursor) : { ledger: query.startLedger, tx: 0, op: 0, event: 0 };
    let endLedger = Math.min(latest + 1, start.ledger + EVENT_LIMITS.ledgersPerCall);
    if (query.endLedger !== 0) endLedger = Math.min(query.endLedger, endLedger);
    if (start.ledger < oldest || start.ledger > latest) {
      throw invalidRequest(`startLedger must be within the ledger range: ${oldest} - ${latest}`);
    }
    const from = formatCursor(start);
    const events = [];
    for (const event of chain.events(start.ledger, endLedger)) {
      if (event.id < from || !query.matches(event)) continue;
      events.push(event);
      if (events.length === query.limit) break;
    }
    return {
      events,
      // A full page ends at its last event; any other has searched up to the end of its span.
      cursor: events.length === query.limit ? events[events.length - 1].id : endOfLedger(Math.max(0, endLedger - 1)),
      ...ledgerRange(range, String),
    };
  }

  function getLedgerEntries(params) {
    const request = object(params, 'params');
    checkFormat(request.xdrFormat);
    const keys = request.keys ?? [];
    if (!Array.isArray(keys) || keys.some((key) => typeof key !== 'string')) throw malformedParams('keys must be strings');
    if (keys.length > MAX_KEYS) throw invalidParams(`key count (${keys.length}) exceeds maximum supported (${MAX_KEYS})`);
    const parsed = keys.map((key, index) => {
      let ledgerKey;
      try {
        ledgerKey = xdr.LedgerKey.fromXDR(key, 'base64');
      } catch {
        throw invalidParams(`cannot unmarshal key value ${key} at index ${index}`);
      }
      if (ledgerKey.switch().name === 'ttl') throw invalidParams('ledger ttl entries cannot be queried directly');
      return ledgerKey;
    });
    const { latest } = window();
    const entries = parsed.map((key) => storage.find(key, latest)).filter((entry) => entry !== undefined);
    return { entries, latestLedger: latest.sequence };
  }

  return { getHealth, getNetwork, getLatestLedger, getLedgers, getEvents, getLedgerEntries };
}
