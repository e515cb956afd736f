import { FluxoraError } from '@fluxora/core';

import type { App } from '../app.js';
import { ServiceError } from '../live/service.js';
import { dateTime } from '../text/times.js';
import { copyButton } from '../ui/copy_button.js';
import { h, uniqueId, type Child } from '../ui/dom.js';
import { isAmount, runs, type Member } from './comparison.js';
import { compareStored, readStored, type Proof } from './contract_entry.js';
import { HistoryProblem } from './history_pages.js';
import { verify, type EntryDifference, type Verdict } from './verification.js';

/** Whose two accounts are compared. */
interface Sides { readonly ours: string; readonly theirs: string }
const FOLD: Sides = { ours: 'Here', theirs: 'Service' };
const CONTRACT: Sides = { ours: 'Service', theirs: 'Contract' };

const ALL_EQUAL = 'Your browser and the service agree on every digit.';
const BOTH_HAVE_NONE = 'Both say that there is no such stream.';
const WHAT_IT_DOES = 'Your browser reads this stream’s whole log, folds it again entry by entry with the core, '
  + 'and compares what comes of it with what the service says, digit by digit.';

/** A stream checked by the browser itself: its history folded again, and what its contract holds. */
export class VerifyCard {
  readonly element: HTMLElement;
  readonly #app: App;
  readonly #result = h('div', { class: 'verdict' });
  readonly #proof = h('div', { class: 'verdict' });
  readonly #verify: HTMLButtonElement;
  readonly #compare: HTMLButtonElement;
  #id = '';
  #running = new AbortController();

