// A stream's page against the real server: its figures at any second, its history, and the browser's own verdict on it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { address, i128, struct, symbol, u32, u64 } from '../chain-sim/src/scval.js';
import { create, setStatus } from '../integration/harness/api_streams.js';
import { waitFor } from '../integration/harness/wait.js';
import { DemoPage, checkAccessible, keepScreenshots, startDemo } from './chromium.js';
import { decimal, expectedAmounts } from './expected_amounts.js';

const UNITS = 10_000_000n;
const DAY = 86_400n;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** Numbers of streams: one with a long past, one whose rate was changed, one paused, one cancelled. */
const numbers = { steady: 0n, changed: 0n, paused: 0n, cancelled: 0n };
/** Withdrawals from `steady` in its past: more entries than the page reads at first. */
const WITHDRAWALS = 110;

/** Closes the next ledger, in which nothing that was submitted may fail. */
function close(sim) {
  assert.deepEqual(sim.closeLedger().failed.map(({ label, error }) => `${label}: ${error.message}`), []);
}

function makePast(sim) {
  const common = { sender: sim.people.treasuries[0], recipient: sim.people.recipients[0], duration: 1n * DAY };
  const stream = (ratePerSecond, deposit, more = {}) =>
    sim.createStream({ ...common, ratePerSecond, depositAmount: deposit * UNITS, ...more });
  numbers.steady = stream(1_157_407n, 10_000n);
  numbers.changed = stream(50_000n, 1_000n);
  numbers.paused = stream(11_574n, 100n, { cliffDelay: 10n });
  numbers.cancelled = stream(1_157_407n, 10_000n);
  close(sim);
  for (let i = 0; i < WITHDRAWALS; i += 1) {
    sim.withdraw(numbers.steady);
    if (i === 40) sim.updateRate(numbers.changed, 80_000n);
    if (i === 60) sim.pause(numbers.paused);
    if (i === 80) sim.cancel(numbers.cancelled);
    close(sim);
  }
}

before(async () => {
  ({ browser, stack } = await startDemo('stream page', makePast));
});

const hashOf = (id) => `#/streams/${id}`;

/** A stream's page, in a page that has read the log as far as it goes. */
async function openStream(id, options = {}) {
  const demo = await (await DemoPage.open(browser, stack.baseUrl, { path: `/demo/${hashOf(id)}`, ...options })).live();
  await demo.caughtUp(stack);
  await demo.page.locator('.stream-page[data-state=stream]').waitFor();
  return demo;
}

/** Another stream's page, in the same page. */
async function goTo(demo, id) {
  await demo.page.evaluate((hash) => { location.hash = hash; }, hashOf(id));
  await demo.page.locator('.stream-id').getByText(id, { exact: true }).waitFor();
  await demo.page.locator('.stream-page[data-state=stream] [data-amount=streamed][data-exact]').waitFor();
}

const press = (demo, name) => demo.page.getByRole('button', { name, exact: true }).click();
/** What a stream of the contract has stored. */
const stored = (number) => stack.sim.contractStorage().find(({ streamId }) => streamId === number);
const positions = ({ page }) =>
  page.locator('.history > li').evaluateAll((items) => items.map(({ dataset }) => parseInt(dataset.seq, 10)));
const api = (id, more = '') => stack.get(`/api/streams/${id}${more}`);

/** Waits for the browser's verdict: how it came out, and what it says. */
async function verdict(demo, button = 'Verify') {
  await press(demo, button);
  const headline = demo.page.locator(`.verdict:nth-of-type(${button === 'Verify' ? 2 : 3}) .headline`);
  await headline.waitFor();
  return { outcome: await headline.getAttribute('data-outcome'), text: await headline.textContent() };
}

/** The amounts that the curve is read at, and the second. */
function reading({ page }) {
  return page.locator('.readings').evaluate((list) => {
    const found = ['streamed', 'withdrawable', 'paid'].map((name) => [name, list.querySelector(`[data-reading=${name}]`)]);
    const texts = found.map(([name, { textContent }]) => [name, textContent.replaceAll(',', '')]);
    return { ...Object.fromEntries(texts), at: found[0][1].dataset.at };
  });
}

