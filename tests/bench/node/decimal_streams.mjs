// The same accrual on a decimal library's objects, written as the rule reads (max, min, times, plus), which is how such
// libraries are used: decimal.js and bignumber.js have the same names for what it takes.

export class DecimalStreams {
  /**
   * @param {object[]} streams with amounts as decimal text
   * @param {new (text: string | number) => object} Decimal
   */
  constructor(streams, Decimal) {
    const amounts = ['depositAmount', 'ratePerSecond', 'withdrawnAmount', 'settledAmount', 'checkpointedAmount'];
    this.Decimal = Decimal;
    this.zero = new Decimal(0);
    this.rows = streams.map((stream) => ({
      ...stream,
      ...Object.fromEntries(amounts.map((name) => [name, new Decimal(stream[name])])),
    }));
    this.streamed = new Array(streams.length).fill(this.zero);
    this.withdrawable = new Array(streams.length).fill(this.zero);
    this.remaining = new Array(streams.length).fill(this.zero);
  }

  accrue(now) {
    this.rows.forEach((stream, row) => {
      const { depositAmount: deposit, withdrawnAmount: withdrawn } = stream;
      const streamed = this.#streamed(stream, now);
      const owed = streamed.minus(withdrawn).minus(stream.settledAmount);
      this.streamed[row] = streamed;
      this.withdrawable[row] = this.#isHeld(stream, now) ? this.zero : this.Decimal.max(0, owed);
      this.remaining[row] = stream.status === 'cancelled' ? owed : deposit.minus(withdrawn);
    });
  }

  /** One of the three alone. */
  withdrawableAt(now) {
    this.rows.forEach((stream, row) => {
      if (this.#isHeld(stream, now)) {
        this.withdrawable[row] = this.zero;
        return;
      }
      const owed = this.#streamed(stream, now).minus(stream.withdrawnAmount).minus(stream.settledAmount);
      this.withdrawable[row] = this.Decimal.max(0, owed);
    });
    return this.withdrawable;
  }

  #isHeld({ status, endTime }, now) {
    return status === 'completed' || (status === 'paused' && now < endTime);
  }

  #streamed(stream, now) {
    const { status, cancelledAt } = stream;
    if (status === 'completed') return stream.depositAmount;
    return this.#accrued(stream, status === 'cancelled' && cancelledAt < now ? cancelledAt : now);
  }

  #accrued(stream, now) {
    const { kind, depositAmount: deposit, ratePerSecond: rate, endTime, cliffTime, checkpointedAmount } = stream;
    if (now < cliffTime || deposit.lte(this.zero)) return this.zero;
    if (kind === 'cliff_only') return deposit;
    const capped = Math.min(now, endTime);
    if (kind === 'cliff_slope') return this.#within(deposit, rate.times(Math.max(0, capped - cliffTime)));
    if (rate.lt(this.zero)) return this.zero;
    return this.#within(deposit, checkpointedAmount.plus(rate.times(Math.max(0, capped - stream.checkpointedAt))));
  }

  #within(deposit, sum) {
    return this.Decimal.max(0, this.Decimal.min(deposit, sum));
  }
}
