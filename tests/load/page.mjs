// Measures the demo page in Chromium: script time a frame with thousands of streams ticking, frames a second, first paint
// and what is transferred, and prints one table. scripts/load page calls it; its options are described there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { median } from '../bench/measure.mjs';
import { startChromium } from '../browser/chromium.js';
import { endAll } from '../integration/harness/ownership.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { tickNothing, tickPlainly } from './page/plain_page.mjs';
import { TRACED, scriptTimes } from './page/script_time.mjs';
import { startServer } from './programs.mjs';
import { parseOptions, postgresVersion, report } from './report.mjs';
import { takeTurns } from './rounds.mjs';
import { milliseconds, row, thousands } from './table.mjs';
import { accountId } from './yardstick/strkey.mjs';

const NOTES = 'Figures are medians over the rounds. Script time is everything that scripts did from one frame to the next, the feed’s messages included.';

/** `demo`: the built page. */
const options = parseOptions({ demo: { type: 'string' } });

/** How much is measured. A smoke run only shows that everything still works together. */
const SIZE = options.smoke
  ? { rounds: 1, streams: 50, seconds: 1, settle: 200, loads: 1 }
  : { rounds: 3, streams: 10_000, seconds: 8, settle: 3_000, loads: 5 };
const ENTRIES_A_SECOND = 5;
const ROWS_SHOWN = 20;
const CREATORS = 64;
const VIEWPORT = { width: 1440, height: 900 };
const KILOBYTE = 1000;

async function createStream(server, n) {
  const response = await fetch(`${server.url}/api/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      sender: accountId(n % 7), recipient: accountId(7 + n), depositAmount: `${1_000_000 + n}.5`, ratePerSecond: `0.${1_000_000 + (n * 7_919) % 9_000_000}`,
    }),
  });
  if (response.status !== 201) throw new Error(`a creation was answered ${response.status}: ${await response.text()}`);
}

async function createStreams(server, count) {
  let next = 0;
  const creator = async () => {
    while (next < count) await createStream(server, next++);
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
}

function percentile(samples, share) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** What a page does for some seconds, once it has settled. */
async function frames(browser, open) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    await open(page);
    await delay(SIZE.settle);
    await browser.startTracing(page, { categories: TRACED });
    await delay(SIZE.seconds * 1000);
    const { perFrame, framesPerSecond } = scriptTimes(JSON.parse(String(await browser.stopTracing())));
    return { median: median(perFrame), p99: percentile(perFrame, 0.99), framesPerSecond };
  } finally {
    await context.close();
  }
}

async function openDemo(page, server, count) {
  await page.goto(`${server.url}/demo/`);
  await page.waitForSelector('#connection[data-phase=live]');
  await page.waitForFunction((rows) => document.querySelector('[aria-rowcount]')?.ariaRowCount >= rows, count);
}

/** The same with a few entries coming in each second. */
async function withEntries(server, measured) {
  let stopped = false;
  let made = SIZE.streams;
  const making = (async () => {
    while (!stopped) {
      await createStream(server, made++);
      await delay(1000 / ENTRIES_A_SECOND);
    }
  })();
  try {
    return await measured();
  } finally {
    stopped = true;
    await making;
  }
}

/** A first visit: when something is to be seen, in microseconds, and the bytes that came for it. */
async function firstVisit(browser, url) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    const files = new Set();
    session.on('Network.responseReceived', ({ requestId, response }) => { if (response.url.includes('/demo/')) files.add(requestId); });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => { if (files.has(requestId)) bytes += encodedDataLength; });
    await page.goto(url);
    const paint = () => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    let painted;
    for (let tries = 0; painted === undefined && tries < 100; tries += 1) {
      painted = await paint();
      await delay(50);
    }
    if (painted === undefined) throw new Error(`${url} painted nothing`);
    await page.waitForLoadState('networkidle');
    return { painted: painted * 1000, bytes };
  } finally {
    await context.close();
  }
}

const each = (samples, name) => samples.map((sample) => sample[name]);

function frameRow(what, own, other) {
  const ratio = median(own.map((sample, round) => sample.median / other[round].median));
  const text = (samples) => `p50 ${milliseconds(median(each(samples, 'median')))}, p99 ${milliseconds(median(each(samples, 'p99')))}`;
  return row(what, text(own), text(other), `${ratio.toFixed(2)} ×`, 'p99 < 4 ms', median(each(own, 'p99')) < 4_000);
}

function rateRow(what, own, other) {
  const ratio = median(own.map((sample, round) => sample.framesPerSecond / other[round].framesPerSecond));
  const text = (samples) => `${median(each(samples, 'framesPerSecond')).toFixed(1)}/s`;
  return row(what, text(own), text(other), `${ratio.toFixed(2)} ×`, '≥ 0.98 ×', ratio >= 0.98);
}

function rows({ ticking, visits }) {
  const { page, withEntries: busy, plain, empty } = ticking;
  const streams = thousands(SIZE.streams);
  const painted = median(each(visits.page, 'painted'));
  const bytes = Math.max(...each(visits.page, 'bytes'));
  return [
    frameRow(`script time a frame, ${streams} streams ticking, beside a plain page that does it in BigInt`, page, plain),
    frameRow(`the same with ${ENTRIES_A_SECOND} entries a second coming in`, busy, plain),
    rateRow('frames, beside an empty page', page, empty),
    rateRow(`the same with ${ENTRIES_A_SECOND} entries a second coming in`, busy, empty),
    row('first contentful paint, first visit, beside a page of plain text', milliseconds(painted), milliseconds(median(each(visits.text, 'painted'))),
      `${median(visits.page.map((sample, round) => sample.painted / visits.text[round].painted)).toFixed(2)} ×`, '≤ 500 ms', painted <= 500_000),
    row('all that a first visit transfers of the page', `${(bytes / KILOBYTE).toFixed(1)} KB`, '', '', '≤ 150 KB', bytes <= 150_000),
  ];
}

const directory = mkdtempSync(join(tmpdir(), 'fluxora-page-'));
try {
  const cluster = await PostgresCluster.start({});
  const database = await cluster.createDatabase();
  const server = await startServer('page', {
    directory, program: options.server, databaseUrl: database.url, settings: { DEMO_ROOT: options.demo },
  });
  await createStreams(server, SIZE.streams);
  const browser = await startChromium();
  const demo = (page) => openDemo(page, server, SIZE.streams);
  const blank = (script, argument) => async (page) => {
    await page.goto(`${server.url}/health`);
    await page.evaluate(script, argument);
  };
  const ticking = {
    page: () => frames(browser, demo),
    withEntries: () => withEntries(server, () => frames(browser, demo)),
    plain: () => frames(browser, blank(tickPlainly, ROWS_SHOWN)),
    empty: () => frames(browser, blank(tickNothing)),
  };
  const samples = {
    ...await takeTurns({ ticking }, SIZE.rounds),
    ...await takeTurns({
      visits: {
        page: () => firstVisit(browser, `${server.url}/demo/`),
        text: () => firstVisit(browser, `${server.url}/health`),
      },
    }, SIZE.loads),
  };
  report({
    results: samples, list: rows(samples), notes: NOTES, part: 'page', options,
    versions: { Chromium: browser.version(), PostgreSQL: await postgresVersion(cluster) },
  });
} finally {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
}
