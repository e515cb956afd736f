// Chromium: a page and a module worker, served from loopback under a policy that forbids eval. A browser resolves no
// packages (an import map would be an inline script, which the policy forbids too), so the condition `browser` of the
// installed package.json is followed here.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

import { startFeedStub } from '../feed_stub.js';
import { RUN_MS, SELF_CHECK, programFor } from './program.js';

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

// scripts/test names one that runs.
const { CHROMIUM } = process.env;
export const hasChromium = CHROMIUM !== undefined && existsSync(CHROMIUM);

// Both run as the page's own scripts do: what is evaluated for a debugger isn't bound by the policy.
const EVAL_IS_FORBIDDEN = `
const evalIsForbidden = () => {
  try {
    new Function('');
    return false;
  } catch {
    return true;
  }
};
const outcome = async () => ({ transcript: await run(), evalIsForbidden: evalIsForbidden() });`;
const PAGE_ENDING = `${EVAL_IS_FORBIDDEN}
const outcomeOfWorker = () => new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message ?? 'the worker did not load'));
});
window.outcome = location.search === '?worker' ? outcomeOfWorker() : outcome();
document.documentElement.dataset.ready = 'yes';`;
const WORKER_ENDING = `${EVAL_IS_FORBIDDEN}
outcome().then(postMessage, (error) => setTimeout(() => { throw error; }));`;

/** Serves a project's files, and a feed. `types` overrules media types by extension. */
function serve(project, types) {
  return startFeedStub(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    const headers = { 'content-security-policy': POLICY, 'content-type': { ...TYPES, ...types }[extname(path)] ?? 'text/plain' };
    try {
      const body = await readFile(join(project.folder, path));
      response.writeHead(200, headers).end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
}

/**
 * @param {'page' | 'worker'} where
 * @param {Record<string, string>} [types] media types, by extension, that the server gives in place of the right ones
 */
export async function runChromium(project, where, types = {}, job = SELF_CHECK) {
  const locate = (entry) => `./${project.resolve(entry, ['browser', 'import'])}`;
  project.write('page.js', programFor(job, PAGE_ENDING, locate));
  project.write('worker.js', programFor(job, WORKER_ENDING, locate));
  project.write('page.html', '<!doctype html><html lang="en"><script type="module" src="/page.js"></script></html>');
  const server = await serve(project, types);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(error.stack));
    page.on('console', (message) => complaints.push(message.text()));
    page.setDefaultTimeout(RUN_MS);
    await page.goto(`${server.url}/page.html?${where}`);
    await page.waitForSelector('html[data-ready]', { state: 'attached' }).catch(() => {
      throw new Error(`the page did not load: ${complaints.join('\n')}`);
    });
    return await page.evaluate(() => window.outcome);
  } finally {
    await browser.close();
    await server.stop();
  }
}
