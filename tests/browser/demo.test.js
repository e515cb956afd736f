// The demo page against the real server: what it shows is what the contract owes, to the second.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';

import { startStack } from '../integration/harness/stack.js';
import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { DemoPage, startChromium } from './chromium.js';
import { decimal, expectedAmounts } from './expected_amounts.js';

const DEMO_ROOT = process.env.FLUXORA_DEMO ?? `${PROJECT_ROOT}/build/wasm/demo`;
const UNITS = 10_000_000n;
const DAY = 86_400n;

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
  [browser, stack] = await Promise.all([
    startChromium(),
    startStack({
      simulator: { seed: 'demo page', closeEveryMs: 0 },
      server: { env: { DEMO_ROOT } },
      prepare: makePast,
    }),
  ]);
  await stack.settle();
});

/** The contract's stored streams by the ids that the page has. */
function stored() {
  return new Map(stack.sim.contractStorage().map((stream) => [stack.streamId(stream.streamId), stream]));
}

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

/** Waits until the page has read the log as far as it goes. */
async function caughtUp(demo) {
  const { cursor } = await stack.head();
  await waitFor(async () => await demo.page.textContent('#cursor') === cursor, { what: `the page to reach ${cursor}` });
  // The figures of what has just come are on the page a frame later.
  await demo.page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
}

test('every stream of the contract is shown, exact at its second', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  await caughtUp(demo);
  await assertExact(demo);
  const statuses = await demo.page.locator('#streams .status').allTextContents();
  assert.deepEqual(statuses.sort(), ['active', 'active', 'active', 'cancelled', 'paused', 'scheduled']);
  assert.match(String(await demo.page.textContent('#indexer')), /Indexer healthy/);
  await demo.close();
});

test('between seconds a balance grows from one exact amount to the next, and never past it', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const id = stack.streamId(1);
  const samples = await demo.page.evaluate((stream) => new Promise((done) => {
    const seen = [];
    const look = () => {
      const cell = document.querySelector(`tr[data-id="${stream}"] td.moving`);
      seen.push({ at: Number(cell.dataset.at), exact: cell.dataset.exact,
        moving: cell.querySelector('.eye').textContent.replaceAll(',', '') });
      const seconds = new Set(seen.map(({ at }) => at)).size;
      const figures = new Set(seen.map(({ moving }) => moving)).size;
      if (seconds < 4 || figures < 20) requestAnimationFrame(look);
      else done(seen);
    };
    requestAnimationFrame(look);
  }), id);
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

test('the picked stream’s figures are exact too, and its curve marks now', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const id = stack.streamId(0);
  await demo.row(id).locator('button').click();
  await demo.page.waitForFunction((stream) => document.querySelector('.stream-id').textContent === stream, id);
  const shown = await demo.page.evaluate(() => Object.fromEntries(['streamed', 'withdrawable', 'remaining']
    .map((name) => [name, { ...document.querySelector(`[data-amount=${name}]`).dataset }])));
  const stream = stored().get(id);
  const expected = expectedAmounts(stream, Number(shown.streamed.at));
  assert.equal(shown.streamed.exact, decimal(expected.streamed));
  assert.equal(shown.withdrawable.exact, decimal(expected.withdrawable));
  assert.equal(shown.remaining.exact, decimal(stream.depositAmount - stream.withdrawnAmount));
  assert.match(await demo.page.getAttribute('.plot', 'aria-label'), /^Accrual from .+ streamed$/);
  assert.equal(await demo.page.locator('.mark.now').isVisible(), true);
  assert.ok(await demo.page.locator('.plot path.past').getAttribute('d'));
  await demo.close();
});

test('a new stream appears by itself', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const [treasury] = stack.sim.people.treasuries;
  const number = stack.sim.createStream({ sender: treasury, recipient: stack.sim.people.recipients[1],
    ratePerSecond: 321n, depositAmount: 1_000n * UNITS, duration: DAY });
  close(stack.sim);
  await stack.settle();
  await demo.row(stack.streamId(number)).waitFor();
  await caughtUp(demo);
  await assertExact(demo);
  assert.equal(await demo.page.locator('#streams tbody tr').first().getAttribute('data-id'), stack.streamId(number));
  await demo.close();
});

