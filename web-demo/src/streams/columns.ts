import type { SortName } from './stream_order.js';

/** A column of the table: what it is called, what it is sorted by, and which end of that comes first at first. */
export interface Column {
  /** The cells' class. */
  readonly name: string;
  readonly label: string;
  /** How the choice of an order calls it. */
  readonly sort?: { readonly by: SortName; readonly label: string; readonly descending: boolean };
}

export const COLUMNS: readonly Column[] = [
  { name: 'stream', label: 'Stream', sort: { by: 'created', label: 'Creation', descending: true } },
  { name: 'parties', label: 'From, to' },
  { name: 'standing', label: 'Status', sort: { by: 'status', label: 'Status', descending: false } },
  { name: 'end', label: 'Ends', sort: { by: 'end', label: 'End', descending: false } },
  { name: 'deposit', label: 'Deposit', sort: { by: 'deposit', label: 'Deposit', descending: true } },
  { name: 'rate', label: 'Per second', sort: { by: 'rate', label: 'Rate', descending: true } },
  { name: 'streamed', label: 'Streamed', sort: { by: 'streamed', label: 'Streamed', descending: true } },
  {
    name: 'withdrawable', label: 'Withdrawable', sort: { by: 'withdrawable', label: 'Withdrawable', descending: true },
  },
];

/** The columns that can be sorted by. */
export const SORTS = COLUMNS.flatMap(({ sort }) => (sort === undefined ? [] : [sort]));

/** What an order is, in words. */
export const ORDER_WORDS: Record<SortName, readonly [ascending: string, descending: string]> = {
  created: ['oldest first', 'newest first'],
  status: ['active first', 'cancelled first'],
  end: ['first to end first', 'last to end first'],
  deposit: ['least first', 'most first'],
  rate: ['slowest first', 'fastest first'],
  streamed: ['least first', 'most first'],
  withdrawable: ['least first', 'most first'],
};
