import { Curve } from './curve.js';
import { KIND_NAMES, dateTime, groupAmount, statusAt, statusNote } from './text.js';

const THIRTY_DAYS = 30n * 86_400n;

/** The picked stream: its exact amounts this second, its curve, and all that is known of it. */
export class StreamDetails {
  #core;
  #root;
  #curve;
  #stream = null;

  constructor(core, root) {
    this.#core = core;
    this.#root = root;
    this.#curve = new Curve(core, root.querySelector('.curve'));
  }

  /** Shows a stream, or the invitation to pick one for null. */
  show(stream) {
    if (this.#stream === stream) return;
    this.#stream = stream;
    this.#root.querySelector('.nothing-picked').hidden = stream !== null;
    this.#root.querySelector('.picked-stream').hidden = stream === null;
    this.#curve.show(stream);
    if (stream === null) return;
    this.#text('stream-id', stream.id);
    const settled = /[1-9]/.test(stream.settledAmount);
    const facts = [
      ['Kind', KIND_NAMES[stream.kind] ?? stream.kind],
      ['Sender', stream.sender, 'address'],
      ['Recipient', stream.recipient, 'address'],
      ['Token', stream.token ?? 'not known', 'address'],
      ['Deposit', groupAmount(stream.depositAmount), 'figure'],
      ['Per second', groupAmount(stream.ratePerSecond), 'figure'],
      ['Per 30 days', this.#perThirtyDays(stream), 'figure'],
      ['Withdrawn', groupAmount(stream.withdrawnAmount), 'figure'],
      ...(settled ? [['Paid at cancellation', groupAmount(stream.settledAmount), 'figure']] : []),
      ['Start', dateTime(stream.startTime)],
      ...(stream.cliffTime === stream.startTime ? [] : [['Cliff', dateTime(stream.cliffTime)]]),
      ['End', dateTime(stream.endTime)],
      ...(stream.cancelledAt === null ? [] : [['Cancelled', dateTime(stream.cancelledAt)]]),
      ['Last change', `log position ${stream.version}${stream.ledger === null ? '' : `, ledger ${stream.ledger}`}`],
    ];
    const list = this.#root.querySelector('.facts');
    list.replaceChildren(...facts.flatMap(([name, value, className = '']) => {
      const term = document.createElement('dt');
      term.textContent = name;
      const description = document.createElement('dd');
      description.textContent = value;
      description.className = className;
      return [term, description];
    }));
  }

  /** The amounts at a whole second. */
  showExact(second) {
    if (this.#stream === null) return;
    const balances = this.#core.balancesAt(this.#stream, second);
    for (const name of ['streamed', 'withdrawable', 'remaining']) {
      const place = this.#root.querySelector(`[data-amount=${name}]`);
      place.textContent = groupAmount(balances[name]);
      place.dataset.exact = balances[name];
      place.dataset.at = second;
    }
    this.#text('exact-at', dateTime(second));
    const status = this.#root.querySelector('.picked-status');
    status.textContent = statusAt(this.#stream, second);
    status.dataset.status = status.textContent;
    this.#text('picked-note', statusNote(this.#stream, second));
    this.#curve.moveTo(second, balances.streamed);
  }

  #perThirtyDays(stream) {
    try {
      const rate = this.#core.amounts.parse(stream.ratePerSecond);
      return groupAmount(this.#core.amounts.format(this.#core.amounts.multiply(rate, THIRTY_DAYS)));
    } catch (error) {
      if (error.code !== 'AMOUNT_OVERFLOW') throw error;
      return 'more than an amount can hold';
    }
  }

  #text(className, text) {
    this.#root.querySelector(`.${className}`).textContent = text;
  }
}