test('after a disconnection, resuming from the cursor misses nothing and repeats nothing', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  await caughtUp(demo);
  await demo.page.click('#disconnect');
  await demo.page.waitForSelector('#connection[data-phase=stopped]');
  const from = await stack.head();

  const { sim } = stack;
  const created = sim.createStream({ sender: sim.people.treasuries[1], recipient: sim.people.recipients[0],
    ratePerSecond: 77n, depositAmount: 500n * UNITS, duration: DAY });
  sim.withdraw(0n);
  close(sim);
  sim.updateRate(0n, 20_000n);
  sim.pause(1n);
  close(sim);
  await stack.settle();
  const to = await stack.head();
  assert.ok(to.seq >= from.seq + 4, `only ${to.seq - from.seq} entries to miss`);
  assert.equal(await demo.row(stack.streamId(created)).count(), 0);
  assert.equal(await demo.page.textContent('#cursor'), from.cursor);

  await demo.page.click('#resume');
  await caughtUp(demo);
  await assertExact(demo);
  const listed = await demo.listedSeqs();
  const newest = Array.from({ length: listed.length }, (_, i) => to.seq - i);
  assert.deepEqual(listed, newest);
  await demo.close();
});

test('a page comes back by itself after the server was away, with what happened meanwhile', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const port = String(stack.server.port);
  await stack.server.kill9();
  await demo.page.waitForSelector('#connection[data-phase=reconnecting]');
  stack.sim.withdraw(0n);
  close(stack.sim);
  await stack.server.restart({ PORT: port });
  await stack.settle();
  await demo.page.waitForSelector('#connection[data-phase=live]');
  await caughtUp(demo);
  await assertExact(demo);
  await demo.close({ expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection/ });
});

/** A page whose socket passes through a test: `change` gives the messages that it gets for one of the server's. */
async function openThrough(change) {
  const context = await browser.newContext();
  let connections = 0;
  await context.routeWebSocket(/\/ws\/streams$/, (socket) => {
    connections += 1;
    const connection = connections;
    const server = socket.connectToServer();
    server.onMessage((text) => {
      for (const message of change(JSON.parse(String(text)), connection)) socket.send(JSON.stringify(message));
    });
  });
  const demo = new DemoPage(context, await context.newPage(), stack.baseUrl);
  await demo.page.goto(`${stack.baseUrl}/demo/`);
  return { demo, connections: () => connections };
}

for (const resume of ['gap', 'epoch_changed']) {
  test(`on ${resume} the page reads its state again and goes on`, async () => {
    // The first answer to a subscription, and nothing after it on that connection.
    const { demo, connections } = await openThrough((message, connection) => {
      if (connection > 1) return [message];
      return message.type === 'subscribed' ? [{ ...message, resume }] : [];
    });
    await demo.live();
    assert.equal(connections(), 2);
    stack.sim.withdraw(0n);
    close(stack.sim);
    await stack.settle();
    await caughtUp(demo);
    await assertExact(demo);
    await demo.close();
  });
}

test('an entry that comes twice, or late, counts once', async () => {
  const late = [];
  const { demo } = await openThrough((message) => {
    if (message.type !== 'stream_update') return [message];
    late.push(message);
    return [message, ...late.toReversed()];
  });
  await demo.live();
  for (let i = 0; i < 3; i += 1) {
    stack.sim.withdraw(0n);
    close(stack.sim);
    await stack.settle();
  }
  await caughtUp(demo);
  assert.ok(late.length >= 3);
  await assertExact(demo);
  const listed = await demo.listedSeqs();
  assert.deepEqual(listed, [...new Set(listed)].sort((a, b) => b - a));
  await demo.close();
});

test('trouble with the chain is said, and taken back', async () => {
  const { demo } = await openThrough((message) => (message.type !== 'subscribed' ? [message] : [message,
    { type: 'service', event: 'service.degraded', reason: 'the RPC does not answer', timestamp: '' }]));
  await demo.live();
  await demo.page.locator('#degraded', { hasText: 'the RPC does not answer' }).waitFor();
  // The next look at a healthy service ends it.
  await demo.page.locator('#degraded').waitFor({ state: 'hidden' });
  await demo.close();
});

