// The page of the API's description, as a browser shows it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startStack } from '../integration/harness/stack.js';
import { DemoPage, atEachLook, checkAccessible, startChromium } from './chromium.js';

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  stack = await startStack({ simulator: false });
  browser = await startChromium();
});
after(() => browser.close());

const open = (options) => DemoPage.open(browser, stack.baseUrl, { path: '/docs', ...options });

test('axe finds nothing, and nothing is wider than the page, at both widths and in both themes', async () => {
  await atEachLook(async (options) => {
    const docs = await open(options);
    await checkAccessible(docs);
    await docs.close();
  });
});

test('it is all there without JavaScript, and the keyboard gets to an operation', async () => {
  const docs = await open({ javaScriptEnabled: false });
  await docs.page.keyboard.press('Tab');
  await docs.page.keyboard.press('Enter');
  assert.match(docs.page.url(), /#content$/, 'the first stop skips the list of operations');
  await docs.page.locator('nav a[href="#createStream"]').focus();
  await docs.page.keyboard.press('Enter');
  assert.match(docs.page.url(), /#createStream$/);
  assert.ok(await docs.page.locator('#createStream').isVisible());
  await docs.close();
});
