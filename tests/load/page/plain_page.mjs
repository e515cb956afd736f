// What the page is measured beside: the same streams ticking as a page would do it without the core, in JavaScript's
// BigInt, all in one loop each frame. It runs in the browser.

/** @param {number} shown rows that are written each frame */
export async function tickPlainly(shown) {
  const units = (decimal) => BigInt(decimal.replace('.', ''));
  const decimal = (amount) => {
    const digits = `${amount}`.padStart(8, '0');
    return `${digits.slice(0, -7)}.${digits.slice(-7)}`;
  };
  const lines = (await (await fetch('/api/streams/export')).text()).trim().split('\n');
  const streams = lines.map((line) => JSON.parse(line)).map((stream) => ({
    deposit: units(stream.depositAmount),
    rate: units(stream.ratePerSecond),
    withdrawn: units(stream.withdrawnAmount),
    base: units(stream.checkpointedAmount),
    from: BigInt(stream.checkpointedAt),
    cliff: BigInt(stream.cliffTime),
    end: BigInt(stream.endTime),
  }));
  const cells = Array.from({ length: 2 * shown }, () => document.body.appendChild(document.createElement('p')));
  const streamedAt = ({ deposit, rate, base, from, cliff, end }, now) => {
    if (now < cliff) return 0n;
    const until = now < end ? now : end;
    const streamed = base + (until > from ? until - from : 0n) * rate;
    return streamed < deposit ? streamed : deposit;
  };
  const frame = () => {
    requestAnimationFrame(frame);
    const time = Date.now();
    const now = BigInt(Math.floor(time / 1000));
    const part = BigInt(time % 1000);
    let total = 0n;
    streams.forEach((stream, row) => {
      const exact = streamedAt(stream, now);
      const moving = exact + ((streamedAt(stream, now + 1n) - exact) * part) / 1000n;
      total += moving;
      if (row >= shown) return;
      cells[2 * row].textContent = decimal(moving);
      cells[2 * row + 1].textContent = decimal(moving - stream.withdrawn);
    });
    document.title = decimal(total);
  };
  requestAnimationFrame(frame);
}

/** A page that does nothing each frame. It runs in the browser. */
export function tickNothing() {
  const frame = () => { requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
