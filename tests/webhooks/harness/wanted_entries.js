// Which entries an endpoint has to be told of, from SPEC sections 4 and 8 alone, read from the table of the log.
import { concerns } from '../../realtime/harness/log_filter.js';

/**
 * What an endpoint wants: entries that fit all of it.
 * @typedef {{events?: string[] | null, streamId?: string | null, sender?: string | null, recipient?: string | null}} Filter
 */

/** From when on, and until when, an endpoint was enabled: entries behind `after`, up to `through`. @typedef {{after: number, through?: number}} Span */

/** @param {import('../../realtime/harness/log_filter.js').Row} row @param {Filter} filter */
export function wants(row, { events, streamId, sender, recipient }) {
  const topics = [streamId && { streamId }, sender && { sender }, recipient && { recipient }].filter(Boolean);
  return (!events || events.includes(row.event)) && topics.every((topic) => concerns(row, topic));
}

/** @param {import('../../realtime/harness/log_filter.js').Row[]} log @param {Filter} filter @param {Span[]} spans */
export function wantedSeqs(log, filter, spans) {
  const heard = (seq) => spans.some(({ after, through = Infinity }) => seq > after && seq <= through);
  return log.filter((row) => heard(row.seq) && wants(row, filter)).map(({ seq }) => seq);
}

/** "k3f9-1042" */
export const seqOf = (cursor) => Number(cursor.split('-')[1]);
