// The table of all streams against the real server: exact to the second, calm in what it does to the page.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { DEMO_ROOT, DemoPage, checkAccessible, keepScreenshots, startDemo } from './chromium.js';
import { decimal, expectedAmounts } from './expected_amounts.js';

const UNITS = 10_000_000n;
const DAY = 86_400n;
const MANY = 10_000;
/** Rows in sight on a desk, and the spare ones above and below: generously. */
const ROWS_MAX = 40;
const OFFLINE = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_FAILED|WebSocket connection|503/;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

/** Closes the next ledger, in which nothing that was submitted may fail. */
function close(sim) {
  assert.deepEqual(sim.closeLedger().failed.map(({ label, error }) => `${label}: ${error.message}`), []);
}

/** Streams in every status that the contract has; one of them is about to reach its cliff. */
function makePast(sim) {
  const [treasury, other] = sim.people.treasuries;
  const recipients = sim.people.recipients;
  const common = { sender: treasury, duration: 30n * DAY };
  const ids = [
    sim.createStream({ ...common, recipient: recipients[0], ratePerSecond: 11_574n, depositAmount: 40_000n * UNITS }),
    sim.createStream({ ...common, recipient: recipients[1], ratePerSecond: 1_234_567n, cliffDelay: 20n,
      depositAmount: 500_000n * UNITS }),
    sim.createStream({ ...common, recipient: recipients[2], ratePerSecond: 1n, cliffDelay: 10n * DAY,
      depositAmount: 3_000_000n }),
    sim.createStream({ ...common, sender: other, recipient: recipients[1], ratePerSecond: 116n,
      depositAmount: 301n * UNITS }),
    sim.createStream({ ...common, recipient: recipients[0], ratePerSecond: 99n, depositAmount: 30n * UNITS,
      startDelay: 7n * DAY }),
    sim.createStream({ ...common, recipient: recipients[2], ratePerSecond: 5n * UNITS,
      depositAmount: 20_000_000n * UNITS }),
  ];
  for (let i = 0; i < 6; i += 1) close(sim);
  sim.withdraw(ids[0]);
  sim.pause(ids[3]);
  sim.cancel(ids[5]);
  close(sim);
}

before(async () => {
  ({ browser, stack } = await startDemo('streams panel', makePast));
});

/** The contract's stored streams by the ids that the page has. */
const stored = () => new Map(stack.sim.contractStorage().map((stream) => [stack.streamId(stream.streamId), stream]));

/** The page shows every stream of the contract, each with exactly what the contract owes at the second it names. */
async function assertExact(demo) {
  const shown = await demo.exact();
  const contract = stored();
  assert.deepEqual(Object.keys(shown).sort(), [...contract.keys()].sort());
  for (const [id, { at, streamed, withdrawable }] of Object.entries(shown)) {
    const expected = expectedAmounts(contract.get(id), at);
    assert.deepEqual({ id, at, streamed, withdrawable },
      { id, at, streamed: decimal(expected.streamed), withdrawable: decimal(expected.withdrawable) });
  }
}

const open = async (options) => (await DemoPage.open(browser, stack.baseUrl, options)).live();
const rows = (demo) => demo.page.locator('[role=row][data-id]');
/** The rows' streams from top to bottom: the page has them in this order too. */
const shownIds = (demo) => rows(demo).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
const rowCount = async (demo) => Number(await demo.page.getByRole('table').getAttribute('aria-rowcount')) - 1;

/** The id of the row that has the focus, where it stands in the whole list and the ring around it. */
const focused = (demo) => demo.page.evaluate(() => {
  const row = document.activeElement.closest('[role=row]');
  const view = document.querySelector('.scroller').getBoundingClientRect();
  const box = row?.getBoundingClientRect();
  return row && {
    id: row.dataset.id,
    index: Number(row.getAttribute('aria-rowindex')) - 2,
    inSight: box.top >= view.top && box.bottom <= view.bottom,
    ring: getComputedStyle(document.activeElement, '::after').outlineStyle,
  };
});

/**
 * Looks at a stream's cell once a frame until it has seen enough: what the eye sees, beside the exact amount.
 * @returns {Promise<{at: number, exact: string, moving: string}[]>}
 */