test('the figures are what the contract owes, to the second', async () => {
  const demo = await openStream(stack.streamId(numbers.steady));
  for (const number of Object.values(numbers)) {
    await goTo(demo, stack.streamId(number));
    const shown = await demo.page.evaluate(() => Object.fromEntries(['streamed', 'withdrawable', 'remaining']
      .map((name) => [name, { ...document.querySelector(`[data-amount=${name}]`).dataset }])));
    const stream = stored(number);
    const expected = expectedAmounts(stream, parseInt(shown.streamed.at, 10));
    assert.equal(shown.streamed.exact, decimal(expected.streamed));
    assert.equal(shown.withdrawable.exact, decimal(expected.withdrawable));
    const isCancelled = number === numbers.cancelled;
    const whole = isCancelled ? expected.streamed : stream.depositAmount;
    assert.equal(shown.remaining.exact, decimal(whole - stream.withdrawnAmount));
  }
  await demo.close();
});

test('the curve is read at any second of the past and the future, by keyboard and by pointer', async () => {
  const number = numbers.changed;
  const id = stack.streamId(number);
  const demo = await openStream(id);
  const { startTime, endTime, asOf } = await api(id);
  const slider = demo.page.getByRole('slider', { name: 'Time on the curve' });
  await slider.focus();
  const expectServer = async () => {
    const { at, streamed, withdrawable, paid } = await reading(demo);
    const server = await api(id, `?at=${at}`);
    assert.deepEqual({ streamed, withdrawable, paid },
      { streamed: server.streamedAmount, withdrawable: server.withdrawableAmount, paid: server.withdrawnAmount });
    assert.equal(await slider.getAttribute('aria-valuenow'), at);
    return parseInt(at, 10);
  };

  await demo.page.keyboard.press('End');
  assert.equal(await expectServer(), endTime);
  await demo.page.keyboard.press('ArrowLeft');
  assert.equal(await expectServer(), endTime - Math.floor((endTime - startTime) / 200));
  // Before the change of the rate the terms were others.
  await demo.page.keyboard.press('Home');
  for (let i = 0; i < 7; i += 1) await demo.page.keyboard.press('Shift+ArrowRight');
  assert.equal(await expectServer(), startTime + 7);
  assert.match(await slider.getAttribute('aria-valuetext'), /UTC: [0-9.,]+ streamed, [0-9.,]+ withdrawable$/);
  await demo.page.keyboard.press('Escape');
  assert.ok((await reading(demo)).at >= String(asOf));

  // What has happened, with all the room for it.
  await press(demo, 'Until now');
  await slider.focus();
  await demo.page.keyboard.press('End');
  assert.ok(await expectServer() < endTime);
  await press(demo, 'Until now');
  await slider.blur();
  const box = await slider.boundingBox();
  await demo.page.mouse.move(box.x + box.width * 0.75, box.y + 40);
  const middle = await expectServer();
  assert.ok(Math.abs(middle - (startTime + (endTime - startTime) * 0.75)) <= (endTime - startTime) / 100);
  await demo.page.mouse.move(box.x + 40, box.y - 200);
  assert.equal(await demo.page.locator('.readings dt').first().textContent(), 'Now');
  await demo.close();
});

test('the history has every entry: the newest, all of them when asked for, new ones by themselves', async () => {
  const id = stack.streamId(numbers.steady);
  const demo = await openStream(id);
  const all = (await api(id, '/events?limit=1000')).events.map(({ seq }) => seq).reverse();
  assert.ok(all.length > WITHDRAWALS);
  assert.deepEqual(await positions(demo), all.slice(0, 12));
  await press(demo, 'Show more');
  assert.deepEqual(await positions(demo), all.slice(0, 100));
  await press(demo, 'Load the earlier ones');
  await demo.page.getByRole('button', { name: 'Load the earlier ones' }).waitFor({ state: 'hidden' });
  await demo.page.locator('.stream-history .how').waitFor({ state: 'hidden' });
  await press(demo, 'Show more');
  assert.deepEqual(await positions(demo), all);

  stack.sim.withdraw(numbers.steady);
  close(stack.sim);
  await stack.settle();
  await demo.caughtUp(stack);
  const newest = (await api(id, '/events?limit=1000')).events.map(({ seq }) => seq).reverse();
  assert.ok(newest.length > all.length);
  assert.deepEqual(await positions(demo), newest);
  await demo.close();
});

