// The page as a whole: its start, what it does where it can't start, and that it comes back by itself.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { startStack } from '../integration/harness/stack.js';
import { request } from '../integration/harness/http_client.js';
import { DEMO_ROOT, DemoPage, WIDTHS, checkAccessible, startDemo, throughSocket } from './chromium.js';

const TABLET = { width: 820, height: 1180 };
const PANELS = ['Streams', 'Feed', 'Signatures', 'Amounts', 'System'];
/** What the browser says of a server that is away. */
const AWAY = /ERR_(CONNECTION_REFUSED|EMPTY_RESPONSE|CONNECTION_RESET|INTERNET_DISCONNECTED)|WebSocket connection/;
/** What it, and the page, say of a file that doesn't come. */
const MISSING = /Failed to load resource|Failed to fetch dynamically imported module|WebAssembly|Unable to preload CSS/;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  ({ browser, stack } = await startDemo('page', (sim) => sim.runScenario(20, { actionsPerLedger: 2 })));
});

const open = (options) => DemoPage.open(browser, stack.baseUrl, options);
const heading = (demo, name, level) => demo.page.getByRole('heading', { name, level });

/** Ends the server like a power cut; what comes back listens at the same place. */
async function awayWhile(during) {
  const PORT = String(stack.server.port);
  await stack.server.kill9();
  try {
    await during();
  } finally {
    await stack.server.restart({ PORT });
  }
}

