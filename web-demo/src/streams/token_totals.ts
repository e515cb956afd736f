import type { Change, Item } from './stream_order.js';

/** The streams of one token: amounts of several tokens don't add up. */
export interface TokenGroup {
  /** Null: not known yet. */
  readonly token: string | null;
  /** Their places in the book's balances. */
  readonly rows: readonly number[];
  /** Base units; the sum may be more than an amount can hold. */
  readonly deposits: bigint;
}

interface Group extends TokenGroup {
  rows: number[];
  deposits: bigint;
}

/** The streams by token. */
export class TokenGroups {
  readonly #byToken = new Map<string | null, Group>();

  /** The token with most streams first. */
  get all(): TokenGroup[] {
    return [...this.#byToken.values()].sort((a, b) => b.rows.length - a.rows.length);
  }

  take(items: readonly Item[]): void {
    this.#byToken.clear();
    for (const item of items) this.#add(item);
  }

  /** Takes changes of some streams, the other rows being where they were. False where one is of another token now. */
  change(changes: readonly Change[]): boolean {
    if (changes.some(({ item, before }) => before !== null && before.stream.token !== item.stream.token)) return false;
    for (const { item, before } of changes) {
      if (before === null) this.#add(item);
      else this.#byToken.get(item.stream.token)!.deposits += item.deposit - before.deposit;
    }
    return true;
  }

  #add({ stream: { token }, row, deposit }: Item): void {
    const group = this.#byToken.get(token);
    if (group === undefined) {
      this.#byToken.set(token, { token, rows: [row], deposits: deposit });
      return;
    }
    group.rows.push(row);
    group.deposits += deposit;
  }
}
