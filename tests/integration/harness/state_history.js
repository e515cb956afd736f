// Every state that each stream of an independent fold ever had.
import { IndependentFold } from './independent_fold.js';

/**
 * @param {IndependentFold} fold
 * @returns {Map<string, {since: bigint, stream: import('./independent_fold.js').FoldedStream}[]>} by stream, in order:
 *   one for each input that changed it
 */
export function stateHistories(fold) {
  const histories = new Map();
  const again = new IndependentFold({ token: fold.token });
  for (const input of fold.inputs) {
    input.again(again);
    for (const [id, stream] of again.streams) {
      const states = histories.get(id) ?? [];
      histories.set(id, states);
      const last = states.at(-1)?.stream;
      const changed = !last || Object.entries(stream).some(([name, value]) => last[name] !== value);
      if (changed) states.push({ since: input.at, stream: { ...stream } });
    }
  }
  return histories;
}
