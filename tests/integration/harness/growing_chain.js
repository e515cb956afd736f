// A simulated chain that goes on by itself while a test does its worst: transfers, what streams go through, forks.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param {object} sim the chain simulator
 * @param {(from: number, to: number) => number} random as seededRandom() makes it
 * @param {() => boolean} goesOn
 * @param {{ forks: number }} counts
 * @param {{ ledgers: number, actions: number, maxFork: number, pauseMs: [number, number] }} pace at most so many ledgers at once,
 *   with at most so many actions each; how many ledgers a fork goes back at most; how long until the next
 */
export async function growChain(sim, random, goesOn, counts, { ledgers, actions, maxFork, pauseMs }) {
  const oneOf = (items) => items[random(0, items.length - 1)];
  while (goesOn()) {
    if (random(0, 2) === 0 && sim.nextStreamId > 0n) {
      const id = BigInt(random(0, Number(sim.nextStreamId) - 1));
      if (random(0, 1) === 0) sim.transferRecipient(id, oneOf(sim.people.recipients));
      else sim.transferSender(id, oneOf(sim.people.treasuries));
    }
    sim.runScenario(random(1, ledgers), { actionsPerLedger: random(0, actions) });
    if (random(0, 14) === 0) {
      sim.fork(random(1, maxFork), { content: random(0, 1) === 0 ? 'same' : 'empty' });
      counts.forks += 1;
    }
    await sleep(random(...pauseMs));
  }
}
