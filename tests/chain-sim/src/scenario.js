// Treasuries at work: which calls go into the next ledger, drawn from a seeded generator and from what
// the contract holds at that moment.
import { KIND, STATUS, streamed } from './accrual.js';
import { Prng } from './prng.js';
import { PAUSE_COOLDOWN_LEDGERS, PAUSE_REASONS, RATE_COOLDOWN_LEDGERS } from './stream_contract.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * What a treasury opens a stream for: base units a second (7 decimals), seconds.
 * @typedef {{rate: [number, number], duration: [number, number], startDelay?: [number, number], cliffDelay?: [number, number], memo: string}} Profile
 */

/** Over within the hour, paid in full, and left alone meanwhile: these are the ones that complete. @type {Profile[]} */
const SHORT = [
  { memo: 'sprint', rate: [5_000_000, 12_500_000], duration: [10 * MINUTE, 30 * MINUTE] },
  { memo: 'bounty', rate: [10_000_000, 32_000_000], duration: [2 * MINUTE, 8 * MINUTE] },
];
/** @type {Profile[]} */
const LONG = [
  { memo: 'payroll', rate: [3_858, 11_574], duration: [20 * DAY, 30 * DAY] },
  { memo: 'stipend', rate: [116, 1_158], duration: [60 * DAY, 180 * DAY] },
  { memo: 'grant', rate: [38_580, 77_160], duration: [30 * DAY, 90 * DAY], cliffDelay: [3 * MINUTE, 30 * MINUTE] },
  { memo: 'contractor', rate: [250_000, 1_250_000], duration: [6 * HOUR, 2 * DAY] },
  { memo: 'retainer', rate: [500_000, 2_000_000], duration: [2 * HOUR, 12 * HOUR], startDelay: [2 * MINUTE, 20 * MINUTE] },
  { memo: 'support', rate: [20_000, 100_000], duration: [4 * HOUR, 3 * DAY] },
];

/** How often each call is chosen among those that are possible. */
const WEIGHTS = Object.freeze({
  createStream: 20, withdraw: 40, withdrawTo: 8, pause: 3, resume: 5, topUp: 3, updateRate: 4, updateRateUncheckpointed: 3,
  decreaseRate: 3, extendEnd: 4, shortenEnd: 2, transferRecipient: 1, transferSender: 1, cancel: 2, keeperCancel: 20, close: 10,
});
/** One stream in so many is a short one. */
const SHORT_EVERY = 4;

const sum = (a, b) => a + b;
const isShort = (stream) => stream.endTime - stream.startTime <= HOUR;

export class Scenario {
  /**
   * @param {object} options
   * @param {string | number} options.seed
   * @param {ReturnType<import('./accounts.js').cast>} options.people
   * @param {number} [options.streams] how many are kept open
   * @param {string[]} [options.kinds] of `linear`, `cliffOnly`, `cliffSlope`
   * @param {boolean} [options.uncheckpointedRates] use the contract's path that changes a rate without a checkpoint
   */
  constructor({ seed, people, streams = 12, kinds = ['linear'], uncheckpointedRates = false }) {
    const unknown = kinds.find((kind) => KIND[kind] === undefined);
    if (unknown !== undefined) throw new RangeError(`unknown stream kind ${unknown}: one of ${Object.keys(KIND).join(', ')}`);
    this.random = new Prng(`scenario/${seed}`);
    this.people = people;
    this.target = streams;
    this.kinds = kinds;
    this.uncheckpointedRates = uncheckpointedRates;
    this.profile = 0;
    /** Left alone until a keeper may clear them up. @type {Set<bigint>} */
    this.abandoned = new Set();
  }