function watch(demo, id, { seconds, figures }) {
  return demo.page.evaluate(([stream, enough]) => new Promise((done) => {
    const seen = [];
    const look = () => {
      const cell = document.querySelector(`[data-id="${stream}"] [data-amount=streamed]`);
      seen.push({ at: Number(cell.dataset.at), exact: cell.dataset.exact,
        moving: cell.querySelector('[aria-hidden]').textContent.replaceAll(',', '') });
      const count = (name) => new Set(seen.map((sample) => sample[name])).size;
      if (count('at') < enough.seconds || count('moving') < enough.figures) requestAnimationFrame(look);
      else done(seen);
    };
    requestAnimationFrame(look);
  }), [id, { seconds, figures }]);
}

/** For `prepare`: the page gets many streams, made of one that the server has. */
async function withMany(context) {
  await context.route(/\/api\/streams\?limit=100$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), has_more: true } });
  });
  await context.route(/\/api\/streams\/export$/, async (route) => {
    const response = await route.fetch();
    const model = JSON.parse((await response.text()).split('\n').find((line) => line.includes('"linear"')));
    const lines = Array.from({ length: MANY }, (_, n) => JSON.stringify({ ...model, id: manyId(n), status: n % 4 === 3 ? 'paused' : 'active',
      depositAmount: `${1_000_000 + n}.0000000`, ratePerSecond: `0.${String(1_000_000 + n * 7).padStart(7, '0')}`,
      cliffTime: model.startTime, withdrawnAmount: '0.0000000' }));
    await route.fulfill({ response, body: `${lines.join('\n')}\n` });
  });
}
const manyId = (n) => `api-0192f0c1-0000-7000-8000-${String(n).padStart(12, '0')}`;

test('every stream of the contract is shown, exact at its second', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  await assertExact(demo);
  const statuses = await demo.page.locator('[role=row] .status').allTextContents();
  assert.deepEqual(statuses.sort(), ['active', 'active', 'active', 'cancelled', 'paused', 'scheduled']);
  await demo.close();
});

test('the total is the sum of what the contract owes, and the statuses are counted', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const total = await demo.page.evaluate(() => ({ ...document.querySelector('[data-amount=total]').dataset }));
  const streams = [...stored().values()];
  const sum = streams.reduce((units, stream) => units + expectedAmounts(stream, Number(total.at)).streamed, 0n);
  assert.equal(total.exact, decimal(sum));
  const counts = await demo.page.evaluate(() => Object.fromEntries(['active', 'scheduled', 'paused', 'finished']
    .map((name) => [name, document.querySelector(`[data-count=${name}]`).textContent])));
  assert.deepEqual(counts, { active: '3', scheduled: '1', paused: '1', finished: '1' });
  await demo.close();
});

test('between seconds a balance grows from one exact amount to the next, and never past it', async () => {
  const demo = await open();
  const id = stack.streamId(1);
  await demo.row(id).waitFor();
  const samples = await watch(demo, id, { seconds: 4, figures: 20 });
  const contract = stored().get(id);
  const units = (text) => BigInt(text.replace('.', ''));
  let last = 0n;
  for (const { at, exact, moving } of samples) {
    const now = expectedAmounts(contract, at).streamed;
    const next = expectedAmounts(contract, at + 1).streamed;
    assert.equal(exact, decimal(now));
    const shown = units(moving);
    assert.ok(now <= shown && shown < next, `${moving} at ${at} is not within ${decimal(now)} and ${decimal(next)}`);
    assert.ok(shown >= last, `${moving} is less than before`);
    last = shown;
  }
  await demo.close();
});

test('who asked for less motion sees exact amounts only, once a second', async () => {
  const demo = await open({ reducedMotion: 'reduce' });
  const id = stack.streamId(1);
  await demo.row(id).waitFor();
  for (const { exact, moving } of await watch(demo, id, { seconds: 3, figures: 3 })) assert.equal(moving, exact);
  await demo.close();
});

test('a new stream appears by itself, on top of the newest', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const { people } = stack.sim;
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[1],
    ratePerSecond: 321n, depositAmount: 1_000n * UNITS, duration: DAY });
  close(stack.sim);
  await stack.settle();
  await demo.row(stack.streamId(number)).waitFor();
  await demo.caughtUp(stack);
  await assertExact(demo);
  assert.equal((await shownIds(demo))[0], stack.streamId(number));
  await demo.close();
});

