// The feed's panel against the real server: what is cut, broken, forked or killed on the way, every entry comes once.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { waitFor } from '../integration/harness/wait.js';
import { DemoPage, WIDTHS, keepScreenshots, startDemo, throughSocket } from './chromium.js';
import { decimal, expectedAmounts } from './expected_amounts.js';

const UNITS = 10_000_000n;
const DAY = 86_400n;
/** What the panel keeps: web-demo/src/live/feed_log.ts. */
const ITEMS_MAX = 500;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** Streams that the tests change. */
let ids;

/** Closes the next ledger, in which nothing that was submitted may fail. */
function close() {
  assert.deepEqual(stack.sim.closeLedger().failed.map(({ label, error }) => `${label}: ${error.message}`), []);
}

function createStream(sim) {
  return sim.createStream({ sender: sim.people.treasuries[0], recipient: sim.people.recipients[0], duration: 30n * DAY,
    ratePerSecond: 11_574n, depositAmount: 40_000n * UNITS });
}

/** More entries than the panel keeps, and streams to withdraw from. */
function makePast(sim) {
  sim.runScenario(150, { actionsPerLedger: 4 });
  ids = [createStream(sim), createStream(sim), createStream(sim)];
  for (let i = 0; i < 6; i += 1) sim.closeLedger();
}

before(async () => {
  ({ browser, stack } = await startDemo('feed panel', makePast));
});

/** Some ledgers with a withdrawal from each stream; at least so many entries. */
async function happen(ledgers = 1) {
  for (let i = 0; i < ledgers; i += 1) {
    for (const id of ids) stack.sim.withdraw(id);
    close();
  }
  await stack.settle();
}

/** The panel, in a page that has read the log as far as it goes. */
async function openFeed(options = {}) {
  const demo = await (await DemoPage.open(browser, stack.baseUrl, { path: '/demo/#/feed', ...options })).live();
  await demo.caughtUp(stack);
  return demo;
}

const press = (demo, name) => demo.page.getByRole('button', { name, exact: true }).click();
const text = (demo, selector) => demo.page.locator(selector).textContent();

/** The rows as they stand, the newest first. */
function rows({ page }) {
  return page.locator('.feed-list > li').evaluateAll((items) => items.map(({ dataset }) => ({
    seq: dataset.seq === undefined ? null : parseInt(dataset.seq, 10),
    event: dataset.event ?? null,
    reset: dataset.reset ?? null,
    isReplayed: 'replayed' in dataset,
    isUndone: 'undone' in dataset,
  })));
}

const seqs = async (demo) => (await rows(demo)).map(({ seq }) => seq).filter((seq) => seq !== null);
const replayedSeqs = async (demo) => (await rows(demo)).filter(({ isReplayed }) => isReplayed).map(({ seq }) => seq);
/** From the newest down. */
const down = (from, to) => Array.from({ length: from - to + 1 }, (_, i) => from - i);

/** Waits for what the panel says of the service's answer. */
async function outcome(demo, expected) {
  await demo.page.locator('[data-outcome]').filter({ hasText: expected }).waitFor();
}

/** Every stream that the page shows has exactly what the contract owes, and all of them are there. */
async function assertExact(demo) {
  await demo.page.getByRole('link', { name: 'Streams', exact: true }).click();
  await demo.page.locator('[role=row][data-id]').first().waitFor();
  await demo.twoFrames();
  const contract = new Map(stack.sim.contractStorage().map((stream) => [stack.streamId(stream.streamId), stream]));
  // Closed streams aren't in the contract's storage any more.
  const shown = Object.entries(await demo.exact()).filter(([id]) => contract.has(id));
  for (const id of ids) assert.ok(shown.some(([other]) => other === stack.streamId(id)));
  for (const [id, { at, streamed, withdrawable }] of shown) {
    const expected = expectedAmounts(contract.get(id), at);
    assert.deepEqual({ id, at, streamed, withdrawable },
      { id, at, streamed: decimal(expected.streamed), withdrawable: decimal(expected.withdrawable) });
  }
  await demo.page.getByRole('link', { name: 'Feed', exact: true }).click();
  await demo.page.locator('.feed-list').waitFor();
}

