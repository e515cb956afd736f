import {
  KIND_NAMES, groupAmount, shortAddress, shortStreamId, splitAmount, statusAt, statusNote,
} from './text.js';

const MOVING = ['streamed', 'withdrawable'];

function element(name, className, text = '') {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function cell(label, className) {
  const td = element('td', className);
  td.setAttribute('role', 'cell');
  td.dataset.label = label;
  return td;
}

/** An amount in two weights: what is read first, and the rest of its 7 decimals. */
function amountText(parent) {
  const first = element('span', 'first');
  const rest = element('span', 'rest');
  parent.append(first, rest);
  let shown = '';
  return (decimal) => {
    if (decimal === shown) return;
    shown = decimal;
    const [head, tail] = splitAmount(decimal);
    if (first.textContent !== head) first.textContent = head;
    if (rest.textContent !== tail) rest.textContent = tail;
  };
}

/** A moving amount: the figure that ticks for the eye, and the exact one for everything else. */
function movingCell(label) {
  const td = cell(label, 'amount moving');
  const eye = element('span', 'eye');
  eye.setAttribute('aria-hidden', 'true');
  const exact = element('span', 'visually-hidden');
  td.append(eye, exact);
  return { td, move: amountText(eye), exact };
}

class Row {
  constructor(id) {
    this.id = id;
    this.visible = false;
    this.tr = element('tr');
    this.tr.setAttribute('role', 'row');
    this.tr.dataset.id = id;

    const head = element('th', 'id');
    head.scope = 'row';
    head.setAttribute('role', 'rowheader');
    this.button = element('button', 'pick', shortStreamId(id));
    this.button.type = 'button';
    this.button.tabIndex = -1;
    this.button.title = id;
    this.kind = element('span', 'note');
    head.append(this.button, this.kind);

    const parties = cell('From, to', 'address');
    this.sender = element('span', 'party');
    this.recipient = element('span', 'party');
    parties.append(this.sender, this.recipient);
    const status = cell('Status', 'status-cell');
    this.status = element('span', 'status');
    this.note = element('span', 'note');
    status.append(this.status, this.note);
    const deposit = cell('Deposit', 'amount');
    this.showDeposit = amountText(deposit);
    const rate = element('span', 'note');
    this.showRate = amountText(rate);
    rate.append(' a second');
    deposit.append(rate);
    this.moving = Object.fromEntries(MOVING.map((name) =>
      [name, movingCell(name === 'streamed' ? 'Streamed' : 'Withdrawable')]));
    this.tr.append(head, parties, status, deposit, ...MOVING.map((name) => this.moving[name].td));
  }

  /** Everything but the moving amounts. */
  show(stream) {
    if (this.stream === stream) return;
    this.stream = stream;
    this.kind.textContent = KIND_NAMES[stream.kind] ?? stream.kind;
    for (const party of ['sender', 'recipient']) {
      this[party].textContent = shortAddress(stream[party]);
      this[party].title = `${party}: ${stream[party]}`;
    }
    this.showRate(stream.ratePerSecond);
    this.showDeposit(stream.depositAmount);
  }

  showStatus(second) {
    const status = statusAt(this.stream, second);
    if (this.status.dataset.status !== status) {
      this.status.dataset.status = status;
      this.status.textContent = status;
    }
    const note = statusNote(this.stream, second);
    if (this.note.textContent !== note) this.note.textContent = note;
  }

  matches(needle) {
    const { id, sender, recipient } = this.stream;
    return [id, sender, recipient].some((text) => text.toLowerCase().includes(needle));
  }
}

/** The table of streams. Its buttons pick a stream; up, down, home and end move between them. */
export class StreamTable {
  #core;
  #body;
  #onPick;
  #rows = new Map();
  #picked = null;
  #needle = '';
  #observer;

  constructor(core, table, onPick) {
    this.#core = core;
    this.#body = table.tBodies[0];
    this.#onPick = onPick;
    // Only rows in sight move: a thousand of them would be two thousand changes a frame.
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const row = this.#rows.get(target.dataset.id);
        if (row !== undefined) row.visible = isIntersecting;
      }
    }, { rootMargin: '80px' });
    this.#body.addEventListener('click', ({ target }) => {
      const id = target.closest('tr')?.dataset.id;
      if (id !== undefined) this.#onPick(id);
    });
    this.#body.addEventListener('keydown', (event) => this.#moveFocus(event));
  }

  /** Makes the rows those of the book, newest first. */
  update(book) {
    const streams = book.all();
    for (const [id, row] of this.#rows) {
      if (book.get(id) !== undefined) continue;
      this.#observer.unobserve(row.tr);
      row.tr.remove();
      this.#rows.delete(id);
    }
    streams.forEach((stream, i) => {
      let row = this.#rows.get(stream.id);
      if (row === undefined) {
        row = new Row(stream.id);
        this.#rows.set(stream.id, row);
        this.#observer.observe(row.tr);
      }
      row.show(stream);
      const place = this.#body.children[i];
      if (place !== row.tr) this.#body.insertBefore(row.tr, place ?? null);
    });
    this.#filter();
    this.#setTabStop();
  }

  pick(id) {
    this.#mark(this.#picked, false);
    this.#picked = id;
    this.#mark(id, true);
    this.#setTabStop();
  }

  /** Shows only streams that have a text in their id or parties. */
  find(text) {
    this.#needle = text.trim().toLowerCase();
    this.#filter();
    this.#setTabStop();
  }

  /** How many rows are shown. */
  get shown() {
    return this.#visibleRows().length;
  }

  /** Writes the exact amounts at a second into every row. */
  showExact(ticker) {
    const places = [];
    for (const row of this.#rows.values()) {
      row.showStatus(ticker.second);
      const exact = ticker.exact(row.id);
      if (exact === undefined) continue;
      for (const name of MOVING) places.push([row.moving[name], exact[name]]);
    }
    const texts = this.#core.amounts.formatAll(places.map(([, units]) => units));
    places.forEach(([{ td, exact, move }, units], i) => {
      td.dataset.at = ticker.second;
      if (td.dataset.exact === texts[i]) return;
      td.dataset.exact = texts[i];
      exact.textContent = groupAmount(texts[i]);
      // Its first figure; from the next frame on, a row in sight moves.
      move(texts[i]);
    });
  }

  /** Moves the amounts of the rows in sight to a millisecond of the second. */
  showMoving(ticker, milliseconds) {
    const places = [];
    for (const row of this.#rows.values()) {
      if (!row.visible || ticker.exact(row.id) === undefined) continue;
      for (const name of MOVING) {
        if (!ticker.rests(row.id, name)) places.push([row.moving[name], ticker.moving(row.id, name, milliseconds)]);
      }
    }
    const texts = this.#core.amounts.formatAll(places.map(([, units]) => units));
    places.forEach(([{ move }], i) => move(texts[i]));
  }

  #visibleRows() {
    return [...this.#body.rows].filter((tr) => !tr.hidden);
  }

  #filter() {
    for (const row of this.#rows.values()) row.tr.hidden = this.#needle !== '' && !row.matches(this.#needle);
  }

  #mark(id, picked) {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    row.tr.classList.toggle('picked', picked);
    row.button.setAttribute('aria-pressed', String(picked));
  }

  /** One row at a time is in the page's tab order: the picked one, else the first in sight. */
  #setTabStop(to = null) {
    const rows = this.#visibleRows();
    const picked = rows.find((tr) => tr.dataset.id === this.#picked);
    const stop = to ?? picked ?? rows[0];
    for (const row of this.#rows.values()) row.button.tabIndex = row.tr === stop ? 0 : -1;
  }

  #moveFocus(event) {
    const rows = this.#visibleRows();
    const here = rows.indexOf(event.target.closest('tr'));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || here < 0) return;
    event.preventDefault();
    const tr = rows[Math.min(Math.max(to, 0), rows.length - 1)];
    this.#setTabStop(tr);
    tr.querySelector('button').focus();
  }
}