/** The text of the element that has the focus. */
const focused = ({ page }) => page.evaluate(() => document.activeElement.textContent);
const buttonsOf = ({ page }) => page.locator('.stream-history .actions:not(.push) button:visible').allTextContents();

test('a history that can’t be read says so until it is read again, also when new entries come', async () => {
  const id = stack.streamId(numbers.steady);
  let isBroken = true;
  const demo = await DemoPage.open(browser, stack.baseUrl, { path: `/demo/${hashOf(id)}`,
    prepare: (context) => context.route(/[/]api[/]events[?]streamId=/, (route) =>
      (isBroken ? route.fulfill({ status: 500, json: { detail: 'Broken.' } }) : route.continue())) });
  const note = demo.page.locator('.stream-history .how');
  await note.getByText('Broken.').waitFor();
  stack.sim.withdraw(numbers.steady);
  close(stack.sim);
  await stack.settle();
  await demo.caughtUp(stack);
  assert.equal((await positions(demo)).length, 1);
  assert.equal(await note.textContent(), 'Broken.');
  assert.deepEqual(await buttonsOf(demo), ['Try again']);

  isBroken = false;
  await demo.page.getByRole('button', { name: 'Try again' }).focus();
  await demo.page.keyboard.press('Enter');
  await note.waitFor({ state: 'hidden' });
  assert.equal((await positions(demo)).length, 12);
  // The button is gone; the focus went to the list.
  assert.equal(await demo.page.evaluate(() => document.activeElement.className), 'history');
  await demo.page.getByRole('button', { name: 'Show more' }).focus();
  await demo.page.keyboard.press('Enter');
  assert.equal(await focused(demo), 'Load the earlier ones');
  await demo.close({ expected: /500/ });
});

/** The browser's verdict on a stream is that all is as the service says, and it has looked at all of it. */
async function assertVerified(demo, id) {
  assert.deepEqual(await verdict(demo),
    { outcome: 'equal', text: 'Your browser and the service agree on every digit.' });
  const { events } = await api(id, '/events?limit=1000');
  const said = await demo.page.locator('.verdict .how').first().textContent();
  const entries = `${events.length} ${events.length === 1 ? 'entry' : 'entries'}`;
  assert.ok(said.startsWith(`${entries} folded, from ${events[0].cursor} to ${events.at(-1).cursor}`), said);
  for (const name of Object.keys(await api(id))) {
    assert.equal(await demo.page.locator(`[data-member=${name}][data-equal=yes]`).count(), 1, name);
  }
  return said;
}

test('the browser folds the history again and finds what the service says', async () => {
  const demo = await openStream(stack.streamId(numbers.paused));
  for (const number of Object.values(numbers)) {
    await goTo(demo, stack.streamId(number));
    await assertVerified(demo, stack.streamId(number));
  }
  await demo.page.getByRole('button', { name: 'Verify', exact: true }).focus();
  await demo.page.keyboard.press('Enter');
  await demo.page.locator('.headline').waitFor();
  assert.equal(await focused(demo), 'Verify');
  await demo.close();
});

/** A stream's page whose answers of one kind pass through `change`. */
async function openThrough(id, path, change) {
  const demo = await openStream(id);
  await demo.page.route((url) => url.pathname === `/api/streams/${id}${path}`, async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    change(json);
    await route.fulfill({ response: answer, json });
  });
  return demo;
}

/** The next decimal: one base unit more. */
const plusOne = (text) => decimal(BigInt(text.replace('.', '')) + 1n);

const marked = (demo, name) => demo.page.locator(`[data-member=${name}][data-equal=no] mark`).allTextContents();

test('a wrong digit in the service’s answer is found and shown', async () => {
  let wrong = '';
  const demo = await openThrough(stack.streamId(numbers.steady), '', (stream) => {
    wrong = plusOne(stream.withdrawnAmount);
    stream.withdrawnAmount = wrong;
  });
  assert.deepEqual(await verdict(demo), { outcome: 'different', text: 'They don’t agree: withdrawnAmount.' });
  const [ours, theirs] = await marked(demo, 'withdrawnAmount');
  assert.equal(theirs, wrong.slice(-theirs.length));
  assert.notEqual(ours, theirs);
  await checkAccessible(demo);
  await demo.close();
});