test('the row under the mouse stays there when another comes above it', async () => {
  const demo = await open({ prepare: withMany });
  const row = rows(demo).nth(3);
  await row.hover();
  const id = await row.getAttribute('data-id');
  const before = await demo.row(id).boundingBox();
  const { people } = stack.sim;
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[1],
    ratePerSecond: 1n, depositAmount: UNITS, duration: DAY });
  close(stack.sim);
  await stack.settle();
  await waitFor(async () => await rowCount(demo) === MANY + 1, { what: 'the new stream' });
  assert.equal((await shownIds(demo))[0], stack.streamId(number));
  assert.deepEqual(await demo.row(id).boundingBox(), before);
  await demo.close();
});

test('finding narrows the table to a stream or an address, a status to its streams', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const all = await rowCount(demo);
  const find = demo.page.getByLabel('Find by address or id');
  await find.fill(stack.streamId(2).toLowerCase());
  await waitFor(async () => await rowCount(demo) === 1, { what: 'one row' });
  assert.deepEqual(await shownIds(demo), [stack.streamId(2)]);
  assert.equal(await demo.page.locator('[data-count=shown]').textContent(), `1 of ${all}`);

  await find.fill('');
  await demo.page.getByLabel('Status').selectOption('paused');
  await waitFor(async () => await rowCount(demo) === 1, { what: 'the paused stream' });
  assert.deepEqual(await shownIds(demo), [stack.streamId(3)]);

  await find.fill('no such thing');
  await demo.page.getByText('No stream matches.').waitFor();
  await demo.page.getByRole('button', { name: 'Show all' }).click();
  await waitFor(async () => await rowCount(demo) === all, { what: 'all rows' });
  await demo.close();
});

test('each column sorts, there and back, and says so', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const contract = stored();
  const by = (value, ids) => ids.map((id) => value(contract.get(id)));
  const isFalling = (values) => values.every((value, i) => i === 0 || value <= values[i - 1]);
  const now = Number(await demo.page.locator('[data-amount=total]').getAttribute('data-at'));
  const columns = {
    Deposit: (stream) => stream.depositAmount,
    'Per second': (stream) => stream.ratePerSecond,
    Streamed: (stream) => expectedAmounts(stream, now).streamed,
    Withdrawable: (stream) => expectedAmounts(stream, now).withdrawable,
  };
  for (const [name, value] of Object.entries(columns)) {
    const header = demo.page.getByRole('columnheader', { name });
    await header.getByRole('button').click();
    await demo.twoFrames();
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.ok(isFalling(by(value, await shownIds(demo))), `${name} isn’t falling`);
    await header.getByRole('button').click();
    await demo.twoFrames();
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    assert.ok(isFalling(by(value, await shownIds(demo)).reverse()), `${name} isn’t rising`);
  }
  assert.equal(await demo.page.locator('[aria-sort=ascending], [aria-sort=descending]').count(), 1);
  await demo.close();
});

test('a telephone sorts by a list, and shows cards of one height', async () => {
  const demo = await open({ viewport: { width: 390, height: 844 } });
  await demo.caughtUp(stack);
  await demo.page.getByLabel('Sort by').selectOption('deposit');
  await demo.twoFrames();
  assert.equal((await shownIds(demo))[0], stack.streamId(5));
  await demo.page.getByRole('button', { name: 'most first' }).click();
  await demo.twoFrames();
  assert.equal((await shownIds(demo)).at(-1), stack.streamId(5));
  const heights = await rows(demo).evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
  assert.equal(new Set(heights).size, 1);
  const cut = await demo.page.evaluate(() => [...document.querySelectorAll('[role=row][data-id] [data-label]')]
    .filter((cell) => cell.offsetParent !== null && cell.getBoundingClientRect().bottom > cell.parentElement.getBoundingClientRect().bottom)
    .map((cell) => cell.textContent));
  assert.deepEqual(cut, []);
  await demo.close();
});