test('cut and resumed it misses nothing and doubles nothing, and what was replayed is marked', async () => {
  const demo = await openFeed();
  await happen();
  await demo.caughtUp(stack);
  const from = await stack.head();
  const live = await seqs(demo);
  await press(demo, 'Cut the connection');
  await demo.phase('cut');
  await happen(2);
  const to = await stack.head();
  assert.ok(to.seq >= from.seq + 6, `only ${to.seq - from.seq} entries to miss`);
  await outcome(demo, `The log has gone on without it: ${to.seq - from.seq} entries`);
  assert.equal(await text(demo, '[data-cursor].feed-cursor'), from.cursor);
  assert.deepEqual(await seqs(demo), live);

  await press(demo, 'Resume');
  await outcome(demo, `Resumed from ${from.cursor}: ${to.seq - from.seq} missed entries replayed, none twice.`);
  await demo.caughtUp(stack);
  assert.deepEqual(await seqs(demo), down(to.seq, live.at(-1)));
  assert.deepEqual(await replayedSeqs(demo), down(to.seq, from.seq + 1));
  assert.equal(await text(demo, '[data-count=replayed]'), String(to.seq - from.seq));
  assert.equal(await text(demo, '[data-count=dropped]'), '0');
  await assertExact(demo);

  await happen();
  await demo.caughtUp(stack);
  assert.deepEqual(await replayedSeqs(demo), down(to.seq, from.seq + 1));
  await demo.close();
});

test('from an older cursor what comes again is marked, doubles no row and takes no balance back', async () => {
  const demo = await openFeed();
  await happen();
  await demo.caughtUp(stack);
  const { seq, epoch } = await stack.head();
  const live = await seqs(demo);
  await demo.page.getByLabel('Resume from any cursor').fill(`${epoch}-${seq - 20}`);
  await press(demo, 'Resume from it');
  await outcome(demo, '20 entries replayed, all of them in the balances already');
  await demo.caughtUp(stack);
  assert.deepEqual(await seqs(demo), down(seq, seq - 19));
  assert.deepEqual(await replayedSeqs(demo), down(seq, seq - 19));
  assert.equal(await demo.page.locator('[data-badge=again]').count(), live.length);
  assert.equal(await text(demo, '[data-count=again]'), '20');
  await assertExact(demo);
  await demo.close();
});

test('the log’s beginning replays all of it, of which the newest 500 are kept', async () => {
  const demo = await openFeed();
  const { seq, epoch } = await stack.head();
  assert.ok(seq > ITEMS_MAX + 20, `a log of ${seq} is too short`);
  await press(demo, 'The log’s beginning');
  await outcome(demo, `Resumed from ${epoch}-0: ${seq.toLocaleString('en')} entries replayed`);
  await demo.caughtUp(stack);
  assert.equal((await rows(demo)).length, ITEMS_MAX);
  // One of them is where the page began.
  assert.deepEqual(await seqs(demo), down(seq, seq - ITEMS_MAX + 2));
  await happen();
  await demo.caughtUp(stack);
  assert.equal((await rows(demo)).length, ITEMS_MAX);
  assert.equal((await seqs(demo))[0], (await stack.head()).seq);
  await assertExact(demo);
  await demo.close();
});

test('a broken cursor is answered honestly, and one that is none the client refuses before anything is sent', async () => {
  const demo = await openFeed();
  const { cursor, epoch, seq } = await stack.head();
  const broken = {
    'Far ahead': `${epoch}-${seq + 1_000_000}`,
    'Of another log': `${epoch.startsWith('x') ? 'y' : 'x'}${epoch.slice(1)}-${seq}`,
  };
  for (const [name, asked] of Object.entries(broken)) {
    await press(demo, name);
    await outcome(demo, new RegExp(`^${asked} is no position of this log.* read again, and the log goes on from ${cursor}`));
    await demo.live();
    assert.equal(await demo.page.locator('[data-outcome]').getAttribute('data-answer'), 'epoch_changed');
  }
  const opened = [];
  demo.page.on('websocket', (socket) => opened.push(socket.url()));
  await press(demo, 'No cursor at all');
  await demo.page.locator('[data-refusal]', { hasText: /^CURSOR_INVALID: .* Nothing was sent/ }).waitFor();
  await happen();
  await demo.caughtUp(stack);
  assert.deepEqual(opened, []);
  assert.equal(await demo.page.locator('#connection').getAttribute('data-phase'), 'live');
  const resets = (await rows(demo)).map(({ reset }) => reset).filter((reset) => reset !== null);
  assert.deepEqual(resets, ['epoch_changed', 'epoch_changed', 'start']);
  assert.deepEqual(await seqs(demo), down((await stack.head()).seq, seq + 1));
  await assertExact(demo);
  await demo.close();
});

test('pruned entries are a gap: it is named, and the streams are read again', async () => {
  // The answer to the first resumption, and nothing after it on that connection.
  const prepare = throughSocket((message, connection) => {
    if (connection !== 2) return [message];
    return message.type === 'subscribed' ? [{ ...message, resume: 'gap', gap: { from: 11, to: 480 } }] : [];
  });
  const demo = await openFeed({ prepare });
  await press(demo, '50 entries back');
  await outcome(demo, 'entries 11 to 480 of the log were pruned');
  await demo.live();
  assert.deepEqual((await rows(demo)).map(({ reset }) => reset), ['gap', 'start']);
  await happen();
  await demo.caughtUp(stack);
  await assertExact(demo);
  await demo.close();
});

