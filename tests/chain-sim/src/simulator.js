// The simulator: a chain with the stream contract on it, served as a Stellar RPC server.
import { xdr } from '@stellar/stellar-sdk';
import { accountAddress, cast, contractAddress, tokenAsset } from './accounts.js';
import { Chain } from './chain.js';
import { ContractStorage } from './contract_storage.js';
import { Faults } from './faults.js';
import { startHttpServer } from './http_server.js';
import { Prng, digest } from './prng.js';
import { RecordedHistory } from './recorded_history.js';
import { rpcMethods } from './rpc_methods.js';
import { Scenario } from './scenario.js';
import { CALLS, StreamContract } from './stream_contract.js';

export { KIND, STATUS } from './accrual.js';
export { ContractError } from './stream_contract.js';

export const TEST_PASSPHRASE = 'Fluxora Simulated Network ; 2026';
/** Between two ledgers closed by hand, as on the real network. */
export const LEDGER_SECONDS = 5;
/** How long before the present a chain starts that is to have a past: the keeper's week, and an hour and a half. */
export const HISTORY_SECONDS = 604_800 + 5_400;
/** How deep the forks go that a chain makes by itself. Who follows one stays a ledger behind its tip, and wouldn't see one of depth 1. */
export const OWN_FORK_DEPTHS = Object.freeze({ least: 2, most: 3 });
/** Empty ledgers after the last recorded one, so that it lies behind the tip as it would on a network. */
export const TRAILING_LEDGERS = 5;

/**
 * @typedef {object} SimulatorOptions
 * @property {number} [port] 0 (any free one)
 * @property {string} [host] IPv4 address to listen on (127.0.0.1)
 * @property {string | number} [seed] 1
 * @property {number} [closeEveryMs] 0: ledgers close only by `closeLedger`; else at least 1000, at wall-clock times
 * @property {boolean} [scenario] with `closeEveryMs`: treasuries act in every ledger (false)
 * @property {number} [forkEvery] with `closeEveryMs`: before every such ledger the last two or three are replaced (0: never)
 * @property {number} [startLedger] 1000
 * @property {number} [startTime] unix seconds at which the first ledger closes (1,750,000,000; with `closeEveryMs` the present)
 * @property {string} [networkPassphrase]
 * @property {number} [retentionLedgers] 120,960 (a week)
 * @property {bigint | number} [keeperGraceSeconds] 604,800, as in the contract
 * @property {boolean} [tokenEvents] the token's `transfer` events too (true)
 * @property {number} [streams] how many the scenario keeps open (12)
 * @property {string[]} [kinds] of the scenario's streams (`['linear']`)
 * @property {boolean} [uncheckpointedRates] let the scenario change rates without a checkpoint (false)
 * @property {number} [maxHealthyLatencySeconds] getHealth fails when the tip is older than this (never)
 * @property {{eventsFile: string, ledgersFile?: string}} [replay] serve a recorded piece of a network first
 */

/** @param {SimulatorOptions} [options] */
export async function startSimulator(options = {}) {
  const simulator = new Simulator(options);
  await simulator.listen();
  return simulator;
}

