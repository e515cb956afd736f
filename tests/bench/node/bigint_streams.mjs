// Accrual as one would write it in plain JavaScript for speed: a column an array, amounts as BigInt, times as numbers
// (they are far below 2^53), nothing allocated but the amounts themselves. SPEC section 2, "Accrual".

const DECIMALS = 7;
const TEXT_LEAST = DECIMALS + 1;

export class BigIntStreams {
  /** @param {object[]} streams with amounts in base units */
  constructor(streams) {
    const column = (name) => streams.map((stream) => stream[name]);
    this.kind = column('kind');
    this.status = column('status');
    this.deposit = column('depositAmount');
    this.rate = column('ratePerSecond');
    this.withdrawn = column('withdrawnAmount');
    this.settled = column('settledAmount');
    this.checkpoint = column('checkpointedAmount');
    this.checkpointAt = column('checkpointedAt');
    this.cliff = column('cliffTime');
    this.end = column('endTime');
    this.cancelledAt = column('cancelledAt');
    this.streamed = new Array(streams.length).fill(0n);
    this.withdrawable = new Array(streams.length).fill(0n);
    this.remaining = new Array(streams.length).fill(0n);
  }

  accrue(now) {
    for (let row = 0; row < this.kind.length; row += 1) {
      const streamed = this.#streamed(row, now);
      const owed = streamed - this.withdrawn[row] - this.settled[row];
      this.streamed[row] = streamed;
      this.withdrawable[row] = this.#isHeld(row, now) || owed < 0n ? 0n : owed;
      this.remaining[row] = this.status[row] === 'cancelled' ? owed : this.deposit[row] - this.withdrawn[row];
    }
  }

  /** One of the three alone. */
  withdrawableAt(now) {
    for (let row = 0; row < this.kind.length; row += 1) {
      if (this.#isHeld(row, now)) {
        this.withdrawable[row] = 0n;
        continue;
      }
      const owed = this.#streamed(row, now) - this.withdrawn[row] - this.settled[row];
      this.withdrawable[row] = owed < 0n ? 0n : owed;
    }
    return this.withdrawable;
  }

  #isHeld(row, now) {
    const status = this.status[row];
    return status === 'completed' || (status === 'paused' && now < this.end[row]);
  }

  #streamed(row, now) {
    const status = this.status[row];
    if (status === 'completed') return this.deposit[row];
    return this.#accrued(row, status === 'cancelled' && this.cancelledAt[row] < now ? this.cancelledAt[row] : now);
  }

  #accrued(row, now) {
    const deposit = this.deposit[row];
    if (now < this.cliff[row] || deposit <= 0n) return 0n;
    const kind = this.kind[row];
    if (kind === 'cliff_only') return deposit;
    const rate = this.rate[row];
    const end = this.end[row];
    const capped = now < end ? now : end;
    let sum;
    if (kind === 'cliff_slope') {
      const elapsed = capped - this.cliff[row];
      sum = elapsed > 0 ? BigInt(elapsed) * rate : 0n;
    } else {
      if (rate < 0n) return 0n;
      const elapsed = capped - this.checkpointAt[row];
      sum = elapsed > 0 ? this.checkpoint[row] + BigInt(elapsed) * rate : this.checkpoint[row];
    }
    if (sum < 0n) return 0n;
    return sum > deposit ? deposit : sum;
  }
}

/** Exactly 7 decimals. */
export function formatUnits(units) {
  const digits = (units < 0n ? -units : units).toString().padStart(TEXT_LEAST, '0');
  const point = digits.length - DECIMALS;
  const text = `${digits.slice(0, point)}.${digits.slice(point)}`;
  return units < 0n ? `-${text}` : text;
}