test('each panel opens by keyboard, with its title, its place in the list and the focus', async () => {
  const demo = await (await open()).live();
  assert.match(await demo.page.title(), /^Streams — Fluxora$/);
  assert.equal(await heading(demo, 'Fluxora', 1).count(), 1);
  await demo.page.keyboard.press('Tab');
  assert.equal(await demo.page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  for (const [index, name] of PANELS.entries()) {
    const link = demo.page.getByRole('navigation').getByRole('link', { name, exact: true });
    await link.focus();
    await demo.page.keyboard.press('Enter');
    await demo.page.waitForFunction((title) => document.title === title, `${name} — Fluxora`);
    assert.equal(await link.getAttribute('aria-current'), 'page');
    assert.equal(await demo.page.locator('nav [aria-current]').count(), 1);
    assert.equal(await demo.page.getByRole('main').getAttribute('aria-label'), name);
    if (index > 0) assert.equal(await demo.page.evaluate(() => document.activeElement.id), 'main');
    const headings = demo.page.getByRole('main').getByRole('heading', { level: 2 });
    assert.ok(await headings.count() > 0, `${name} has no heading`);
  }
  await demo.page.goBack();
  await demo.page.waitForFunction(() => document.title === 'Amounts — Fluxora');
  await demo.close();
});

test('an address that names no panel shows the first one', async () => {
  const demo = await (await open({ path: '/demo/#/nothing/of/this%zz' })).live();
  assert.equal(await demo.page.title(), 'Streams — Fluxora');
  await demo.close();
});

test('what every object has is no panel', async () => {
  const demo = await (await open({ path: '/demo/#/constructor' })).live();
  assert.equal(await demo.page.title(), 'Streams — Fluxora');
  await demo.close();
});

test('who skips to the content stays at the panel that is shown', async () => {
  const demo = await (await open({ path: '/demo/#/amounts' })).live();
  await demo.page.waitForFunction(() => document.title === 'Amounts — Fluxora');
  await demo.page.keyboard.press('Tab');
  await demo.page.keyboard.press('Enter');
  await demo.page.waitForFunction(() => document.activeElement.id === 'main');
  await demo.page.keyboard.press('Tab');
  assert.equal(await demo.page.evaluate(() => document.querySelector('main').contains(document.activeElement)), true);
  assert.equal(await demo.page.title(), 'Amounts — Fluxora');
  assert.match(demo.page.url(), /#\/amounts$/);
  await demo.close();
});

for (const viewport of [WIDTHS[0], TABLET, WIDTHS[1]]) {
  test(`nothing scrolls sideways at ${viewport.width} px, and the head takes two lines at most`, async () => {
    const demo = await (await open({ viewport })).live();
    for (const name of PANELS) {
      await demo.page.getByRole('link', { name, exact: true }).first().click();
      await demo.page.waitForFunction((title) => document.title === title, `${name} — Fluxora`);
      await demo.twoFrames();
      const reach = await demo.page.evaluate(() => {
        scrollTo(10_000, 0);
        return { scrolled: scrollX, wide: document.documentElement.scrollWidth };
      });
      assert.deepEqual({ name, ...reach }, { name, scrolled: 0, wide: viewport.width });
    }
    const head = await demo.page.getByRole('banner').boundingBox();
    assert.ok(head.height <= 110, `the head is ${head.height} px high`);
    await demo.close();
  });
}

describe('where it can’t start', () => {
  test('with JavaScript modules blocked the page says so, and where to go', async () => {
    const demo = await open({ prepare: (context) => context.route(/\/assets\/.*\.js$/, (route) => route.abort()) });
    await heading(demo, 'The page hasn’t started', 2).waitFor();
    assert.equal(await demo.page.getByText('It needs JavaScript modules').isVisible(), true);
    assert.equal(await demo.page.getByText('Starting…', { exact: true }).isVisible(), false);
    await checkAccessible(demo);
    await demo.close({ expected: MISSING });
  });

  test('with JavaScript off it says so at once', async () => {
    const demo = await open({ javaScriptEnabled: false });
    await heading(demo, 'The page hasn’t started', 2).waitFor();
    assert.equal(await demo.page.locator('noscript p').isVisible(), true);
    assert.equal(await demo.page.getByRole('navigation').isVisible(), false);
    assert.equal(await demo.page.getByRole('link', { name: 'API' }).first().getAttribute('href'), '../docs');
    await demo.close();
  });

  test('without WebAssembly it says why', async () => {
    const refuse = (route) => route.fulfill({ status: 403, body: 'no' });
    const demo = await open({ prepare: (context) => context.route(/\.wasm$/, refuse) });
    await heading(demo, 'The page hasn’t started', 2).waitFor();
    assert.notEqual(await demo.page.locator('#unstarted-why').textContent(), '');
    assert.equal(await demo.page.getByRole('navigation').isVisible(), false);
    await checkAccessible(demo);
    await demo.close({ expected: /Failed to load resource|The module could not be loaded/ });
  });
});

test('an exception that nobody expected is shown calmly, and not swallowed', async () => {
  const demo = await (await open()).live();
  await demo.page.evaluate(() => { setTimeout(() => { throw new Error('planted by a test'); }); });
  const fault = demo.page.getByText('Something in this page went wrong: planted by a test.');
  await fault.locator('visible=true').first().waitFor();
  assert.equal(await demo.page.getByRole('button', { name: 'Load the page again' }).isVisible(), true);
  await checkAccessible(demo);
  await demo.page.getByRole('button', { name: 'Hide this' }).click();
  assert.equal(await demo.page.getByRole('button', { name: 'Hide this' }).isVisible(), false);
  await demo.page.evaluate(() => { void Promise.reject(new Error('planted too')); });
  await demo.page.getByText('planted too').locator('visible=true').first().waitFor();
  assert.equal(demo.complaints.filter((text) => /planted/.test(text)).length, 2);
  await demo.close({ expected: /planted/ });
});

describe('while the service is away', () => {
  test('the page says so, goes on, and comes back by itself', async () => {
    const demo = await (await open()).live();
    const trouble = demo.page.locator('#trouble');
    await awayWhile(async () => {
      await demo.phase('waiting');
      await trouble.getByText('The service can’t be reached.').waitFor();
      await checkAccessible(demo);
      stack.sim.runScenario(2, { actionsPerLedger: 2 });
    });
    await stack.settle();
    await demo.live();
    await demo.caughtUp(stack);
    await trouble.waitFor({ state: 'hidden' });
    await demo.close({ expected: AWAY });
  });

  test('a device without a network is told apart, and the feed is back as soon as the network is', async () => {
    const demo = await (await open()).live();
    await awayWhile(async () => {
      await demo.context.setOffline(true);
      await demo.page.locator('#trouble').getByText('This device is offline.').waitFor();
    });
    await demo.context.setOffline(false);
    await demo.live();
    await demo.page.locator('#trouble').waitFor({ state: 'hidden' });
    await demo.close({ expected: AWAY });
  });

  test('a part that isn’t loaded yet is loaded when the service is back', async () => {
    const demo = await (await open()).live();
    await awayWhile(async () => {
      await demo.page.getByRole('link', { name: 'System', exact: true }).click();
      await demo.page.locator('[data-state=away]').waitFor();
    });
    await demo.page.waitForFunction(() => document.title === 'System — Fluxora');
    await demo.live();
    await demo.close({ expected: new RegExp(`${AWAY.source}|${MISSING.source}`) });
  });
});

test('after an upgrade, a part of the former version asks for the page to be loaded again', async () => {
  const demo = await (await open()).live();
  const gone = /\/assets\/.*\.(js|css)$/;
  await demo.context.route(gone, (route) => route.fulfill({ status: 404, body: '' }));
  await demo.page.getByRole('link', { name: 'System', exact: true }).click();
  await demo.page.locator('[data-state=replaced]').waitFor();
  assert.equal(await demo.page.title(), 'Not loaded — Fluxora');
  await checkAccessible(demo);
  await demo.context.unroute(gone);
  await demo.page.getByRole('button', { name: 'Load the page again' }).click();
  await demo.page.waitForFunction(() => document.title === 'System — Fluxora');
  await demo.close({ expected: MISSING });
});

test('trouble with the chain is said, and taken back', async () => {
  const notice = { type: 'service', event: 'service.degraded', reason: 'the RPC does not answer', timestamp: '' };
  const demo = await open({
    path: '/demo/#/system',
    prepare: throughSocket((message) => (message.type === 'subscribed' ? [message, notice] : [message])),
  });
  await demo.page.locator('#trouble', { hasText: 'the RPC does not answer' }).waitFor();
  // The next look at a healthy service ends it.
  await demo.page.locator('#trouble').waitFor({ state: 'hidden' });
  await demo.close();
});

test('where something before the service answers for its health, the page does without', async () => {
  const demo = await open({
    prepare: (context) => context.route(/\/health$/, (route) => route.fulfill({ json: { status: 'UP' } })),
  });
  await demo.live();
  await demo.page.getByText('Indexer unknown').waitFor();
  await demo.close();
});

test('with a service that follows no chain and has no stream the page is there, and says so', async () => {
  const empty = await startStack({ simulator: false, server: { env: { DEMO_ROOT } } });
  const demo = await (await DemoPage.open(browser, empty.baseUrl)).live();
  await demo.page.getByText('No indexer').waitFor();
  assert.equal(await demo.page.locator('#trouble').isVisible(), false);
  for (const name of PANELS) {
    await demo.page.getByRole('link', { name, exact: true }).first().click();
    await demo.page.waitForFunction((title) => document.title === title, `${name} — Fluxora`);
    await checkAccessible(demo);
  }
  await demo.close();
  await empty.stop();
});

test('its files come compressed, are kept as long as their names, and carry every security header', async () => {
  const demo = await open();
  const files = new Map();
  demo.page.on('response', async (response) => files.set(new URL(response.url()).pathname, response));
  await demo.page.reload();
  await demo.live();
  const paths = [...files.keys()].filter((path) => path.startsWith('/demo/'));
  for (const kind of [/\/$/, /\.js$/, /\.css$/, /\.wasm$/]) {
    assert.ok(paths.some((path) => kind.test(path)), `${kind} in ${paths}`);
  }
  for (const path of paths) {
    const headers = { 'accept-encoding': 'br, gzip' };
    const answer = await request(stack.baseUrl + path, { headers });
    assert.equal(answer.status, 200, path);
    checkSecurityHeaders(answer.headers, path);
    const kept = path.startsWith('/demo/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    assert.equal(answer.headers['cache-control'], kept, path);
    assert.match(String(answer.headers.etag), /^"[^"]+"$/, path);
    const plain = await request(stack.baseUrl + path);
    assert.equal(plain.headers['content-encoding'], undefined, path);
    if (plain.bytes.length > 1_024) assert.equal(answer.headers['content-encoding'], 'br', path);
    const known = { ...headers, 'if-none-match': String(answer.headers.etag) };
    assert.equal((await request(stack.baseUrl + path, { headers: known })).status, 304, path);
  }
  await demo.close();
});
