import { FluxoraError } from './errors.js';

/** Characters of one event. A log entry with the largest contract event that there can be is far below that. */
export const EVENT_MAX = 8 * 1024 * 1024;

export const eventTooLong = () => new FluxoraError('INPUT_TOO_LONG', `An event of more than ${EVENT_MAX} characters.`);

const LINE_END = /\r\n|\n|\r/g;

/**
 * Reads server-sent events as the HTML Standard says ("Server-sent events", interpreting an event stream), in pieces of
 * any size. The byte order mark is the decoder's to take away.
 */
export class EventStreamParser {
  #line = '';
  #endedWithReturn = false;
  #data = '';
  #name = '';
  #id = '';

  /** The last event's id, which stays until another one comes. */
  lastEventId = '';
  /** The pause before reconnecting that the server asked for. @type {number | undefined} */
  retryMs;

  /**
   * The events that `text` completes. Errors: INPUT_TOO_LONG.
   * @param {string} text
   * @returns {Generator<{name: string, data: string, id: string}>}
   */
  *push(text) {
    if (text === '') return;
    // The other half of a line's end that fell into two pieces.
    const piece = this.#endedWithReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#endedWithReturn = text.endsWith('\r');
    let start = 0;
    for (const { index, 0: end } of piece.matchAll(LINE_END)) {
      const line = this.#line + piece.slice(start, index);
      start = index + end.length;
      this.#line = '';
      const event = line === '' ? this.#dispatch() : this.#take(line);
      if (event) yield event;
    }
    this.#line += piece.slice(start);
    this.#bound(this.#line.length);
  }

  #bound(more) {
    if (this.#data.length + more > EVENT_MAX) throw eventTooLong();
  }

  #take(line) {
    this.#bound(line.length);
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const text = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (field) {
      case 'data': this.#data += `${text}\n`; break;
      case 'event': this.#name = text; break;
      case 'id': if (!text.includes('\0')) this.#id = text; break;
      case 'retry': if (/^[0-9]{1,15}$/.test(text)) this.retryMs = parseInt(text, 10); break;
      default: // A comment, or a field that nobody knows.
    }
    return undefined;
  }

  #dispatch() {
    this.lastEventId = this.#id;
    const [name, data] = [this.#name || 'message', this.#data];
    this.#name = '';
    this.#data = '';
    return data === '' ? undefined : { name, data: data.slice(0, -1), id: this.lastEventId };
  }
}