  /**
   * The calls of one ledger.
   * @param {import('./stream_contract.js').StreamContract} contract
   * @param {{now: bigint, ledger: number}} at
   * @param {number} [actions] how many (0 to 3 unless told)
   * @returns {{call: string, args: object}[]}
   */
  plan(contract, at, actions) {
    const { random } = this;
    const count = actions ?? random.weighted([[8, 0], [52, 1], [28, 2], [12, 3]]);
    const dense = count > 3;
    const options = this.#options(contract, at, dense);
    const touched = new Set();
    const calls = [];
    const running = contract.streams().filter((stream) => stream.status <= STATUS.paused && !this.abandoned.has(stream.streamId));
    let open = running.length;
    let short = running.filter(isShort).length;
    const needed = dense ? Math.max(this.target, count * 3) : this.target;
    while (calls.length < count) {
      const possible = Object.entries(options)
        .map(([call, candidates]) => /** @type {const} */ ([call, candidates.filter((one) => !touched.has(one.id))]))
        .filter(([, candidates]) => candidates.length > 0)
        .map(([call, candidates]) => /** @type {[number, [string, any[]]]} */ ([WEIGHTS[call], [call, candidates]]));
      if (open < needed) {
        const weight = open < needed * 0.8 ? possible.map(([w]) => w).reduce(sum, WEIGHTS.createStream) : WEIGHTS.createStream;
        possible.push([weight, ['createStream', []]]);
      }
      if (possible.length === 0) break;
      const [call, candidates] = random.weighted(possible);
      if (call === 'createStream') {
        const profile = short * SHORT_EVERY < needed ? random.pick(SHORT) : undefined;
        if (profile) short += 1;
        calls.push({ call, args: this.newStream(profile) });
        open += 1;
        continue;
      }
      const chosen = random.pick(candidates);
      touched.add(chosen.id);
      calls.push({ call, args: { id: chosen.id, ...chosen.args() } });
    }
    return calls;
  }

  /** The streams that are there when the house opens. */
  opening() {
    return Array.from({ length: this.target }, (_, i) => this.newStream(i % SHORT_EVERY === 0 ? this.random.pick(SHORT) : undefined));
  }

  /** Arguments of a new stream. @param {Profile} [profile] one of the long ones in turn unless told */
  newStream(profile) {
    if (profile === undefined) {
      profile = LONG[this.profile % LONG.length];
      this.profile += 1;
    }
    const { random } = this;
    const within = ([low, high]) => random.int(low, high);
    const kind = KIND[random.pick(this.kinds)];
    const rate = BigInt(within(profile.rate));
    const duration = BigInt(within(profile.duration));
    const cliffDelay = BigInt(within(profile.cliffDelay ?? [0, 0]));
    const slackPercent = SHORT.includes(profile) ? 0n : BigInt(random.pick([0, 0, 10, 25]));
    const recipient = random.pick(this.people.recipients);
    return {
      sender: random.pick(this.people.treasuries),
      recipient,
      ratePerSecond: kind === KIND.cliffOnly ? 0n : rate,
      depositAmount: (rate * duration * (100n + slackPercent)) / 100n,
      startDelay: BigInt(within(profile.startDelay ?? [0, 0])),
      cliffDelay: kind === KIND.linear ? cliffDelay : cliffDelay + duration / 10n,
      duration,
      kind,
      memo: random.chance(60) ? `${profile.memo}-${random.int(1000, 9999)}` : null,
      metadata: random.chance(15) ? { team: random.pick(['ops', 'research', 'design']), ref: String(random.int(1, 99_999)) } : null,
      withdrawDustThreshold: random.chance(20) ? rate * 5n : 0n,
    };
  }

  /** A stream that nobody will look after: short, overfunded, never withdrawn from. */
  abandonedStream() {
    const args = this.newStream({ memo: 'forgotten', rate: [20_000, 90_000], duration: [HOUR, 6 * HOUR] });
    const slack = args.depositAmount / 4n;
    return { ...args, kind: KIND.linear, ratePerSecond: args.ratePerSecond || 1n, depositAmount: args.depositAmount + slack, withdrawDustThreshold: 0n };
  }