test('a wrong digit in one entry of the history is found, and its position named', async () => {
  let seq = 0;
  const demo = await openThrough(stack.streamId(numbers.steady), '/events', ({ events }) => {
    const entry = events[5];
    seq = entry.seq;
    entry.stream.withdrawnAmount = plusOne(entry.stream.withdrawnAmount);
  });
  assert.deepEqual(await verdict(demo),
    { outcome: 'different', text: 'The streams agree, but an entry of the history shows something else.' });
  assert.match(await demo.page.locator(`[data-entry="${seq}"]`).textContent(), /another withdrawnAmount than the fold makes/);
  await demo.close();
});

test('an entry that was altered, or left out, leads to another stream', async () => {
  const id = stack.streamId(numbers.steady);
  // Behind what was read from storage, which would set right what is wrong before it.
  stack.sim.withdraw(numbers.steady);
  close(stack.sim);
  await stack.settle();
  const altered = await openThrough(id, '/events', ({ events }) => {
    assert.equal(events.at(-1).kind, 'withdrew');
    events.at(-1).xdr = events[0].xdr;
    for (const entry of events) entry.stream = null;
  });
  assert.deepEqual((await verdict(altered)).outcome, 'different');
  assert.ok((await marked(altered, 'withdrawnAmount')).length > 0);
  await altered.close();
  const missing = await openThrough(id, '/events', ({ events }) => { events.splice(6, 1); });
  assert.match((await verdict(missing)).text, /none that can be read: .*ARGUMENT_INVALID/);
  await missing.close();
});

test('what can’t be checked is said to be so', async () => {
  const id = stack.streamId(numbers.steady);
  const gap = { outcome: 'gap', gap: { from: 1, to: 9 } };
  const pruned = await openThrough(id, '/events', (page) => { page.resume = gap; });
  assert.deepEqual(await verdict(pruned), { outcome: 'unknown',
    text: 'The history can’t be folded from its beginning any more. Log positions 1 to 9 were pruned.' });
  await pruned.close();
  const demo = await openStream(id);
  await demo.context.setOffline(true);
  assert.deepEqual(await verdict(demo),
    { outcome: 'unknown', text: 'It couldn’t be checked. The service can’t be reached.' });
  await demo.context.setOffline(false);
  await demo.close({ expected: /ERR_INTERNET_DISCONNECTED/ });
});

test('the contract’s own entry is compared, and a wrong digit of ours shown', async () => {
  const id = stack.streamId(numbers.changed);
  const demo = await openStream(id);
  assert.deepEqual(await verdict(demo, 'Compare with the contract'),
    { outcome: 'equal', text: 'The contract holds the same, digit by digit.' });
  const shown = await demo.page.locator('[data-member=depositAmount] .digits').last().textContent();
  assert.equal(shown, decimal(stored(numbers.changed).depositAmount));
  await demo.close();
  const altered = await openThrough(id, '/proof', ({ stream }) => {
    stream.depositAmount = plusOne(stream.depositAmount);
  });
  assert.deepEqual(await verdict(altered, 'Compare with the contract'),
    { outcome: 'different', text: 'They don’t agree: depositAmount.' });
  await altered.close();
});

test('a change of the contract that isn’t indexed yet is no difference, and one that was missed is', async () => {
  const compare = async (change) => {
    const demo = await openThrough(stack.streamId(numbers.changed), '/proof', (proof) => {
      proof.stream.depositAmount = plusOne(proof.stream.depositAmount);
      change(proof);
    });
    const { outcome, text } = await verdict(demo, 'Compare with the contract');
    await demo.close();
    return [outcome, text];
  };
  assert.deepEqual(await compare(({ entry }) => { entry.lastModifiedLedger = 4_000_000_000; }),
    ['unknown', 'The contract changed this stream in ledger 4,000,000,000, which isn’t indexed yet.']);
  assert.deepEqual(await compare(({ stream }) => { stream.ledger -= 1; }),
    ['different', 'They don’t agree: depositAmount.']);
});

