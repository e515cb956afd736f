import { plainAmount, shortAddress, shortStreamId, timeOfDay } from './text.js';

const LENGTH = 12;

const TITLES = {
  'stream.created': 'Stream created',
  'stream.updated': 'Stream changed',
  'stream.cancelled': 'Stream cancelled',
  'stream.completed': 'Stream completed',
  'stream.cliff_reached': 'Cliff reached',
  'stream.ended': 'Stream ended',
  'stream.observed': 'Read from storage',
  'stream.retracted': 'Retracted by a reorg',
  'protocol.event': 'Protocol event',
  'chain.event': 'Contract event',
};

const KIND_TITLES = {
  withdrew: 'Withdrawal',
  wdraw_to: 'Withdrawal to another address',
  paused: 'Stream paused',
  resumed: 'Stream resumed',
  kp_cncl: 'Cancelled by a keeper',
  closed: 'Stream closed',
  rate_upd: 'Rate changed',
  rate_dec: 'Rate lowered',
  end_shrt: 'End brought forward',
  end_ext: 'End put back',
  top_up: 'Topped up',
  recp_upd: 'New recipient',
  sndr_xfr: 'New sender',
  del_share: 'Share delegated',
};

const FIELDS = {
  depositAmount: 'deposit',
  ratePerSecond: 'per second',
  withdrawnAmount: 'withdrawn',
  settledAmount: 'settled',
  recipient: 'recipient',
  sender: 'sender',
};

function shown(value) {
  if (typeof value !== 'string') return String(value);
  return /^-?[0-9]+\.[0-9]{7}$/.test(value) ? plainAmount(value) : shortAddress(value);
}

/** What an entry changed, in a few words. */
export function changeText(entry) {
  return Object.entries(entry.change ?? {})
    .filter(([name]) => name in FIELDS)
    .slice(0, 2)
    .map(([name, [before, after]]) => `${FIELDS[name]} ${shown(before)} → ${shown(after)}`)
    .join(', ');
}

export function entryTitle(entry) {
  return entry.event === 'stream.updated' ? KIND_TITLES[entry.kind] ?? TITLES[entry.event]
    : TITLES[entry.event] ?? entry.event;
}

/** The log's latest entries, newest first. */
export class EventList {
  #list;
  #onPick;
  #seqs = new Set();

  constructor(list, onPick) {
    this.#list = list;
    this.#onPick = onPick;
    list.addEventListener('click', ({ target }) => {
      const id = target.closest('button')?.dataset.id;
      if (id !== undefined) this.#onPick(id);
    });
  }

  get length() {
    return LENGTH;
  }

  clear() {
    this.#list.replaceChildren();
    this.#seqs.clear();
  }

  add(entry) {
    if (this.#seqs.has(entry.seq)) return;
    this.#seqs.add(entry.seq);
    const item = document.createElement('li');
    item.dataset.seq = entry.seq;
    const time = document.createElement('time');
    time.dateTime = entry.closedAt;
    time.textContent = timeOfDay(Date.parse(entry.closedAt) / 1000);
    const title = document.createElement('span');
    title.className = 'title';
    title.textContent = entryTitle(entry);
    const where = document.createElement(entry.streamId ? 'button' : 'span');
    where.className = 'where';
    where.textContent = entry.streamId ? shortStreamId(entry.streamId) : entry.kind ?? '';
    if (entry.streamId) {
      where.type = 'button';
      where.dataset.id = entry.streamId;
      where.title = entry.streamId;
    }
    const change = document.createElement('span');
    change.className = 'change';
    change.textContent = changeText(entry);
    item.append(time, title, where, change);
    this.#list.prepend(item);
    while (this.#list.children.length > LENGTH) {
      this.#seqs.delete(Number(this.#list.lastElementChild.dataset.seq));
      this.#list.lastElementChild.remove();
    }
  }
}