test('with ten thousand streams a few rows are in the page, and only their digits are written', async () => {
  const demo = await open({ prepare: withMany });
  await waitFor(async () => await rowCount(demo) >= MANY, { what: 'all streams' });
  const inPage = await rows(demo).count();
  assert.ok(inPage > 5 && inPage <= ROWS_MAX, `${inPage} rows are in the page`);
  const inSight = await demo.page.evaluate(() => {
    const view = document.querySelector('.scroller').getBoundingClientRect();
    return [...document.querySelectorAll('[role=row][data-id]')].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > view.top && top < view.bottom;
    }).length;
  });

  // Of some seconds' frames: how many nodes each frame wrote, and of which kind.
  const frames = await demo.page.evaluate(() => new Promise((done) => {
    const frames = [];
    let written = { texts: 0, others: 0 };
    const observer = new MutationObserver((records) => {
      for (const { type } of records) written[type === 'characterData' ? 'texts' : 'others'] += 1;
    });
    observer.observe(document.querySelector('main'), { subtree: true, childList: true, attributes: true, characterData: true });
    const frame = () => {
      frames.push(written);
      written = { texts: 0, others: 0 };
      if (frames.length < 150) requestAnimationFrame(frame);
      else done(frames);
    };
    requestAnimationFrame(frame);
  }));
  const between = frames.filter(({ others }) => others === 0);
  assert.ok(between.length > frames.length / 2, 'elements change in most frames');
  const most = Math.max(...between.map(({ texts }) => texts));
  assert.ok(most > 0, 'nothing moves');
  assert.ok(most <= 2 * inSight + 1, `${most} texts were written for ${inSight} rows in sight and the total`);
  // A new second: the exact amounts, for each row in the page.
  assert.ok(Math.max(...frames.map(({ texts, others }) => texts + others)) <= 16 * inPage, 'a second writes too much');
  await demo.close();
});

test('ten thousand rows scroll to the last, by key too, and the page keeps as few', async () => {
  const demo = await open({ prepare: withMany });
  await waitFor(async () => await rowCount(demo) >= MANY, { what: 'all streams' });
  await demo.page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
  await demo.row(manyId(0)).waitFor();
  assert.ok(await rows(demo).count() <= ROWS_MAX);
  const last = demo.row(manyId(0));
  assert.equal(await last.getAttribute('aria-rowindex'), String(await rowCount(demo) + 1));
  assert.ok(await last.locator('[data-amount=streamed]').getAttribute('data-exact'), 'a row that scrolled in has no amount');

  await demo.page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
  await demo.row(manyId(MANY - 1)).getByRole('link').focus();
  const go = async (key) => {
    await demo.page.keyboard.press(key);
    return focused(demo);
  };
  assert.deepEqual(await go('End'), { id: manyId(0), index: await rowCount(demo) - 1, inSight: true, ring: 'solid' });
  const up = await go('PageUp');
  assert.ok(up.inSight && up.index < MANY - 3, `PageUp led to ${up.index}`);
  assert.equal((await go('ArrowUp')).index, up.index - 1);
  assert.deepEqual(await go('Home'), { id: manyId(MANY - 1), index: 0, inSight: true, ring: 'solid' });
  // A row that has the focus keeps it where it is scrolled away.
  await demo.page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, 200_000));
  await demo.twoFrames();
  assert.equal((await focused(demo)).id, manyId(MANY - 1));
  assert.equal((await go('ArrowDown')).id, manyId(MANY - 2));
  assert.equal((await focused(demo)).inSight, true);
  await demo.close();
});

test('the table is one stop of the keyboard; enter opens a stream, and back leads to its row', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const ids = await shownIds(demo);
  await demo.page.getByRole('columnheader', { name: 'Withdrawable' }).getByRole('button').focus();
  await demo.page.keyboard.press('Tab');
  assert.equal((await focused(demo)).id, ids[0]);
  await demo.page.keyboard.press('ArrowDown');
  await demo.page.keyboard.press('ArrowDown');
  assert.equal((await focused(demo)).id, ids[2]);
  await demo.page.keyboard.press('Tab');
  assert.equal(await focused(demo), null);
  await demo.page.keyboard.press('Shift+Tab');
  assert.equal((await focused(demo)).id, ids[2]);
  await demo.page.keyboard.press('Enter');
  await demo.page.waitForURL(`**/#/streams/${ids[2]}`);
  await demo.page.getByRole('table').waitFor({ state: 'detached' });
  await demo.page.goBack();
  await demo.page.getByRole('table').waitFor();
  assert.equal((await focused(demo)).id, ids[2]);
  await demo.close();
});

