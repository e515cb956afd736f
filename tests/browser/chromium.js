// Chromium, and pages of it that keep what went wrong in them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

import { own } from '../integration/harness/ownership.js';
import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { startStack } from '../integration/harness/stack.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';

/** The page as Vite has built it, for the server's DEMO_ROOT. */
export const DEMO_ROOT = process.env.FLUXORA_DEMO ?? `${PROJECT_ROOT}/build/wasm/demo`;

// No service of the browser's own may speak to the outside.
const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A telephone and a desk. */
export const WIDTHS = [{ width: 390, height: 844 }, { width: 1440, height: 900 }];
export const THEMES = /** @type {const} */ (['light', 'dark']);

/** The system's Chromium; CHROMIUM names another. */
export async function startChromium() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: QUIET,
  });
  own({ end: () => browser.close(), endNow: () => {} });
  return browser;
}

/**
 * A browser, and a service that serves the page and has indexed what `prepare` made happen on the simulator's chain, whose
 * ledgers close by hand.
 * @param {string} seed @param {(sim: any) => void} [prepare]
 */
export async function startDemo(seed, prepare) {
  const [browser, stack] = await Promise.all([
    startChromium(),
    startStack({ simulator: { seed, closeEveryMs: 0 }, server: { env: { DEMO_ROOT } }, prepare }),
  ]);
  await stack.settle();
  return { browser, stack };
}

/** A page of the demo, and everything that a well-behaved one has none of. */
export class DemoPage {
  /** @type {string[]} what the console and failed scripts said */
  complaints = [];
  /** @type {Set<string>} the origins that it spoke to */
  origins = new Set();

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} baseUrl
   * @param {import('playwright-core').BrowserContextOptions & {path?: string,
   *   prepare?: (context: import('playwright-core').BrowserContext) => unknown}} [options]
   *   `path`: `/demo/#/feed`, or not the demo; `prepare`: before the page is asked for
   */
  static async open(browser, baseUrl, { path = '/demo/', prepare, ...options } = {}) {
    const context = await browser.newContext({ viewport: WIDTHS[1], ...options });
    await prepare?.(context);
    const demo = new DemoPage(context, await context.newPage(), baseUrl);
    await demo.page.goto(baseUrl + path);
    return demo;
  }

  constructor(context, page, baseUrl) {
    this.context = context;
    this.page = page;
    this.baseUrl = baseUrl;
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.stack}`));
    const note = (url) => {
      const { protocol, host } = new URL(url);
      if (protocol !== 'data:' && protocol !== 'blob:') this.origins.add(host);
    };
    page.on('request', (request) => note(request.url()));
    page.on('websocket', (socket) => note(socket.url()));
  }

  /** Waits until the connection is of that phase: `live`, `waiting`, `cut`, … */
  async phase(phase) {
    await this.page.waitForSelector(`#connection[data-phase=${phase}]`);
    return this;
  }

  /** Waits until the page has the streams and follows the log. */
  live() {
    return this.phase('live');
  }

  /** Waits until the page has read the log as far as it goes. @param {import('../integration/harness/stack.js').Stack} stack */
  async caughtUp(stack) {
    const { cursor } = await stack.head();
    const reached = () => this.page.getAttribute('#connection', 'data-cursor');
    await waitFor(async () => await reached() === cursor, { what: `the page to reach ${cursor}`, describe: reached });
    await this.twoFrames();
  }

  /** What has just come is drawn then. */
  twoFrames() {
    return this.page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  }

  /**
   * The exact figures of the table's rows: by stream id, the amounts and the second at which they are exact.
   * @returns {Promise<Record<string, {at: number, streamed: string, withdrawable: string}>>}
   */
  exact() {
    return this.page.evaluate(() => Object.fromEntries([...document.querySelectorAll('[role=row][data-id]')].map((row) => {
      const [streamed, withdrawable] = ['streamed', 'withdrawable']
        .map((name) => row.querySelector(`[data-amount=${name}]`).dataset);
      return [row.dataset.id, { at: Number(streamed.at), streamed: streamed.exact, withdrawable: withdrawable.exact }];
    })));
  }

  /** A stream's row in the table, if it is in sight. */
  row(id) {
    return this.page.locator(`[role=row][data-id="${id}"]`);
  }

  /** Nothing complained, and nobody but the server was spoken to. `expected` are complaints that a test provoked. */
  async close({ expected = /^$/ } = {}) {
    await this.context.close();
    assert.deepEqual(this.complaints.filter((text) => !expected.test(text)), []);
    assert.deepEqual([...this.origins], [new URL(this.baseUrl).host]);
  }
}

/**
 * For `prepare`: the pages' sockets pass through a test. `change` gives the messages that a page gets for one of the
 * server's; `connection` counts from 1.
 * @param {(message: any, connection: number) => any[]} change
 */
export function throughSocket(change) {
  let connections = 0;
  return (context) => context.routeWebSocket(/\/ws\/streams$/, (socket) => {
    connections += 1;
    const connection = connections;
    const server = socket.connectToServer();
    server.onMessage((text) => {
      for (const message of change(JSON.parse(String(text)), connection)) socket.send(JSON.stringify(message));
    });
  });
}

/** axe finds nothing at all, and nothing is wider than the page. @param {DemoPage} demo */
export async function checkAccessible({ page }) {
  const { width } = page.viewportSize();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, 'it scrolls sideways');
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document));
  assert.ok(passes.length > 10, 'axe looked at next to nothing');
  assert.deepEqual(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })), []);
}

/** Opens something at both widths in both themes. @param {(options: any, name: string) => Promise<void>} look */
export async function atEachLook(look) {
  for (const viewport of WIDTHS) {
    for (const colorScheme of THEMES) await look({ viewport, colorScheme }, `${viewport.width}-${colorScheme}`);
  }
}

/**
 * Keeps how a part of the page looks, as `.local/test/browser/NAME-WIDTH-THEME.png`, and has axe look at it too.
 * @param {import('playwright-core').Browser} browser
 * @param {string} baseUrl
 * @param {string} hash such as `#/feed`
 * @param {string} name
 * @param {(demo: DemoPage) => unknown} [arrange] what is done before
 */
export async function keepScreenshots(browser, baseUrl, hash, name, arrange) {
  await atEachLook(async (options, look) => {
    const demo = await (await DemoPage.open(browser, baseUrl, { path: `/demo/${hash}`, ...options })).live();
    await arrange?.(demo);
    await demo.twoFrames();
    await checkAccessible(demo);
    await demo.page.screenshot({ path: `${PROJECT_ROOT}/.local/test/browser/${name}-${look}.png` });
    await demo.close();
  });
}