test('an entry that comes twice, or late, is dropped', async () => {
  const late = [];
  const prepare = throughSocket((message) => {
    if (message.type !== 'stream_update') return [message];
    late.push(message);
    return [message, ...late.toReversed()];
  });
  const demo = await openFeed({ prepare });
  for (let i = 0; i < 3; i += 1) await happen();
  await demo.caughtUp(stack);
  const listed = await seqs(demo);
  assert.deepEqual(listed, down(late.at(-1).payload.seq, late[0].payload.seq));
  const extra = (late.length * (late.length + 1)) / 2;
  await waitFor(async () => await text(demo, '[data-count=dropped]') === String(extra), { what: `${extra} to be dropped` });
  await assertExact(demo);
  await demo.close();
});

test('a reorg is seen: what it undoes is struck through, what took its place follows, the balances are right', async () => {
  const demo = await openFeed();
  const { seq: before } = await stack.head();
  await happen(2);
  await demo.caughtUp(stack);
  const { seq: undone } = await stack.head();
  // The two ledgers, and the one behind them that made them safe.
  stack.sim.fork(3, { content: 'empty' });
  close();
  await stack.settle();
  await demo.caughtUp(stack);

  const shown = await rows(demo);
  const entries = shown.filter(({ seq }) => seq > before);
  const retractions = entries.filter(({ event }) => event === 'stream.retracted');
  assert.equal(retractions.length, undone - before);
  assert.deepEqual(entries.filter(({ isUndone }) => isUndone).map(({ seq }) => seq), down(undone, before + 1));
  // Newest first they are undone, so the last retraction is of the oldest.
  const newest = retractions[0].seq;
  const undoing = demo.page.locator(`[data-seq="${newest}"]`);
  assert.match(String(await undoing.textContent()), new RegExp(`undoes ${(before + 1).toLocaleString('en')}`));
  const struck = demo.page.locator(`[data-seq="${before + 1}"]`);
  assert.equal(await struck.locator('.entry-title').evaluate((title) => getComputedStyle(title).textDecorationLine), 'line-through');
  await struck.getByRole('button', { name: `undone by ${newest.toLocaleString('en')}` }).click();
  assert.equal(await demo.page.evaluate(() => document.activeElement.closest('li').dataset.seq), String(newest));
  await undoing.getByRole('button', { name: `undoes ${(before + 1).toLocaleString('en')}` }).click();
  assert.equal(await demo.page.evaluate(() => document.activeElement.closest('li').dataset.seq), String(before + 1));
  await assertExact(demo);
  await demo.close();
});

test('rows wait while somebody reads, and come in when asked for', async () => {
  const demo = await openFeed();
  await happen();
  await demo.caughtUp(stack);
  const read = await seqs(demo);
  const news = demo.page.getByRole('button', { name: /^[0-9]+ new$/ });
  await demo.page.locator('.feed-list .entry-title').first().focus();
  await happen();
  await demo.caughtUp(stack);
  assert.deepEqual(await seqs(demo), read);
  const { seq } = await stack.head();
  assert.equal(await news.textContent(), `${seq - read[0]} new`);
  // By keyboard one is at the first of them then, and goes on from there.
  await news.focus();
  await demo.page.keyboard.press('Enter');
  assert.deepEqual(await seqs(demo), down(seq, read.at(-1)));
  const focused = () => demo.page.evaluate(() => document.activeElement.closest('li')?.dataset.seq);
  assert.equal(await focused(), String(seq));
  await demo.page.keyboard.press('ArrowDown');
  assert.equal(await focused(), String(seq - 1));
  assert.equal(await demo.page.locator('.entry-title[tabindex="0"]').count(), 1);
  await demo.page.keyboard.press('Home');
  assert.equal(await focused(), String(seq));
  await demo.page.keyboard.press('End');
  assert.equal(await demo.page.evaluate(() => document.activeElement.closest('li').dataset.reset), 'start');

  await demo.page.getByRole('heading', { name: 'Log' }).click();
  await press(demo, 'Pause the list');
  await happen();
  await demo.caughtUp(stack);
  assert.equal((await seqs(demo))[0], seq);
  // Also for who has followed a link and comes back.
  await demo.page.getByRole('link', { name: 'Amounts', exact: true }).click();
  await demo.page.getByRole('link', { name: 'Feed', exact: true }).click();
  await demo.page.locator('.feed-list').waitFor();
  await demo.twoFrames();
  assert.equal((await seqs(demo))[0], seq);
  await press(demo, 'Pause the list');
  assert.equal((await seqs(demo))[0], (await stack.head()).seq);
  await demo.page.locator('.feed-list > li').first().hover();
  await happen();
  await demo.caughtUp(stack);
  assert.notEqual((await seqs(demo))[0], (await stack.head()).seq);
  await demo.page.mouse.move(0, 0);
  await waitFor(async () => (await seqs(demo))[0] === (await stack.head()).seq, { what: 'the waiting rows' });
  await demo.close();
});

