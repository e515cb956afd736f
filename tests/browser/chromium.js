// Chromium, and pages of it that keep what went wrong in them.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

import { own } from '../integration/harness/ownership.js';
import { DEADLINE_MS } from '../integration/harness/wait.js';

// No service of the browser's own may speak to the outside.
const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

/** The system's Chromium; CHROMIUM names another. */
export async function startChromium() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: QUIET,
  });
  own({ end: () => browser.close(), endNow: () => {} });
  return browser;
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
   * @param {import('playwright-core').BrowserContextOptions & {path?: string}} [options] `path`: not the demo
   */
  static async open(browser, baseUrl, { path = '/demo/', ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
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

  /** Waits until the page shows streams and follows the log. */
  async live() {
    await this.page.waitForSelector('body[data-state=ready] #connection[data-phase=live]');
    return this;
  }

  /**
   * The exact figures of the rows: by stream id, the amounts and the second at which they are exact.
   * @returns {Promise<Record<string, {at: number, streamed: string, withdrawable: string}>>}
   */
  exact() {
    return this.page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#streams tbody tr')].map((tr) => {
      const [streamed, withdrawable] = tr.querySelectorAll('td.moving');
      return [tr.dataset.id, {
        at: Number(streamed.dataset.at),
        streamed: streamed.dataset.exact,
        withdrawable: withdrawable.dataset.exact,
      }];
    })));
  }

  /** The log positions of the events that the page lists, as it lists them. */
  listedSeqs() {
    return this.page.locator('#events li').evaluateAll((items) => items.map(({ dataset }) => Number(dataset.seq)));
  }

  row(id) {
    return this.page.locator(`#streams tr[data-id="${id}"]`);
  }

  /** Nothing complained, and nobody but the server was spoken to. `expected` are complaints that a test provoked. */
  async close({ expected = /^$/ } = {}) {
    await this.context.close();
    assert.deepEqual(this.complaints.filter((text) => !expected.test(text)), []);
    assert.deepEqual([...this.origins], [new URL(this.baseUrl).host]);
  }
}