  /**
   * The calls that the contract would accept now, by name, with the streams each could be made on. It isn't
   * exact: a call fails now and then, as on any network.
   */
  #options(contract, { now, ledger }, dense) {
    const options = Object.fromEntries(Object.keys(WEIGHTS).map((call) => [call, []]));
    for (const { stream, modifiedLedger } of contract.entries.values()) {
      this.#streamOptions(options, contract, stream, { now, ledger, quiet: ledger - modifiedLedger, dense });
    }
    return options;
  }

  #streamOptions(options, contract, stream, { now, ledger, quiet, dense }) {
    const { random } = this;
    const id = stream.streamId;
    const offer = (call, args = () => ({})) => options[call].push({ id, args });
    const [rest, linger] = dense ? [1, 3] : [8, 20];

    if (stream.status === STATUS.completed) {
      if (quiet >= linger) offer('close');
      return;
    }
    if (stream.status === STATUS.cancelled) {
      if (this.abandoned.has(id)) return;
      if (streamed(stream, now) > stream.withdrawnAmount) offer('withdraw');
      else if (quiet >= linger) offer('close');
      return;
    }
    if (this.abandoned.has(id)) {
      if (now >= stream.endTime + contract.keeperGraceSeconds) offer('keeperCancel', () => ({ keeper: this.people.keeper }));
      return;
    }
    const ended = now >= stream.endTime;
    const rested = ledger - stream.lastWithdrawLedger >= (ended ? 1 : rest * 2) && quiet >= 1;
    if ((stream.status === STATUS.active || ended) && contract.withdrawable(stream, now) > 0n && rested) {
      offer('withdraw');
      offer('withdrawTo', () => ({ destination: random.pick(this.people.recipients) }));
    }
    if (ended) {
      // Nothing more accrues: what was deposited beyond the schedule goes back by a cancellation.
      if (streamed(stream, now) === stream.withdrawnAmount && quiet >= linger) offer('cancel');
      return;
    }
    const mayToggle = ledger - stream.lastPauseToggleLedger >= PAUSE_COOLDOWN_LEDGERS;
    if (stream.status === STATUS.paused) {
      if (mayToggle) offer('resume');
      return;
    }
    if (isShort(stream)) return;
    if (mayToggle && quiet >= rest) offer('pause', () => ({ reason: random.pick([...PAUSE_REASONS]) }));
    if (quiet >= rest) {
      offer('cancel');
      offer('transferRecipient', () => ({ newRecipient: random.pick(this.people.recipients.filter((one) => one !== stream.recipient)) }));
      offer('transferSender', () => ({
        newSender: random.pick(this.people.treasuries.filter((one) => one !== stream.sender && one !== stream.recipient)),
      }));
    }
    if (stream.kind !== KIND.linear || quiet < Math.min(rest, 4)) return;
    this.#linearOptions(offer, stream, now, ledger);
  }

  /** @param {(call: string, args?: () => object) => void} offer @param {import('./stream_contract.js').Stream} stream @param {bigint} now @param {number} ledger */
  #linearOptions(offer, stream, now, ledger) {
    const { random } = this;
    const share = (amount, low, high) => (amount * BigInt(random.int(low, high))) / 100n;
    const span = stream.endTime - stream.startTime;
    offer('topUp', () => ({ amount: share(stream.ratePerSecond * span, 5, 30) + 1n, funder: random.pick(this.people.treasuries) }));

    const mayChangeRate = stream.lastRateChangeLedger === 0 || ledger - stream.lastRateChangeLedger >= RATE_COOLDOWN_LEDGERS;
    const highest = stream.depositAmount / span;
    if (mayChangeRate && highest > stream.ratePerSecond) {
      offer('updateRate', () => {
        const raise = share(highest - stream.ratePerSecond, 40, 100);
        return { newRatePerSecond: stream.ratePerSecond + (raise > 0n ? raise : 1n) };
      });
    }
    if (this.uncheckpointedRates) {
      offer('updateRateUncheckpointed', () => ({ newRatePerSecond: share(stream.ratePerSecond, 50, 150) + 1n }));
    }
    if (mayChangeRate && stream.ratePerSecond > 10n) {
      offer('decreaseRate', () => ({ newRatePerSecond: share(stream.ratePerSecond, 50, 90) }));
    }
    const latestEnd = stream.startTime + stream.depositAmount / stream.ratePerSecond;
    if (latestEnd > stream.endTime) {
      offer('extendEnd', () => ({ newEndTime: stream.endTime + 1n + share(latestEnd - stream.endTime - 1n, 50, 100) }));
    }
    const floor = [now, stream.startTime, stream.cliffTime].reduce((a, b) => (a > b ? a : b));
    if (stream.endTime - floor > 60n) offer('shortenEnd', () => ({ newEndTime: floor + share(stream.endTime - floor, 50, 90) }));
  }
}