test('a row opens to its entry as it was received', async () => {
  const demo = await openFeed();
  await happen();
  await demo.caughtUp(stack);
  const row = demo.page.locator('.feed-list > li[data-seq]').first();
  const title = row.locator('.entry-title');
  await title.focus();
  await demo.page.keyboard.press('Enter');
  assert.equal(await title.getAttribute('aria-expanded'), 'true');
  const { cursor, seq } = await stack.head();
  const answer = await fetch(`${stack.baseUrl}/api/events?after=${cursor.replace(/[0-9]+$/, String(seq - 1))}`);
  const [entry] = JSON.parse(await answer.text()).events;
  assert.equal(await row.locator('pre').textContent(), JSON.stringify(entry, null, 2));
  await demo.page.keyboard.press('Enter');
  assert.equal(await row.locator('pre').isVisible(), false);
  await demo.close();
});

test('an event of a later version, with as long a name, stays in its place', async () => {
  const event = `stream.${'renamed_'.repeat(12)}`;
  const prepare = throughSocket((message) => [message.type === 'stream_update'
    ? { ...message, event, payload: { ...message.payload, event } } : message]);
  for (const viewport of WIDTHS) {
    const demo = await openFeed({ prepare, viewport });
    await happen();
    await demo.caughtUp(stack);
    const right = (selector) => demo.page.locator(`.feed-list > li ${selector}`).first()
      .evaluate((element) => element.getBoundingClientRect().right);
    assert.equal(await demo.page.locator('.entry-title').first().textContent(), event);
    assert.ok(await right('.entry-title') <= await right('.entry-what'), `at ${viewport.width} px`);
    await demo.close();
  }
});

test('entries are found by event and by stream', async () => {
  const demo = await openFeed();
  await press(demo, '50 entries back');
  await demo.caughtUp(stack);
  await happen();
  await demo.caughtUp(stack);
  await demo.page.getByLabel('Event').selectOption('stream.updated');
  const updated = (await rows(demo)).filter(({ reset }) => reset === null);
  assert.ok(updated.length > 0 && updated.every(({ event }) => event === 'stream.updated'));
  const id = stack.streamId(ids[1]);
  await demo.page.getByLabel('Stream or address').fill(id.toLowerCase());
  const links = await demo.page.locator('.feed-list .entry-stream a').evaluateAll((all) => all.map(({ title }) => title));
  assert.ok(links.length > 0 && links.every((title) => title === id));
  await demo.page.getByLabel('Stream or address').fill('no such thing');
  await demo.page.getByText('No entry among these').waitFor();
  await demo.close();
});

test('the service is killed: the page waits, comes back by itself, and what it missed is marked', async () => {
  const demo = await openFeed();
  const from = await stack.head();
  const port = String(stack.server.port);
  await stack.server.kill9();
  await demo.phase('waiting');
  await outcome(demo, `tries again by itself, and goes on from ${from.cursor}.`);
  // The button comes and goes with each try: the focus isn't lost with it.
  const focused = () => demo.page.evaluate(() => document.activeElement.textContent);
  await press(demo, 'Try now');
  await waitFor(async () => await focused() === 'Cut the connection', { what: 'the focus to go to the other button', describe: focused });
  for (const id of ids) stack.sim.withdraw(id);
  close();
  await stack.server.restart({ PORT: port });
  await stack.settle();
  await demo.live();
  await demo.caughtUp(stack);
  const to = await stack.head();
  assert.deepEqual(await seqs(demo), down(to.seq, from.seq + 1));
  // The server may have indexed the ledger before or after the page was back; either way it says so.
  const marked = await replayedSeqs(demo);
  assert.deepEqual(marked, down(from.seq + marked.length, from.seq + 1));
  assert.equal(await text(demo, '[data-count=replayed]'), String(marked.length));
  await assertExact(demo);
  await demo.close({ expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection/ });
});

test('how it looks, and nothing for axe to say', async () => {
  await keepScreenshots(browser, stack.baseUrl, '#/feed', 'feed', async (demo) => {
    await demo.caughtUp(stack);
    await press(demo, '50 entries back');
    await outcome(demo, 'entries replayed');
    await happen();
    stack.sim.fork(2, { content: 'empty' });
    close();
    await stack.settle();
    await demo.caughtUp(stack);
    await press(demo, 'No cursor at all');
    await demo.page.locator('.feed-list [data-undone] .entry-title').last().click();
    await demo.page.locator('.feed-list').evaluate((list) => { list.scrollTop = 0; });
  });
});