test('nothing scrolls sideways on a telephone, a tablet or a desk', async () => {
  for (const [width, height] of [[390, 844], [820, 1180], [1440, 900]]) {
    const demo = await (await DemoPage.open(browser, stack.baseUrl, { viewport: { width, height } })).live();
    await caughtUp(demo);
    const reach = await demo.page.evaluate(() => {
      scrollTo(10_000, 0);
      return { scrolled: scrollX, wide: document.documentElement.scrollWidth };
    });
    assert.deepEqual({ width, ...reach }, { width, scrolled: 0, wide: width });
    await demo.close();
  }
});

test('the table works by keyboard: one stop, arrows between rows, enter picks', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const ids = await demo.page.locator('#streams tbody tr').evaluateAll((rows) => rows.map(({ dataset }) => dataset.id));
  const focused = () => demo.page.evaluate(() => {
    const { activeElement } = document;
    return { id: activeElement.closest('tr')?.dataset.id, ring: getComputedStyle(activeElement).outlineStyle };
  });
  await demo.page.focus('#find');
  await demo.page.keyboard.press('Tab');
  while ((await focused()).id === undefined) await demo.page.keyboard.press('Tab');
  assert.deepEqual(await focused(), { id: ids[0], ring: 'solid' });
  await demo.page.keyboard.press('ArrowDown');
  await demo.page.keyboard.press('ArrowDown');
  assert.equal((await focused()).id, ids[2]);
  await demo.page.keyboard.press('Enter');
  await demo.page.waitForFunction((id) => document.querySelector('.stream-id').textContent === id, ids[2]);
  assert.equal(await demo.row(ids[2]).locator('button').getAttribute('aria-pressed'), 'true');
  assert.equal((await focused()).id, ids[2]);
  await demo.page.keyboard.press('End');
  assert.equal((await focused()).id, ids.at(-1));
  await demo.page.keyboard.press('Home');
  assert.equal((await focused()).id, ids[0]);
  await demo.close();
});

test('finding narrows the table to a stream or an address', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl)).live();
  await demo.page.fill('#find', stack.streamId(2).toLowerCase());
  await waitFor(async () => await demo.page.locator('#streams tbody tr:visible').count() === 1, { what: 'one row' });
  await demo.page.fill('#find', 'no such thing');
  await demo.page.locator('#none-found').waitFor();
  await demo.close();
});

test('who asked for less motion sees exact amounts only, once a second', async () => {
  const demo = await (await DemoPage.open(browser, stack.baseUrl, { reducedMotion: 'reduce' })).live();
  const samples = await demo.page.evaluate((stream) => new Promise((done) => {
    const seen = [];
    const look = () => {
      const cell = document.querySelector(`tr[data-id="${stream}"] td.moving`);
      seen.push([cell.dataset.exact, cell.querySelector('.eye').textContent.replaceAll(',', '')]);
      if (new Set(seen.map(([exact]) => exact)).size < 3) requestAnimationFrame(look);
      else done(seen);
    };
    requestAnimationFrame(look);
  }), stack.streamId(1));
  for (const [exact, shown] of samples) assert.equal(shown, exact);
  await demo.close();
});

describe('accessibility', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const width of [390, 1440]) {
      test(`axe finds nothing serious in ${colorScheme} at ${width} px`, async () => {
        const demo = await (await DemoPage.open(browser, stack.baseUrl,
          { colorScheme, viewport: { width, height: 900 } })).live();
        await caughtUp(demo);
        await demo.page.evaluate(axe);
        const { violations, passes } = await demo.page.evaluate(() => window.axe.run(document));
        assert.ok(passes.length > 10, 'axe looked at next to nothing');
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        const told = serious.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));
        assert.deepEqual(told, []);
        await demo.close();
      });
    }
  }
});

test('with no stream there is a friendly page, and the first one ends it', async () => {
  const empty = await startStack({ simulator: { seed: 'empty', closeEveryMs: 0 }, server: { env: { DEMO_ROOT } } });
  const demo = await DemoPage.open(browser, empty.baseUrl);
  await demo.page.waitForSelector('body[data-state=empty] #connection[data-phase=live]');
  assert.equal(await demo.page.locator('#empty').isVisible(), true);
  assert.equal(await demo.page.locator('#content').isVisible(), false);
  const { people } = empty.sim;
  const number = empty.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0],
    ratePerSecond: 1n, depositAmount: UNITS, duration: DAY });
  close(empty.sim);
  await empty.settle();
  await demo.row(empty.streamId(number)).waitFor();
  assert.equal(await demo.page.locator('#empty').isVisible(), false);
  await demo.close();
  await empty.stop();
});
