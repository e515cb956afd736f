// The page of the API's description, as a browser shows it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { startStack } from '../integration/harness/stack.js';
import { DemoPage, startChromium } from './chromium.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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

for (const width of [390, 1440]) {
  describe(`at ${width} px`, () => {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      test(`axe finds nothing in ${colorScheme}, and nothing is wider than the page`, async () => {
        const docs = await open({ colorScheme, viewport: { width, height: 900 } });
        assert.equal(await docs.page.evaluate(() => document.documentElement.scrollWidth), width);
        await docs.page.evaluate(AXE);
        const { violations, passes } = await docs.page.evaluate(() => window.axe.run(document));
        assert.ok(passes.length > 10, 'axe looked at next to nothing');
        assert.deepEqual(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })), []);
        await docs.close();
      });
    }
  });
}

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
