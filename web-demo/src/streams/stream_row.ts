import type { Stream } from '@fluxora/core/feed';

import type { Moving } from '../live/stream_book.js';
import { hashOf } from '../shell/panels.js';
import { shortAddress, shortStreamId } from '../text/addresses.js';
import { splitAmount } from '../text/amounts.js';
import { KIND_NAMES, statusAt, statusNote } from '../text/streams.js';
import { dateTime } from '../text/times.js';
import { h, setText } from '../ui/dom.js';
import { TickingAmount } from '../ui/ticking_amount.js';
import { COLUMNS } from './columns.js';
import type { Item } from './stream_order.js';

const span = (className: string) => h('span', { class: className });

/** An amount that stays, in two weights: what is read first, and the rest of its decimals. */
function fixedAmount(): { element: HTMLElement; show: (decimal: string) => void } {
  const [first, rest] = [span('first'), span('rest')];
  return {
    element: h('span', { class: 'fixed' }, first, rest),
    show(decimal) {
      const [head, tail] = splitAmount(decimal);
      setText(first, head);
      setText(rest, tail);
    },
  };
}

/** A row of the table. It shows one stream at a time, and is used again for others. */
export class StreamRow {
  readonly element: HTMLElement;
  readonly link = h('a', { class: 'pick mono', tabindex: -1 });
  readonly moving: Record<Moving, TickingAmount> = {
    streamed: new TickingAmount('streamed'), withdrawable: new TickingAmount('withdrawable'),
  };
  item: Item;
  #stream: Stream | null = null;
  readonly #kind = span('note');
  readonly #sender = span('party mono');
  readonly #recipient = span('party mono');
  readonly #status = span('status');
  readonly #note = span('note');
  readonly #endDate = span('date');
  readonly #endTime = span('note');
  readonly #deposit = fixedAmount();
  readonly #rate = fixedAmount();

  constructor(item: Item) {
    this.item = item;
    const cells: Record<string, Node[]> = {
      stream: [this.link, this.#kind],
      parties: [this.#sender, this.#recipient],
      standing: [this.#status, this.#note],
      end: [this.#endDate, this.#endTime],
      deposit: [this.#deposit.element],
      rate: [this.#rate.element],
      streamed: [this.moving.streamed.element],
      withdrawable: [this.moving.withdrawable.element],
    };
    this.element = h('div', { class: 'row', role: 'row' }, ...COLUMNS.map(({ name, label }) => {
      const role = name === 'stream' ? 'rowheader' : 'cell';
      const cell = h('div', { class: `cell ${name}`, role, 'data-label': label });
      cell.append(...cells[name]!);
      return cell;
    }));
  }

  /** Shows a stream at a place of the list. Its moving amounts are `turn`'s. */
  show(item: Item, index: number, rowHeight: number): void {
    this.item = item;
    const place = `translateY(${index * rowHeight}px)`;
    if (this.element.style.transform !== place) this.element.style.transform = place;
    // The row of headers is the first.
    const rowIndex = String(index + 2);
    if (this.element.getAttribute('aria-rowindex') !== rowIndex) this.element.setAttribute('aria-rowindex', rowIndex);
    this.#showTerms(item.stream);
  }

  showStatus(second: number): void {
    const { stream } = this.item;
    const status = statusAt(stream, second);
    if (this.#status.dataset.status !== status) this.#status.dataset.status = status;
    setText(this.#status, status);
    setText(this.#note, statusNote(stream, second));
  }

  /** What of a stream doesn't move. */
  #showTerms(stream: Stream): void {
    if (this.#stream === stream) return;
    if (this.#stream?.id !== stream.id) this.#showIdentity(stream);
    this.#stream = stream;
    setText(this.#kind, KIND_NAMES[stream.kind] ?? stream.kind);
    for (const [place, name] of [[this.#sender, 'sender'], [this.#recipient, 'recipient']] as const) {
      setText(place, shortAddress(stream[name]));
      place.title = `${name}: ${stream[name]}`;
    }
    const [date, time = ''] = dateTime(stream.endTime).split(', ');
    setText(this.#endDate, date!);
    setText(this.#endTime, time);
    this.#deposit.show(stream.depositAmount);
    this.#rate.show(stream.ratePerSecond);
  }

  #showIdentity({ id }: Stream): void {
    this.element.dataset.id = id;
    this.link.href = hashOf(['streams', id]);
    this.link.title = id;
    setText(this.link, shortStreamId(id));
    for (const amount of Object.values(this.moving)) amount.clear();
  }
}
