// The System panel: what the service says of itself, what the page measures, and every state that a service can be in.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { waitFor } from '../integration/harness/wait.js';
import { DemoPage, checkAccessible, keepScreenshots, startDemo } from './chromium.js';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  ({ browser, stack } = await startDemo('system', (sim) => sim.runScenario(20, { actionsPerLedger: 2 })));
});

const open = (options) => DemoPage.open(browser, stack.baseUrl, { path: '/demo/#/system', ...options });
const figure = (demo, name) => demo.page.locator(`[data-figure=${name}]`).textContent();
const verdict = (demo, title) => demo.page.locator('[data-verdict]', { hasText: title }).waitFor();

test('it shows what the service says, and follows it', async () => {
  const demo = await (await open()).live();
  await verdict(demo, 'All is well');
  const shows = async (what) => {
    const { indexer } = await stack.health();
    const ledgers = [indexer.lastLedger, indexer.lastSafeLedger].map((ledger) => ledger.toLocaleString('en'));
    const shown = () => Promise.all(['last-ledger', 'safe-ledger'].map((name) => figure(demo, name)));
    await waitFor(async () => String(await shown()) === String(ledgers), { what: `${ledgers} to be shown ${what}` });
  };
  await shows('at first');
  stack.sim.runScenario(3, { actionsPerLedger: 2 });
  await stack.settle();
  await shows('after three ledgers');
  assert.equal(await figure(demo, 'behind'), '0');
  assert.match(await figure(demo, 'since-sync'), /^\d+(\.\d)? m?s$/);
  assert.equal(await figure(demo, 'connections'), '1');
  const other = await (await open()).live();
  await waitFor(async () => await figure(demo, 'connections') === '2', { what: 'the second connection to be shown' });
  await other.close();
  const { dependencies, version } = await stack.health();
  assert.deepEqual(await demo.page.locator('[data-dependency]').evaluateAll((rows) => Object.fromEntries(rows
    .map((row) => [row.dataset.dependency, row.querySelector('[data-state]').dataset.state]))), dependencies);
  assert.equal(await demo.page.getByText(version, { exact: true }).isVisible(), true);
  await demo.close();
});

test('its links lead to what they name', async () => {
  const demo = await open();
  const links = { Health: '/health', Metrics: '/metrics', API: '/docs', OpenAPI: '/openapi.json' };
  for (const [name, path] of Object.entries(links)) {
    const link = demo.page.getByRole('main').getByRole('link', { name, exact: true });
    assert.equal(await link.getAttribute('href'), stack.baseUrl + path);
    assert.equal((await stack.request(path)).status, 200);
  }
  await demo.close();
});

test('what comes with the feed is counted, second for second, and said in words', async () => {
  const demo = await (await open()).live();
  const chart = demo.page.getByRole('img', { name: /^Log entries a second/ });
  await chart.waitFor();
  const from = await stack.head();
  stack.sim.runScenario(4, { actionsPerLedger: 3 });
  await stack.settle();
  await demo.caughtUp(stack);
  const came = (await stack.head()).seq - from.seq;
  assert.ok(came > 4);
  await demo.page.getByText(`${came} entries came with the feed in the last minute.`, { exact: true }).waitFor();
  assert.match(String(await chart.getAttribute('aria-label')), new RegExp(`${came} entries came`));
  assert.equal(await figure(demo, 'entries'), String(came));
  const heights = await chart.locator('rect')
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))));
  assert.ok(heights.some((height) => height > 1), `${heights}`);
  await demo.page.getByRole('img', { name: /^Lag of the indexer.* now, at most/ }).waitFor();
  await demo.close();
});

test('the page’s own figures are those of balances that were drawn', async () => {
  const demo = await (await open()).live();
  assert.equal(await figure(demo, 'frame-rate'), 'none yet');
  await demo.page.getByRole('link', { name: 'Streams', exact: true }).click();
  await demo.page.waitForFunction(() => document.title === 'Streams — Fluxora');
  await demo.page.evaluate(() => new Promise((done) => {
    let frames = 0;
    const count = () => { frames += 1; if (frames < 30) requestAnimationFrame(count); else done(undefined); };
    requestAnimationFrame(count);
  }));
  await demo.page.getByRole('link', { name: 'System', exact: true }).click();
  await waitFor(async () => /^\d/.test(await figure(demo, 'frame-rate')), { what: 'a rate of frames' });
  for (const name of ['frame-median', 'frame-p99']) assert.match(await figure(demo, name), /^\d+(\.\d+)? ms$/);
  assert.equal(await figure(demo, 'streams'), String((await stack.allStreams()).length));
  for (const name of ['files', 'heap']) assert.match(await figure(demo, name), /^\d+(\.\d)? [KM]B$/);
  assert.match(await figure(demo, 'paint'), /^\d+(\.\d)? m?s$/);
  await demo.close();
});