test('what a reorg takes back is marked, and the history still folds to what the service says', async () => {
  const id = stack.streamId(numbers.steady);
  const demo = await openStream(id);
  stack.sim.withdraw(numbers.steady);
  close(stack.sim);
  await stack.settle();
  await demo.caughtUp(stack);
  const [withdrawal] = await positions(demo);
  stack.sim.fork(2, { content: 'empty' });
  await stack.settle();
  await demo.caughtUp(stack);
  await demo.page.locator(`.history > li[data-seq="${withdrawal}"][data-retracted]`).waitFor();
  await demo.page.locator('.history > li[data-event="stream.retracted"]').first().waitFor();
  assert.equal((await verdict(demo)).outcome, 'equal');
  assert.match(await demo.page.locator('.verdict .how').first().textContent(), /; [0-9]+ retractions? among them/);
  await demo.close();
});

test('a stream whose creation is taken back is gone before the eyes, and a link leads on', async () => {
  const { people } = stack.sim;
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0], duration: DAY,
    ratePerSecond: 10_000n, depositAmount: 100n * UNITS });
  close(stack.sim);
  await stack.settle();
  const demo = await openStream(stack.streamId(number));
  stack.sim.fork(2, { content: 'empty' });
  await stack.settle();
  await demo.page.getByRole('heading', { name: 'This stream isn’t there any more' }).waitFor();
  await demo.page.getByRole('link', { name: 'See all streams' }).waitFor();
  await demo.close();
});

test('a stream that was made after the connection was cut can’t be read until it is back', async () => {
  const { people } = stack.sim;
  const demo = await openStream(stack.streamId(numbers.steady));
  await demo.page.evaluate(() => { location.hash = '#/feed'; });
  await press(demo, 'Cut the connection');
  await demo.phase('cut');
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0], duration: DAY,
    ratePerSecond: 10_000n, depositAmount: 100n * UNITS });
  close(stack.sim);
  await stack.settle();
  await demo.page.evaluate((hash) => { location.hash = hash; }, hashOf(stack.streamId(number)));
  await demo.page.getByRole('heading', { name: 'The stream can’t be read right now' }).waitFor();
  await press(demo, 'Try again');
  await demo.page.locator('.stream-page[data-state=stream]').waitFor();
  await demo.close();
});

test('an id of no stream says so, and a link leads on', async () => {
  for (const id of [stack.streamId(4_000), 'nonsense']) {
    const demo = await (await DemoPage.open(browser, stack.baseUrl, { path: `/demo/${hashOf(id)}` })).live();
    await demo.page.getByRole('heading', { name: 'There is no such stream' }).waitFor();
    await checkAccessible(demo);
    await demo.page.getByRole('link', { name: 'See all streams' }).click();
    await demo.page.locator('[role=row][data-id]').first().waitFor();
    await demo.close({ expected: /404/ });
  }
});

test('where the service fails to say whether there is such a stream, it is asked again', async () => {
  const id = stack.streamId(4_000);
  let failures = 0;
  const demo = await DemoPage.open(browser, stack.baseUrl, { path: `/demo/${hashOf(id)}`,
    prepare: (context) => context.route((url) => url.pathname === `/api/streams/${id}`, (route) => {
      if (failures > 0) return route.continue();
      failures += 1;
      return route.fulfill({ status: 500, json: {} });
    }) });
  await demo.page.getByRole('heading', { name: 'There is no such stream' }).waitFor();
  assert.equal(failures, 1);
  await demo.close({ expected: /500|404/ });
});

/** A file that a button gives. */
async function download(demo, name) {
  const [file] = await Promise.all([demo.page.waitForEvent('download'), press(demo, name)]);
  return { name: file.suggestedFilename(), content: readFileSync(await file.path()) };
}