test('the focus isn’t lost with a stream that is no longer wanted', async () => {
  const demo = await open();
  const { people } = stack.sim;
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[1],
    ratePerSecond: 1n, depositAmount: UNITS, duration: DAY });
  close(stack.sim);
  await stack.settle();
  await demo.caughtUp(stack);
  await demo.page.getByLabel('Status').selectOption('active');
  await demo.row(stack.streamId(number)).getByRole('link').focus();
  stack.sim.cancel(number);
  close(stack.sim);
  await stack.settle();
  await demo.row(stack.streamId(number)).waitFor({ state: 'detached' });
  const { id, index } = await focused(demo);
  assert.deepEqual({ id, index }, { id: (await shownIds(demo))[0], index: 0 });
  await demo.close();
});

test('back from a stream the list is as it was left: scrolled, narrowed, sorted', async () => {
  const demo = await open({ prepare: withMany });
  await waitFor(async () => await rowCount(demo) >= MANY, { what: 'all streams' });
  await demo.page.getByLabel('Status').selectOption('paused');
  await demo.page.getByRole('columnheader', { name: 'Per second' }).getByRole('button').click();
  await waitFor(async () => await rowCount(demo) === MANY / 4, { what: 'the paused streams' });
  await demo.page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, 5_000));
  await demo.twoFrames();
  const ids = await shownIds(demo);
  await demo.page.goto(`${stack.baseUrl}/demo/#/amounts`);
  await demo.page.getByRole('table', { name: 'Streams' }).waitFor({ state: 'detached' });
  await demo.page.goBack();
  await demo.page.getByRole('table', { name: 'Streams' }).waitFor();
  await demo.twoFrames();
  assert.deepEqual(await shownIds(demo), ids);
  assert.equal(await rowCount(demo), MANY / 4);
  assert.equal(await demo.page.getByRole('columnheader', { name: 'Per second' }).getAttribute('aria-sort'), 'descending');
  await demo.close();
});