test('the page’s files are counted also where the browser has no more room to list them', async () => {
  const demo = await (await open()).live();
  await waitFor(async () => /^[1-9]\d+ KB$/.test(await figure(demo, 'files')), { what: 'the files to be counted' });
  const before = await figure(demo, 'files');
  await demo.page.evaluate(() => performance.setResourceTimingBufferSize(performance.getEntriesByType('resource').length));
  await demo.page.getByRole('link', { name: 'Amounts', exact: true }).click();
  await demo.page.getByRole('heading', { name: 'Amounts', level: 2 }).waitFor();
  await demo.page.getByRole('link', { name: 'System', exact: true }).click();
  await waitFor(async () => await figure(demo, 'files') !== before, { what: 'the files of another panel to be counted' });
  await demo.close();
});

test('figures that change are not spoken', async () => {
  const demo = await (await open()).live();
  await verdict(demo, 'All is well');
  const looks = [];
  demo.page.on('response', (response) => { if (response.url().endsWith('/health')) looks.push(response); });
  // What was said of the start is over after one look.
  await waitFor(() => looks.length > 1, { what: 'another look' });
  await demo.page.evaluate(() => {
    window.said = [];
    const note = (changes) => window.said.push(...changes.map(({ target }) => target.textContent));
    const options = { childList: true, characterData: true, subtree: true };
    for (const live of document.querySelectorAll('[aria-live], [role=status], [role=alert], output')) {
      new MutationObserver(note).observe(live, options);
    }
  });
  const before = looks.length;
  await waitFor(() => looks.length >= before + 2, { what: 'two more looks' });
  assert.deepEqual(await demo.page.evaluate(() => window.said), []);
  await demo.close();
});

test('a reorg is followed before the eyes, and is over five ledgers later', async () => {
  const demo = await (await open()).live();
  stack.sim.runScenario(2, { actionsPerLedger: 2 });
  await stack.waitForLedger();
  stack.sim.fork(2);
  stack.sim.closeLedger();
  await verdict(demo, 'Following a reorg');
  assert.equal(await demo.page.locator('#indexer').textContent(), 'Reorg followed');
  assert.equal(await demo.page.locator('#trouble').isVisible(), false);
  for (let i = 0; i < 7; i += 1) stack.sim.closeLedger();
  await verdict(demo, 'All is well');
  await demo.close();
});

test('an RPC that fails degrades the service, and is named; so is its recovery', async () => {
  const demo = await (await open()).live();
  stack.sim.faults.add({ kind: 'http', count: 100_000, status: 503 });
  await verdict(demo, 'Degraded');
  await demo.page.locator('[data-dependency=rpc] [data-state=unhealthy]').waitFor();
  assert.match(String(await demo.page.locator('#trouble').textContent()), /RPC server doesn’t answer/);
  stack.sim.faults.clear();
  await verdict(demo, 'All is well');
  await demo.page.locator('#trouble').waitFor({ state: 'hidden' });
  await demo.close();
});

test('a service that is gone is unreachable, and its last answer stays, until it is back', async () => {
  const demo = await (await open()).live();
  await verdict(demo, 'All is well');
  const last = await figure(demo, 'last-ledger');
  const PORT = String(stack.server.port);
  await stack.server.kill9();
  await verdict(demo, 'Unreachable');
  assert.equal(await figure(demo, 'last-ledger'), last);
  await checkAccessible(demo);
  await stack.server.restart({ PORT });
  await verdict(demo, 'All is well');
  await demo.live();
  await demo.close({ expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection/ });
});

test('every other state is said, with what it means, for everybody', async () => {
  const states = {
    Stalled(answer) {
      answer.status = 'degraded';
      Object.assign(answer.indexer, {
        status: 'stalled', lagMs: 412_000, clientImpact: 'stale_chain_state', operatorAction: 'page',
        summary: 'No successful sync for longer than the threshold. The RPC doesn’t answer.',
      });
      answer.dependencies.rpc = 'unhealthy';
    },
    Halted(answer) {
      answer.status = 'degraded';
      Object.assign(answer.indexer, { status: 'halted', operatorAction: 'page', summary: 'The network was reset.' });
    },
    'Shutting down'(answer) { answer.status = 'shutting_down'; },
    Starting(answer) {
      Object.assign(answer.indexer, { status: 'starting', summary: 'Starting.', lastLedger: 0, lastSafeLedger: 0 });
    },
    Degraded(answer) {
      answer.status = 'degraded';
      answer.dependencies.redis = 'unhealthy';
    },
  };
  let change = states.Stalled;
  const demo = await open({
    prepare: (context) => context.route(/\/health$/, async (route) => {
      const answer = await (await route.fetch()).json();
      change(answer);
      await route.fulfill({ json: answer });
    }),
  });
  for (const [title, one] of Object.entries(states)) {
    change = one;
    await verdict(demo, title);
    await checkAccessible(demo);
    if (title !== 'Stalled') continue;
    await demo.page.getByText('An operator is needed now.').waitFor();
    await demo.page.getByText('the chain has gone on since').waitFor();
    assert.equal(await figure(demo, 'since-sync'), '6 min 52 s');
  }
  await demo.page.unrouteAll({ behavior: 'wait' });
  await demo.close();
});

test('it looks right at both widths, in both themes', async () => {
  await keepScreenshots(browser, stack.baseUrl, '#/system', 'system', (demo) => verdict(demo, 'All is well'));
});
