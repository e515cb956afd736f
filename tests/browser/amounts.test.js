// The amounts' panel: float, BigInt and the core beside one another, and what the core says of bad input.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { DemoPage, keepScreenshots, startDemo } from './chromium.js';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  ({ browser, stack } = await startDemo('amounts'));
});

async function openAmounts(options = {}) {
  const demo = await DemoPage.open(browser, stack.baseUrl, { path: '/demo/#/amounts', ...options });
  await demo.page.getByRole('heading', { name: 'Amounts', level: 2 }).waitFor();
  return demo;
}

const card = (demo, name) => demo.page.getByRole('region', { name, exact: true }).first();

/** What the three say somewhere: [text, marked digits] by column. */
function outcomes(place) {
  return place.locator('[data-column]').evaluateAll((cells) => Object.fromEntries(cells.map((cell) => {
    const outcome = cell.querySelector('.outcome').cloneNode(true);
    outcome.querySelector('.visually-hidden')?.remove();
    const marked = [...outcome.querySelectorAll('mark')].map((mark) => mark.textContent).join(' ');
    return [cell.dataset.column, [outcome.textContent, marked]];
  })));
}

test('the same sums, and the digits that aren’t the core’s are marked', async () => {
  const demo = await openAmounts();
  const rows = card(demo, 'The same sums, three ways').getByRole('row');
  assert.deepEqual(await outcomes(rows.nth(1)), {
    float: ['0.30000000000000004', '4'], bigint: ['0.3000000', ''], core: ['0.3000000', ''],
  });
  assert.deepEqual(await outcomes(rows.nth(2)), {
    float: ['1000030.067127198', '127198'], bigint: ['1000030.0672000', ''], core: ['1000030.0672000', ''],
  });
  assert.equal((await outcomes(rows.nth(5))).core[0], 'AMOUNT_OVERFLOW');
  await demo.close();
});

test('a sum of one’s own, rounded as one says', async () => {
  const demo = await openAmounts();
  const own = card(demo, 'Your own');
  const [a, b] = [own.getByLabel('a', { exact: true }), own.getByLabel('b', { exact: true })];
  await a.fill('0.0000005');
  await b.fill('2');
  await own.getByLabel('Operation').selectOption('÷');
  for (const [rounding, figure] of [['half_even', '0.0000002'], ['half_up', '0.0000003'], ['floor', '0.0000002'],
    ['ceiling', '0.0000003']]) {
    await own.getByLabel('Rounding').selectOption(rounding);
    assert.equal((await outcomes(own)).core[0], figure, rounding);
  }
  await b.fill('0');
  assert.deepEqual(await outcomes(own),
    { float: ['Infinity', ''], bigint: ['RangeError', ''], core: ['DIVIDE_BY_ZERO', ''] });
  await b.fill('1e5');
  assert.equal(await b.getAttribute('aria-invalid'), 'true');
  assert.equal((await outcomes(own)).core[0], 'DECIMAL_INVALID_FORMAT');
  await own.getByLabel('Operation').selectOption('+');
  await b.fill('0.1');
  assert.equal(await own.getByLabel('Rounding').isDisabled(), true);
  assert.equal((await outcomes(own)).core[0], '0.1000005');
  await demo.close();
});

test('bad input has its code, the place where it goes wrong, and what it means', async () => {
  const demo = await openAmounts();
  const bad = card(demo, 'Bad input');
  const input = bad.getByLabel('An amount, as it comes in');
  const refusal = bad.locator('.refusal');
  for (const [text, code, mark] of [['1e5', 'DECIMAL_INVALID_FORMAT', 'e'], ['', 'DECIMAL_EMPTY_VALUE', null],
    ['0.00000001', 'DECIMAL_OUT_OF_RANGE', null], [' 1', 'DECIMAL_INVALID_FORMAT', '␣'],
    ['1,000.00', 'DECIMAL_INVALID_FORMAT', ',']]) {
    await input.fill(text);
    assert.equal(await refusal.locator('.refusal-code').textContent(), code, text);
    assert.equal(await input.getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await refusal.locator('mark').allTextContents(), mark === null ? [] : [mark]);
  }
  const samples = bad.getByRole('group', { name: 'Samples' }).getByRole('button');
  await samples.filter({ hasText: '170141183460469231731687303715884105728' }).first().click();
  assert.equal(await refusal.locator('.refusal-code').textContent(), 'DECIMAL_OUT_OF_RANGE');
  await samples.filter({ hasText: '0x10' }).click();
  assert.deepEqual(await outcomes(bad),
    { float: ['16', ''], bigint: ['429.4967296', ''], core: ['DECIMAL_INVALID_FORMAT', ''] });
  await samples.filter({ hasText: '1.00000000' }).click();
  assert.equal(await refusal.count(), 0);
  assert.equal((await outcomes(bad)).core[0], '1.0000000');
  assert.equal(await input.getAttribute('aria-invalid'), 'false');
  // Screen readers are told.
  await samples.filter({ hasText: '1e5' }).click();
  await demo.page.getByRole('status').filter({ hasText: 'The core says DECIMAL_INVALID_FORMAT' })
    .waitFor({ state: 'attached' });
  await demo.close();
});

test('axe finds nothing at both widths in both themes', async () => {
  await keepScreenshots(browser, stack.baseUrl, '#/amounts', 'amounts');
});