test('what is narrowed down is saved as CSV, exact at the second that the file names', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  await demo.page.getByLabel('Status').selectOption('active');
  await demo.twoFrames();
  const ids = await shownIds(demo);
  const [download] = await Promise.all([
    demo.page.waitForEvent('download'),
    demo.page.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n').map((line) => line.split(','));
  const saved = lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
  assert.deepEqual(saved.map(({ id }) => id), ids);
  const contract = stored();
  for (const { id, streamed, withdrawable, deposit, status, as_of: second } of saved) {
    const stream = contract.get(id);
    const expected = expectedAmounts(stream, Number(second));
    assert.deepEqual({ streamed, withdrawable, deposit, status }, { streamed: decimal(expected.streamed),
      withdrawable: decimal(expected.withdrawable), deposit: decimal(stream.depositAmount), status: 'active' });
    const time = new Date(Number(second) * 1000).toISOString().replace(/:|\.000/g, '');
    assert.equal(download.suggestedFilename(), `fluxora-streams-${time}.csv`);
  }
  await demo.close();
});

test('without a connection the figures go on and say from where; connecting brings what was missed', async () => {
  const demo = await open();
  await demo.caughtUp(stack);
  const port = String(stack.server.port);
  const { cursor } = await stack.head();
  await stack.server.kill9();
  await demo.phase('waiting');
  await demo.page.getByText(`The figures go on from what was known at ${cursor}.`).waitFor();
  const id = stack.streamId(1);
  await watch(demo, id, { seconds: 2, figures: 5 });
  stack.sim.withdraw(0n);
  close(stack.sim);
  await stack.server.restart({ PORT: port });
  await stack.settle();
  const button = demo.page.getByRole('button', { name: 'Connect now' });
  if (await button.isVisible()) await button.click().catch(() => {});
  await demo.live();
  await demo.caughtUp(stack);
  await assertExact(demo);
  assert.equal(await button.isVisible(), false);
  await demo.close({ expected: OFFLINE });
});

test('streams that can’t be read: what is wrong, when the next try is, and one at once', async () => {
  let isAway = true;
  const demo = await DemoPage.open(browser, stack.baseUrl, {
    prepare: (context) => context.route(/\/api\/streams\?/, (route) => (isAway ? route.abort() : route.continue())),
  });
  await demo.page.getByRole('heading', { name: 'The streams can’t be read' }).waitFor();
  await demo.page.getByText(/The next try is in \d+ s\./).waitFor();
  await checkAccessible(demo);

  // A cursor of somebody's choice doesn't bring them either: there are streams, and the page has none.
  const { cursor } = await stack.head();
  await demo.page.getByRole('link', { name: 'Feed', exact: true }).click();
  await demo.page.getByLabel('Resume from any cursor').fill(cursor);
  await demo.page.getByRole('button', { name: 'Resume from it' }).click();
  await demo.phase('waiting');
  await demo.page.getByRole('link', { name: 'Streams', exact: true }).click();
  await demo.page.getByRole('heading', { name: 'The streams can’t be read' }).waitFor();
  assert.equal(await demo.page.getByRole('heading', { name: 'No streams yet' }).isVisible(), false);

  isAway = false;
  await demo.page.getByRole('button', { name: 'Try now' }).focus();
  await demo.page.keyboard.press('Enter');
  await demo.live();
  await demo.row(stack.streamId(0)).waitFor();
  assert.equal(await demo.page.evaluate(() => document.activeElement.id), 'main', 'the focus went with the button');
  await demo.close({ expected: OFFLINE });
});

test('while the streams are read there are no figures that aren’t any', async () => {
  let answer = () => {};
  const held = new Promise((done) => { answer = () => done(null); });
  const demo = await DemoPage.open(browser, stack.baseUrl, {
    prepare: (context) => context.route(/\/api\/streams\?/, async (route) => {
      await held;
      await route.continue();
    }),
  });
  await demo.page.locator('.skeleton').waitFor();
  assert.equal(await demo.page.getByRole('table').isVisible(), false);
  await checkAccessible(demo);
  answer();
  await demo.live();
  await demo.row(stack.streamId(0)).waitFor();
  assert.equal(await demo.page.locator('.skeleton').isVisible(), false);
  await demo.close();
});

test('amounts and times as long as they get fit a telephone', async () => {
  const longest = decimal((1n << 127n) - 1n);
  const prepare = (context) => context.route(/\/api\/streams\?limit=100$/, async (route) => {
    const response = await route.fetch();
    const { streams, ...rest } = await response.json();
    const model = streams.find(({ kind, status }) => kind === 'linear' && status === 'active');
    const stream = { ...model, depositAmount: longest, ratePerSecond: longest, endTime: '18446744073709551615', token: null };
    await route.fulfill({ response, json: { ...rest, streams: [stream], has_more: false } });
  });
  const demo = await open({ viewport: { width: 390, height: 844 }, prepare });
  await rows(demo).first().waitFor();
  await demo.twoFrames();
  const note = demo.page.locator('.total-note');
  assert.match(String(await note.textContent()), /^of 17,014,118,346,046,923,173,168,730,371,588\.41 deposited in 1 stream, /);
  assert.equal(await note.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth), 0);
  await checkAccessible(demo);
  await demo.close();
});

test('how it looks, and axe’s look at it', async () => {
  await keepScreenshots(browser, stack.baseUrl, '#/streams', 'streams', (demo) => demo.row(stack.streamId(0)).waitFor({ state: 'attached' }));
});

test('with no stream there is a friendly page, and the first one ends it', async () => {
  const empty = await startStack({ simulator: { seed: 'empty', closeEveryMs: 0 }, server: { env: { DEMO_ROOT } } });
  const demo = await (await DemoPage.open(browser, empty.baseUrl)).live();
  await demo.page.getByRole('heading', { name: 'No streams yet' }).waitFor();
  await checkAccessible(demo);
  const { people } = empty.sim;
  const number = empty.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0],
    ratePerSecond: 1n, depositAmount: UNITS, duration: DAY });
  close(empty.sim);
  await empty.settle();
  await demo.row(empty.streamId(number)).waitFor();
  assert.equal(await demo.page.getByRole('heading', { name: 'No streams yet' }).isVisible(), false);

  // A reorg takes the only stream back.
  empty.sim.fork(2, { content: 'empty' });
  close(empty.sim);
  await empty.settle();
  await demo.caughtUp(empty);
  await demo.page.getByRole('heading', { name: 'No streams yet' }).waitFor();
  await demo.close();
  await empty.stop();
});
