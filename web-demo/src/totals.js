import { between } from './ticker.js';
import { shortAddress, splitAmount, statusAt } from './text.js';

/** What all streams shown have streamed together, for the token that most of them are in: tokens don't add up. */
export class Totals {
  #core;
  #root;
  #now = null;
  #next = null;

  constructor(core, root) {
    this.#core = core;
    this.#root = root;
  }

  showExact(book, ticker) {
    const streams = book.all();
    const byToken = groupByToken(streams);
    const [token, inToken] = [...byToken].sort(([, a], [, b]) => b.length - a.length)[0] ?? [null, []];
    this.#now = this.#sum(inToken.map(({ id }) => ticker.exact(id).streamed));
    this.#next = this.#sum(inToken.map(({ id }) => ticker.exactNext(id).streamed));
    const deposits = this.#sum(inToken.map(({ depositAmount }) => this.#core.amounts.parse(depositAmount)));

    const figure = this.#root.querySelector('.total-figure');
    figure.dataset.at = ticker.second;
    figure.dataset.exact = this.#now === null ? '' : this.#core.amounts.format(this.#now);
    this.#text('.total-exact', this.#now === null ? 'more than an amount can hold' : figure.dataset.exact);
    this.#text('.total-deposits', deposits === null ? '—' : splitAmount(this.#core.amounts.format(deposits))[0]);
    this.#text('.total-token', token === null ? 'a token not known yet' : `token ${shortAddress(token)}`);
    this.#root.querySelector('.total-token').title = token ?? '';
    const others = byToken.size - 1;
    this.#text('.total-others', others > 0 ? `and ${others} other token${others === 1 ? '' : 's'} below` : '');

    const counts = { active: 0, scheduled: 0, paused: 0, final: 0 };
    for (const stream of streams) {
      const status = statusAt(stream, ticker.second);
      counts[status in counts ? status : 'final'] += 1;
    }
    for (const [name, count] of Object.entries(counts)) this.#text(`.count-${name}`, String(count));
    this.showMoving(0);
  }

  showMoving(milliseconds) {
    if (this.#now === null || this.#next === null) {
      this.#text('.total-figure .first', '—');
      this.#text('.total-figure .rest', '');
      return;
    }
    const [first, rest] = splitAmount(this.#core.amounts.format(between(this.#now, this.#next, milliseconds)));
    this.#text('.total-figure .first', first);
    this.#text('.total-figure .rest', rest);
  }

  /** The sum, or null when it is more than an amount can hold. */
  #sum(amounts) {
    try {
      return amounts.reduce((sum, amount) => this.#core.amounts.add(sum, amount), 0n);
    } catch (error) {
      if (error.code !== 'AMOUNT_OVERFLOW') throw error;
      return null;
    }
  }

  #text(selector, text) {
    const place = this.#root.querySelector(selector);
    if (place.textContent !== text) place.textContent = text;
  }
}

function groupByToken(streams) {
  const groups = new Map();
  for (const stream of streams) groups.set(stream.token, [...(groups.get(stream.token) ?? []), stream]);
  return groups;
}