function positiveInteger(value, name) {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer, got ${value}`);
  return value;
}

export class Simulator {
  /** @param {SimulatorOptions} options */
  constructor({
    port = 0,
    host,
    seed = 1,
    closeEveryMs = 0,
    scenario = false,
    forkEvery = 0,
    startLedger = 1000,
    startTime = closeEveryMs > 0 ? Math.floor(Date.now() / 1000) : 1_750_000_000,
    networkPassphrase = TEST_PASSPHRASE,
    retentionLedgers,
    keeperGraceSeconds,
    tokenEvents = true,
    streams,
    kinds,
    uncheckpointedRates,
    maxHealthyLatencySeconds,
    replay,
  }) {
    if (closeEveryMs !== 0 && !(closeEveryMs >= 1000)) {
      throw new RangeError(`closeEveryMs must be 0, or at least 1000: close times are whole seconds and never equal; got ${closeEveryMs}`);
    }
    if (forkEvery !== 0 && !(forkEvery > OWN_FORK_DEPTHS.most)) {
      throw new RangeError(`forkEvery must be 0, or more than ${OWN_FORK_DEPTHS.most}: that deep forks go; got ${forkEvery}`);
    }
    this.port = port;
    this.host = host;
    this.seed = seed;
    this.closeEveryMs = closeEveryMs;
    this.actsByItself = scenario;
    this.forkEvery = forkEvery;
    this.closedByItself = 0;
    this.forkChance = new Prng(`forks/${seed}`);
    const history = replay ? new RecordedHistory({ ...replay, seed }) : undefined;
    const firstOwnLedger = history ? history.last + 1 : positiveInteger(startLedger, 'startLedger');
    const retention = retentionLedgers ?? (history ? history.last - history.first + 120_960 : 120_960);
    if (forkEvery !== 0 && !(retention > OWN_FORK_DEPTHS.most)) {
      throw new RangeError(`retentionLedgers must be more than ${OWN_FORK_DEPTHS.most} with forkEvery: what a fork takes back has to be kept; got ${retention}`);
    }

    const people = cast(seed);
    this.people = people;
    this.contract = new StreamContract({
      address: contractAddress(seed, 'streams'),
      admin: people.admin,
      token: tokenAsset(seed, networkPassphrase),
      keeperGraceSeconds: keeperGraceSeconds === undefined ? undefined : BigInt(keeperGraceSeconds),
      tokenEvents,
      ledger: firstOwnLedger,
    });
    this.chain = new Chain({
      seed,
      startLedger: firstOwnLedger,
      startTime,
      retentionLedgers: positiveInteger(retention, 'retentionLedgers'),
      state: this.contract,
      history,
    });
    this.storage = new ContractStorage(this.contract, firstOwnLedger);
    this.scenario = new Scenario({ seed, people, streams, kinds, uncheckpointedRates });
    this.faults = new Faults();
    /** How often each method was called. @type {Map<string, number>} */
    this.calls = new Map();
    this.served = {
      chain: this.chain,
      storage: this.storage,
      networkPassphrase,
      maxHealthyLatencySeconds,
      lag: 0,
    };
    this.nextStreamId = 0n;
    this.submitted = 0;
    this.opened = false;
    this.server = undefined;
    this.timer = undefined;
    if (history) for (let i = 0; i < TRAILING_LEDGERS; i += 1) this.closeLedger();
  }

  async listen() {
    this.server = await startHttpServer({
      methods: rpcMethods(this.served),
      faults: this.faults,
      port: this.port,
      host: this.host,
      onCall: ({ method }) => this.calls.set(method, (this.calls.get(method) ?? 0) + 1),
    });
    if (this.closeEveryMs > 0) this.#closeLater();
  }

  /** Where it listens. */
  get url() {
    return this.server.url;
  }

  /** The stream contract's address. */
  get contractId() {
    return this.contract.address;
  }

  /** The token's address. */
  get tokenId() {
    return this.contract.token.address;
  }

  get networkPassphrase() {
    return this.served.networkPassphrase;
  }

  /** The last closed ledger. */
  get latest() {
    const { sequence, closedAt, hash } = this.chain.latest;
    return { sequence, closedAt, hash: hash.toString('hex') };
  }

  /** The oldest ledger that is served. */
  get oldest() {
    const { sequence, closedAt, hash } = this.chain.oldest;
    return { sequence, closedAt, hash: hash.toString('hex') };
  }

  // Calls on the contract. Each goes into the next ledger as a transaction of its own; the amounts are
  // base units (BigInt or digits), the times unix seconds.

  /**
   * @param {{op: string} & Record<string, any>} operation `op` is one of CALLS, the rest its arguments
   * @returns {{txHash: string, id: bigint}}
   */
  submit({ op, ...args }) {
    if (!CALLS.includes(op)) throw new RangeError(`unknown operation ${op}: one of ${CALLS.join(', ')}`);
    const id = op === 'createStream' ? this.nextStreamId : BigInt(args.id);
    if (op === 'createStream') this.nextStreamId += 1n;
    const hash = this.#transactionHash();
    this.chain.queue({
      hash,
      label: `${op} of stream ${id}`,
      run: ({ now, ledger, emit }) =>
        this.contract[op]({ now, ledger, emit: (event) => emit(this.#encode(event)) }, { ...args, id }),
    });
    return { txHash: hash.toString('hex'), id };
  }

  /**
   * @param {object} args sender, recipient, depositAmount, ratePerSecond; startTime, cliffTime, endTime, or
   *   startDelay, cliffDelay, duration from the ledger's close on; kind, memo, metadata, withdrawDustThreshold
   * @returns {bigint} the stream's id
   */
  createStream(args) {
    const sender = args.sender ?? this.people.treasuries[0];
    const recipient = args.recipient ?? this.people.recipients[0];
    return this.submit({ op: 'createStream', ...args, sender, recipient }).id;
  }

  withdraw(id) {
    return this.submit({ op: 'withdraw', id });
  }

  withdrawTo(id, destination) {
    return this.submit({ op: 'withdrawTo', id, destination });
  }

  pause(id, reason) {
    return this.submit({ op: 'pause', id, ...(reason === undefined ? {} : { reason }) });
  }

  resume(id) {
    return this.submit({ op: 'resume', id });
  }

  topUp(id, amount, funder) {
    return this.submit({ op: 'topUp', id, amount, funder });
  }

  updateRate(id, newRatePerSecond) {
    return this.submit({ op: 'updateRate', id, newRatePerSecond });
  }

  updateRateUncheckpointed(id, newRatePerSecond) {
    return this.submit({ op: 'updateRateUncheckpointed', id, newRatePerSecond });
  }

  decreaseRate(id, newRatePerSecond) {
    return this.submit({ op: 'decreaseRate', id, newRatePerSecond });
  }

  shortenEnd(id, newEndTime) {
    return this.submit({ op: 'shortenEnd', id, newEndTime });
  }

  extendEnd(id, newEndTime) {
    return this.submit({ op: 'extendEnd', id, newEndTime });
  }

  transferRecipient(id, newRecipient) {
    return this.submit({ op: 'transferRecipient', id, newRecipient });
  }

  transferSender(id, newSender) {
    return this.submit({ op: 'transferSender', id, newSender });
  }

  cancel(id) {
    return this.submit({ op: 'cancel', id });
  }

  keeperCancel(id, keeper = this.people.keeper) {
    return this.submit({ op: 'keeperCancel', id, keeper });
  }

  close(id) {
    return this.submit({ op: 'close', id });
  }

  /**
   * Puts events of any making into the next ledger, all in one transaction. Nothing about them is checked.
   * @param {{contractId?: string, topics: string[], value: string, inSuccessfulContractCall?: boolean, type?: string}[]} events
   *   topics and value as base64 XDR
   * @param {{txHash?: string}} [transaction]
   * @returns {{txHash: string}}
   */
  appendEvents(events, { txHash } = {}) {
    const hash = txHash === undefined ? this.#transactionHash() : Buffer.from(txHash, 'hex');
    if (hash.length !== 32) throw new RangeError('txHash must be 32 bytes in hex');
    this.chain.queue({
      hash,
      label: 'appended events',
      run: ({ emit }) => {
        for (const { contractId = this.contractId, topics, value, inSuccessfulContractCall, type } of events) {
          emit({ contractId, topic: topics, value, inSuccessfulContractCall, type });
        }
      },
    });
    return { txHash: hash.toString('hex') };
  }

  /**
   * Puts a contract data entry into storage at once, or removes it (no `val`). Forks don't undo it.
   * @param {{contractId?: string, key: string, val?: string, lastModifiedLedger?: number}} entry key and val as base64 ScVals
   */
  setEntry({ contractId = this.contractId, key, val, lastModifiedLedger = this.chain.latest.sequence }) {
    this.storage.set({
      contractId,
      key: xdr.ScVal.fromXDR(key, 'base64'),
      val: val === undefined ? undefined : xdr.ScVal.fromXDR(val, 'base64'),
      modifiedLedger: lastModifiedLedger,
    });
  }

  // The chain.

  /**
   * Closes the next ledger with everything submitted.
   * @param {{closedAt?: number}} [options] unix seconds, later than the ledger before (5 s later unless told)
   * @returns {{sequence: number, hash: string, closedAt: number, events: object[], failed: {label: string, txHash: string, error: Error}[]}}
   */
  closeLedger({ closedAt = this.chain.latest.closedAt + LEDGER_SECONDS } = {}) {
    return this.chain.close(closedAt);
  }

  /**
   * Closes ledgers in which the treasuries act.
   * @param {number} ledgers
   * @param {{actionsPerLedger?: number, secondsPerLedger?: number}} [options] calls a ledger (0 to 3 unless told)
   * @returns {{ledgers: number, events: number, failed: number}}
   */
  runScenario(ledgers, { actionsPerLedger, secondsPerLedger = LEDGER_SECONDS } = {}) {
    const totals = { ledgers, events: 0, failed: 0 };
    for (let i = 0; i < ledgers; i += 1) {
      const closed = this.#closeWithScenario(this.chain.latest.closedAt + secondsPerLedger, actionsPerLedger);
      totals.events += closed.events.length;
      totals.failed += closed.failed.length;
    }
    return totals;
  }

  /**
   * Gives a chain that started HISTORY_SECONDS before `until` a past: streams that nobody looked after, for
   * the keeper to clear up from about `until` on, and then some ledgers of ordinary work.
   * @param {{ledgers: number, until: number, secondsPerLedger?: number}} options
   */
  runHistory({ ledgers, until, secondsPerLedger = LEDGER_SECONDS }) {
    for (let i = 0; i < 6; i += 1) {
      const { id } = this.submit({ op: 'createStream', ...this.scenario.abandonedStream() });
      this.scenario.abandoned.add(id);
    }
    this.closeLedger();
    // The abandoned streams ended within hours; the keeper's grace of a week ends one after the other from now on.
    this.closeLedger({ closedAt: until - ledgers * secondsPerLedger - 1 });
    this.runScenario(ledgers, { secondsPerLedger });
  }

  /**
   * Replaces the last ledgers by others with other hashes, at the same close times.
   * @param {number} depth how many, at most 256
   * @param {{content?: 'same' | 'empty' | 'none'}} [options] `same`: the same transactions again (their ids and
   *   hashes stay); `empty`: none of them; `none`: don't close any, so that the tip lies lower
   * @returns {{from: number, to: number}} the first replaced ledger and the new tip
   */
  fork(depth, { content = 'same' } = {}) {
    if (!['same', 'empty', 'none'].includes(content)) throw new RangeError(`unknown fork content ${content}`);
    const taken = this.chain.rewind(depth);
    const from = this.chain.latest.sequence + 1;
    if (content !== 'none') {
      for (const { closedAt, transactions } of taken) {
        this.chain.closeAgain({ closedAt, transactions: content === 'same' ? transactions : [] });
      }
    }
    return { from, to: this.chain.latest.sequence };
  }

  /** Makes the server answer as if it hadn't seen the last `ledgers` yet. */
  lagBehind(ledgers) {
    this.served.lag = ledgers;
  }

  // What there is.

  /** All events that stand and are retained, in order. @param {{contractId?: string}} [filter] */
  events({ contractId } = {}) {
    const all = [...this.chain.events(this.chain.oldest.sequence, this.chain.latest.sequence + 1)];
    return contractId === undefined ? all : all.filter((event) => event.contractId === contractId);
  }

  /** The contract's streams as stored, by id. @returns {(import('./stream_contract.js').Stream & {lastModifiedLedger: number})[]} */
  contractStorage() {
    return [...this.contract.entries.values()]
      .map(({ stream, modifiedLedger }) => ({ ...stream, lastModifiedLedger: modifiedLedger }))
      .sort((a, b) => (a.streamId < b.streamId ? -1 : 1));
  }

  async stop() {
    clearTimeout(this.timer);
    this.closeEveryMs = 0;
    await this.server?.stop();
  }

  // Inside.

  #transactionHash() {
    this.submitted += 1;
    return digest('transaction', this.seed, this.submitted);
  }

  #encode({ contractId = this.contractId, topics, value }) {
    return { contractId, topic: topics.map((topic) => topic.toXDR('base64')), value: value.toXDR('base64') };
  }

  #closeWithScenario(closedAt, actions) {
    const at = { now: BigInt(closedAt), ledger: this.chain.latest.sequence + 1 };
    // The first ledger opens the house: every stream that is to be there.
    if (!this.opened) {
      this.opened = true;
      for (const args of this.scenario.opening()) this.submit({ op: 'createStream', ...args });
    } else {
      for (const { call, args } of this.scenario.plan(this.contract, at, actions)) this.submit({ op: call, ...args });
    }
    return this.chain.close(closedAt);
  }

  /** Two times in three the transactions are included again, as on a real network; else they are lost. */
  #forkByItself() {
    const depth = this.forkChance.int(OWN_FORK_DEPTHS.least, OWN_FORK_DEPTHS.most);
    this.fork(depth, { content: this.forkChance.int(1, 3) === 1 ? 'empty' : 'same' });
  }

  #closeLater() {
    this.timer = setTimeout(() => {
      const closedAt = Math.max(this.chain.latest.closedAt + 1, Math.floor(Date.now() / 1000));
      this.closedByItself += 1;
      if (this.forkEvery > 0 && this.closedByItself % this.forkEvery === 0) this.#forkByItself();
      if (this.actsByItself) this.#closeWithScenario(closedAt);
      else this.chain.close(closedAt);
      if (this.closeEveryMs > 0) this.#closeLater();
    }, this.closeEveryMs);
  }
}

export { accountAddress, contractAddress };
