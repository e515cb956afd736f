// What must be true when it is over: what was acknowledged is there, once; everyone who listened was told of everything.
import { waitFor } from '../../integration/harness/wait.js';

const CATCH_UP_MS = 60_000;

/** @typedef {{name: string, expected: string, found: string, met: boolean}} Check */

/** @param {string} name @param {unknown} expected @param {unknown} found @returns {Check} */
const equal = (name, expected, found) => ({
  name,
  expected: String(expected),
  found: String(found),
  met: expected === found,
});

/**
 * Nothing of a kind; the first ones of what there is are shown.
 * @param {string} name
 * @param {number} count
 * @param {string[]} [examples]
 * @returns {Check}
 */
const none = (name, count, examples = []) => ({
  name,
  expected: '0',
  found: [count, ...examples].join(' | '),
  met: count === 0,
});

/**
 * Waits until `reached`, as far as it comes: a check then says what is missing.
 * @param {() => unknown} reached
 * @param {string} what
 */
async function asFarAsItComes(reached, what) {
  await waitFor(reached, { what, deadlineMs: CATCH_UP_MS }).catch(() => {});
}

/** @param {import('./world.mjs').World} world */
export function answerChecks(world) {
  return [
    none('answers that say what they must not', world.wrongCount, world.wrong.slice(0, 3)),
    equal('streams read back as they were created', world.acknowledged.created, world.readBack),
  ];
}

/** @param {import('./followers.mjs').Follower[]} followers */
export function orderChecks(followers) {
  const troubles = followers.flatMap((follower) => follower.troubles);
  return [
    none(
      'entries that a follower saw twice, out of order or after a hole',
      followers.reduce((sum, { troubleCount }) => sum + troubleCount, 0),
      troubles.slice(0, 3),
    ),
  ];
}

/** Every follower has seen the log up to its head, one that follows a party everything of that party's. */
async function followersCaughtUp(target, followers) {
  const { seq: head } = await target.db.row('SELECT seq::int FROM log_head');
  const ofParty = `SELECT count(*)::int AS count FROM events e JOIN streams s ON s.id = e.stream_id
    WHERE s.recipient = $1 AND e.seq > $2 AND e.seq <= $3`;
  const wanted = new Map();
  for (const follower of followers) {
    const {
      kind: { recipient },
      begun,
    } = follower;
    wanted.set(
      follower,
      recipient === undefined ? head - begun : (await target.db.row(ofParty, [recipient, begun, head])).count,
    );
  }
  // The chain goes on meanwhile: more may come than was there when it was looked at.
  const lacks = (follower) => Math.max(0, wanted.get(follower) - follower.entries);
  await asFarAsItComes(
    () => followers.every((follower) => lacks(follower) === 0),
    `everyone to have everything up to ${head}`,
  );
  return [
    equal(
      'followers that have everything up to the head',
      followers.length,
      followers.filter((follower) => lacks(follower) === 0).length,
    ),
    none(
      'entries that a follower was never told of',
      followers.reduce((sum, follower) => sum + lacks(follower), 0),
    ),
  ];
}

/** Each acknowledged write has made one entry of the log, and no other has. */
async function writesAreInTheLog(db, { acknowledged, unclear }) {
  const rows = await db.rows(
    "SELECT kind, count(*)::int AS count FROM events WHERE stream_id LIKE 'api-%' GROUP BY kind",
  );
  const counts = new Map(rows.map(({ kind, count }) => [kind, count]));
  return Object.keys(acknowledged).map((kind) => {
    const [found, least, most] = [counts.get(kind) ?? 0, acknowledged[kind], acknowledged[kind] + unclear[kind]];
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    return {
      name: `entries "${kind}" of the API's streams, of as many acknowledged`,
      expected,
      found: `${found}`,
      met: found >= least && found <= most,
    };
  });
}

async function chainIsInTheLog({ db, chain }) {
  const { ledger } = await db.row('SELECT ledger::int FROM indexer_checkpoint');
  const { count } = await db.row(
    "SELECT count(DISTINCT event_id)::int AS count FROM events WHERE event_id ~ '^[0-9]{19}-' AND ledger <= $1",
    [ledger],
  );
  return equal(`events of the chain's contract up to ledger ${ledger}`, await chain.countEvents(ledger), count);
}

async function logIsWhole(db) {
  const { entries, head } = await db.row(
    'SELECT (SELECT count(*)::int FROM events) AS entries, seq::int AS head FROM log_head',
  );
  return equal('entries in the log, of its head', head, entries);
}

async function webhooksArrived({ db }, receiver) {
  const { seq: head } = await db.row('SELECT seq::int FROM log_head');
  const waiting = async () =>
    (await db.row('SELECT count(*)::int AS count FROM webhook_deliveries WHERE state = 0 AND seq <= $1', [head])).count;
  await asFarAsItComes(async () => (await waiting()) === 0, 'webhooks to be delivered');
  const endpoints = [...receiver.endpoints.values()];
  const sum = (count) => endpoints.reduce((total, endpoint) => total + count(endpoint), 0);
  return [
    none(
      'entries that an endpoint was never sent',
      sum((endpoint) => endpoint.positions.missing(endpoint.after, head)),
    ),
    none(
      "webhooks before an earlier one of their stream's",
      sum(({ disordered }) => disordered),
    ),
    none('webhooks with a bad signature, or for nobody', sum(({ unsigned }) => unsigned) + receiver.strays),
  ];
}

/**
 * Against the database, of a server of our own: nothing may be written any more but by the chain.
 * @param {object} parts
 * @param {any} parts.target
 * @param {import('./world.mjs').World} parts.world
 * @param {import('./followers.mjs').Follower[]} parts.followers
 * @param {import('./receiver.mjs').Receiver} parts.receiver
 */
export async function databaseChecks({ target, world, followers, receiver }) {
  return [
    ...(await writesAreInTheLog(target.db, world)),
    await chainIsInTheLog(target),
    await logIsWhole(target.db),
    ...(await followersCaughtUp(target, followers)),
    ...(await webhooksArrived(target, receiver)),
  ];
}

/**
 * Without a look into the database: those who follow everything have all come equally far.
 * @param {import('./followers.mjs').Follower[]} followers
 */
export async function agreementChecks(followers) {
  const all = followers.filter(({ kind }) => kind.recipient === undefined);
  const furthest = Math.max(...all.map(({ seq }) => seq));
  await asFarAsItComes(() => all.every(({ seq }) => seq >= furthest), `all followers to be at ${furthest}`);
  return [
    equal(
      `followers that have come as far as the first, entry ${furthest}`,
      all.length,
      all.filter(({ seq }) => seq >= furthest).length,
    ),
  ];
}

/** @param {any} target @param {number | null} exitCode */
export function endChecks(target, exitCode) {
  return [
    equal("the server's exit code after SIGTERM", 0, exitCode),
    none("lines of level error in the server's log", target.errorLines),
  ];
}