  constructor(app: App) {
    this.#app = app;
    const title = uniqueId('verify');
    this.#verify = h('button', {
      type: 'button', class: 'action primary', text: 'Verify', on: { click: () => { void this.#runVerify(); } },
    });
    this.#compare = h('button', {
      type: 'button', class: 'action', text: 'Compare with the contract',
      on: { click: () => { void this.#runCompare(); } },
    });
    this.element = h('section', { class: 'card card-body stream-verify', 'aria-labelledby': title },
      h('h3', { id: title, text: 'Don’t take our word' }),
      h('p', { class: 'how', text: WHAT_IT_DOES }),
      h('div', { class: 'actions' }, this.#verify, this.#compare), this.#result, this.#proof);
  }

  show(id: string, isOnChain: boolean): void {
    this.#compare.hidden = !isOnChain;
    this.#id = id;
    this.stop();
    this.#result.replaceChildren();
    this.#proof.replaceChildren();
  }

  /** Gives up what is running, without a verdict. */
  stop(): void {
    this.#running.abort();
    this.#running = new AbortController();
    for (const [button, place] of [[this.#verify, this.#result], [this.#compare, this.#proof]] as const) {
      if (isRunning(button)) place.replaceChildren();
      setRunning(button, false);
    }
  }

  #runVerify(): Promise<void> {
    return this.#run(this.#verify, this.#result, async (signal, say) => {
      const progress = (entries: number): void => say(`Folded ${entries.toLocaleString('en')} entries…`);
      return this.#verdict(await verify(this.#app.core, this.#app.service, this.#id, signal, progress));
    });
  }

  #runCompare(): Promise<void> {
    return this.#run(this.#compare, this.#proof, async (signal) => {
      // First: what is indexed by now, the proof's stream has to tell of.
      await this.#app.health.look();
      const indexed = this.#app.health.latest?.indexer.lastLedger ?? 0;
      const path = `api/streams/${encodeURIComponent(this.#id)}/proof`;
      return this.#stored(await this.#app.service.json<Proof>(path, { signal }), indexed);
    });
  }

  async #run(
    button: HTMLButtonElement, place: HTMLElement,
    work: (signal: AbortSignal, say: (text: string) => void) => Promise<Child[]>,
  ): Promise<void> {
    if (isRunning(button)) return;
    const { signal } = this.#running;
    const say = (text: string): void => { if (!signal.aborted) place.replaceChildren(h('p', { class: 'how', text })); };
    setRunning(button, true);
    say('Reading…');
    let shown: Child[] = [];
    try {
      shown = await work(signal, say);
    } catch (error) {
      if (!signal.aborted) shown = [failure(error)];
    } finally {
      if (!signal.aborted) {
        place.replaceChildren(...shown.filter((child) => child !== null && child !== false));
        setRunning(button, false);
      }
    }
    if (!signal.aborted) this.#app.announce(place.querySelector('.headline')?.textContent ?? '');
  }

  #verdict(verdict: Verdict): Child[] {
    const { members, entries, retractions, parentEntries, from, to, asOf, entryDifference, isEqual } = verdict;
    const folded = [
      `${counted(entries, 'entry', 'entries')} folded, from ${from} to ${to}`,
      retractions > 0 && `${counted(retractions, 'retraction', 'retractions')} among them`,
      parentEntries > 0 && `${counted(parentEntries, 'entry', 'entries')} of the stream it was split off`,
    ].filter((part) => part !== false).join('; ');
    return [
      isEqual ? headline('equal', members.length === 0 ? BOTH_HAVE_NONE : ALL_EQUAL)
        : headline('different', differenceText(members, entryDifference !== null)),
      h('p', { class: 'how', text: `${folded}.${asOf === null ? '' : ` Amounts at ${dateTime(asOf)}.`}` }),
      ...(entryDifference === null ? [] : otherwise(entryDifference)),
      comparison(members, FOLD),
    ];
  }

  /** @param indexed the last ledger that the service had indexed before it answered */
  #stored({ stream, entry, ledger }: Proof, indexed: number): Child[] {
    const [now, written] = [ledger.sequence, entry.lastModifiedLedger].map((number) => number.toLocaleString('en'));
    const stored = readStored(this.#app.core, entry);
    const copies = h('div', { class: 'actions' },
      copyButton('Copy key', () => entry.key, (text) => this.#app.announce(text)),
      copyButton('Copy entry', () => entry.xdr, (text) => this.#app.announce(text)),
      copyButton('Copy ledger hash', () => ledger.hash, (text) => this.#app.announce(text)));
    const facts = `The contract’s entry as of ledger ${now}, written in ledger ${written}.`;
    const how = h('p', { class: 'how', text: `${facts} Any Stellar RPC gives it for the same key.` });
    if (stored === null) {
      return [headline('unknown', 'The service’s answer isn’t a contract’s entry of a stream.'), how, copies];
    }
    const members = compareStored(this.#app.core, stored, stream);
    const isEqual = members.every((member) => member.isEqual);
    const isAhead = entry.lastModifiedLedger > Math.max(stream.ledger ?? 0, indexed);
    const said = isEqual ? headline('equal', 'The contract holds the same, digit by digit.')
      : isAhead ? headline('unknown', `The contract changed this stream in ledger ${written}, which isn’t indexed yet.`)
        : headline('different', differenceText(members, false));
    return [said, how, comparison(members, CONTRACT), copies];
  }
}

/** While it runs it stays in reach of the keyboard: aria-disabled keeps the focus where it is. */
function setRunning(button: HTMLButtonElement, runs: boolean): void {
  button.setAttribute('aria-disabled', String(runs));
}

function isRunning(button: HTMLButtonElement): boolean {
  return button.getAttribute('aria-disabled') === 'true';
}

/** What is said of an error; others than these are thrown again. */
function failure(error: unknown): HTMLElement {
  if (error instanceof HistoryProblem && error.reason === 'pruned') {
    return headline('unknown', `The history can’t be folded from its beginning any more. ${error.message}`);
  }
  if (error instanceof HistoryProblem || error instanceof ServiceError) {
    return headline('unknown', `It couldn’t be checked. ${error.message}`);
  }
  if (error instanceof FluxoraError) {
    const why = `${error.message} (${error.code})`;
    return headline('different', `An entry of the history is none that can be read: ${why}`);
  }
  throw error;
}

function counted(count: number, one: string, more: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
}

function headline(outcome: 'equal' | 'different' | 'unknown', text: string): HTMLElement {
  return h('p', { class: 'headline', 'data-outcome': outcome, text });
}

function differenceText(members: readonly Member[], inEntry: boolean): string {
  const names = members.filter(({ isEqual }) => !isEqual).map(({ name }) => name);
  if (names.length === 0 && inEntry) return 'The streams agree, but an entry of the history shows something else.';
  return `They don’t agree: ${names.join(', ')}.`;
}

/** The entry that shows something else than the fold makes of it. */
function otherwise({ seq, member }: EntryDifference): Child[] {
  const text = `At log position ${seq} the service shows another ${member.name} than the fold makes:`;
  return [h('p', { class: 'how', 'data-entry': seq, text }), comparison([member], FOLD)];
}

/** The members below each other: those that differ first, then amounts, then the rest folded away. */
function comparison(members: readonly Member[], sides: Sides): HTMLElement | null {
  if (members.length === 0) return null;
  const inSight = members.filter(({ isEqual, theirs }) => !isEqual || isAmount(theirs));
  const rest = members.filter((member) => !inSight.includes(member));
  inSight.sort((a, b) => (a.isEqual === b.isEqual ? 0 : a.isEqual ? 1 : -1));
  return h('div', { class: 'comparison' },
    table(inSight, sides),
    rest.length > 0 && h('details', {}, h('summary', { text: `${rest.length} more, all equal` }), table(rest, sides)));
}

function table(members: readonly Member[], sides: Sides): HTMLElement {
  return h('dl', { class: 'members' }, ...members.map(({ name, ours, theirs, isEqual }) => h('div', {
    'data-member': name, 'data-equal': isEqual ? 'yes' : 'no',
  }, h('dt', { text: name }), line(sides.ours, ours, theirs), line(sides.theirs, theirs, ours))));
}

function line(side: string, text: string, other: string): HTMLElement {
  return h('dd', {}, h('span', { class: 'side', text: side }),
    h('span', { class: 'digits' },
      ...runs(text, other).map((run) => h(run.differs ? 'mark' : 'span', { text: run.text }))));
}
