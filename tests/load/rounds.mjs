// The order in which contenders are measured.

/**
 * Contenders take turns, in another order each round, so that what disturbs the machine for a while disturbs all. One
 * group after another: what creations leave to do (checkpoints, vacuum) would come out of the next reads' share.
 * @param {Record<string, Record<string, () => Promise<unknown>>>} groups contenders by name, by group
 * @param {number} rounds
 * @returns {Promise<Record<string, Record<string, any[]>>>} the samples of each, one a round
 */
export async function takeTurns(groups, rounds) {
  const samples = {};
  for (const [group, contenders] of Object.entries(groups)) {
    samples[group] = {};
    const names = Object.keys(contenders);
    for (let round = 0; round < rounds; round += 1) {
      const first = round % names.length;
      for (const name of [...names.slice(first), ...names.slice(0, first)]) {
        const sample = await contenders[name]();
        (samples[group][name] ??= []).push(sample);
        console.error(`round ${round + 1} of ${rounds}: ${group}, ${name}: ${JSON.stringify(sample)}`);
      }
    }
  }
  return samples;
}