test('the curve and the history can be saved: exact points, all entries, a picture', async () => {
  const id = stack.streamId(numbers.changed);
  const demo = await openStream(id);
  await demo.page.locator('.history > li').first().waitFor();
  const points = await download(demo, 'Curve as CSV');
  assert.equal(points.name, `fluxora-curve-${id}.csv`);
  const [names, ...rows] = points.content.toString().trim().split('\r\n').map((line) => line.split(','));
  assert.equal(names[0], 'time');
  assert.ok(rows.length > 100);
  for (const row of [rows[0], rows[50], rows.at(-1)]) {
    const { status, streamedAmount, withdrawableAmount, withdrawnAmount } = await api(id, `?at=${row[0]}`);
    assert.deepEqual(row.slice(1), [status, streamedAmount, withdrawableAmount, withdrawnAmount]);
  }
  const history = await download(demo, 'History as CSV');
  const { events } = await api(id, '/events?limit=1000');
  const lines = history.content.toString().trim().split('\r\n').slice(1);
  assert.deepEqual(lines.map((line) => parseInt(line, 10)), events.map(({ seq }) => seq));
  const picture = await download(demo, 'Curve as PNG');
  assert.equal(picture.name, `fluxora-curve-${id}.png`);
  assert.equal(picture.content.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([picture.content.readUInt32BE(16), picture.content.readUInt32BE(20)], [1200, 600]);
  await demo.close();
});

test('the curve takes the theme’s colours, also where that changes', async () => {
  const demo = await openStream(stack.streamId(numbers.changed), { colorScheme: 'light' });
  const drawn = () => demo.page.locator('.plot canvas').evaluate((canvas) => canvas.toDataURL());
  const light = await drawn();
  await demo.page.emulateMedia({ colorScheme: 'dark' });
  await waitFor(async () => await drawn() !== light, { what: 'other colours' });
  await demo.page.setViewportSize({ width: 390, height: 844 });
  await waitFor(async () => await demo.page.locator('.plot canvas').evaluate((canvas) => canvas.clientWidth) < 390,
    { what: 'a narrower curve' });
  await demo.close();
});

test('who asked for less motion sees exact amounts only', async () => {
  const demo = await openStream(stack.streamId(numbers.steady), { reducedMotion: 'reduce' });
  const samples = await demo.page.evaluate(() => new Promise((done) => {
    const seen = [];
    const look = () => {
      const amount = document.querySelector('[data-amount=streamed]');
      seen.push([amount.dataset.exact, amount.querySelector('.eye').textContent.replaceAll(',', '')]);
      if (new Set(seen.map(([exact]) => exact)).size < 3) requestAnimationFrame(look);
      else done(seen);
    };
    requestAnimationFrame(look);
  }));
  for (const [exact, shown] of samples) assert.equal(shown, exact);
  await demo.close();
});

test('it looks well, and axe finds nothing', async () => {
  await keepScreenshots(browser, stack.baseUrl, hashOf(stack.streamId(numbers.changed)), 'stream', async (demo) => {
    await demo.page.locator('.history > li').first().waitFor();
    assert.equal((await verdict(demo)).outcome, 'equal');
    assert.equal((await verdict(demo, 'Compare with the contract')).outcome, 'equal');
    await press(demo, 'Until now');
    await demo.page.evaluate(() => scrollTo(0, 0));
  });
});

/** A delegation: half of a stream becomes one of its own. */
function delegate(parent, child) {
  const { contractId, people } = stack.sim;
  const value = struct({
    child_rate: i128(5_000n),
    child_stream_id: u64(child),
    delegatee: address(people.recipients[1]),
    delegator: address(people.recipients[0]),
    new_parent_rate: i128(5_000n),
    parent_stream_id: u64(parent),
    share_bps: u32(5_000),
  });
  const topics = [symbol('del_share'), u64(parent)].map((topic) => topic.toXDR('base64'));
  stack.sim.appendEvents([{ contractId, topics, value: value.toXDR('base64') }]);
}

test('a stream that was split off another is folded from its parent’s history', async () => {
  const child = 1_000n;
  const { people } = stack.sim;
  const parent = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0], duration: DAY,
    ratePerSecond: 10_000n, depositAmount: 100n * UNITS });
  close(stack.sim);
  delegate(parent, child);
  // The simulator's contract has no such call, so what is expected of it can't be kept from here on.
  close(stack.sim);
  close(stack.sim);
  await stack.waitForLedger();
  const demo = await openStream(stack.streamId(child));
  assert.match(await assertVerified(demo, stack.streamId(child)), /; [0-9]+ entries of the stream it was split off/);
  await demo.close();
});

test('a stream of the API is folded too', async () => {
  // Its times are the server's clock's, years ahead of the simulated chain's: no test may come after it.
  const { json: created } = await create(stack.baseUrl);
  assert.equal((await setStatus(stack.baseUrl, created.id, 'paused')).status, 200);
  const demo = await openStream(created.id);
  await assertVerified(demo, created.id);
  await demo.close();
});
