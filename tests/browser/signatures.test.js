// The signatures' panel: what is signed can be changed in every way, and the verdict is the core's.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import { load } from '../../wasm/package/src/node.js';
import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { DemoPage, keepScreenshots, startDemo } from './chromium.js';

const UNITS = 10_000_000n;
const CURL_MS = 10_000;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

before(async () => {
  ({ browser, stack } = await startDemo('signatures'));
});

const clipboard = (context) => context.grantPermissions(['clipboard-read', 'clipboard-write']);

async function openBench(options = {}) {
  const demo = await DemoPage.open(browser, stack.baseUrl,
    { path: '/demo/#/signatures', prepare: clipboard, ...options });
  await demo.page.getByRole('heading', { name: 'Signatures', level: 2 }).waitFor();
  return demo;
}

const copied = (demo) => demo.page.evaluate(() => navigator.clipboard.readText());
const card = (demo, name) => demo.page.getByRole('region', { name, exact: true });
const verdict = (demo) => demo.page.locator('[data-verdict]').textContent();
const press = (demo, tampering) => demo.page.locator(`[data-tamper=${tampering}]`).click();
const changes = (demo) => demo.page.getByRole('list', { name: 'What isn’t as it was sent' }).locator('li span')
  .allTextContents();

/** What each check shows of itself, by its code. */
function checks(demo) {
  return demo.page.locator('[data-check]')
    .evaluateAll((rows) => rows.map(({ dataset }) => [dataset.check, dataset.state]));
}

/** Code, status in the verdict's head, and the row that is marked. */
async function outcome(demo) {
  const decides = (await checks(demo)).filter(([, state]) => state === 'decides').map(([code]) => code);
  return [await verdict(demo), await demo.page.locator('.verdict-status').textContent(), ...decides];
}

const OUTCOMES = [
  ['flip-byte', 'signature_mismatch', 401],
  ['add-space', 'signature_mismatch', 401],
  ['rewrite-json', 'signature_mismatch', 401],
  ['pad', 'payload_too_large', 413],
  ['another-id', 'signature_mismatch', 401],
  ['later-timestamp', 'signature_mismatch', 401],
  ['odd-timestamp', 'invalid_timestamp', 400],
  ['drop-id', 'missing_delivery_id', 401],
  ['drop-timestamp', 'missing_timestamp', 401],
  ['drop-signature', 'missing_signature', 401],
  ['only-fluxora', 'ok', 200],
  ['only-standard', 'ok', 200],
  ['clock-ahead', 'timestamp_outside_tolerance', 401],
  ['clock-behind', 'timestamp_outside_tolerance', 401],
  ['no-secret', 'missing_secret', 500],
  ['another-secret', 'signature_mismatch', 401],
  ['in-grace', 'ok', 200],
  ['past-grace', 'previous_secret_expired', 401],
  ['require-standard', 'ok', 200],
];

test('each button has its verdict, with the check that decides, and Reset takes it back', async () => {
  const demo = await openBench();
  const names = await demo.page.locator('[data-tamper]').evaluateAll((all) => all.map(({ dataset }) => dataset.tamper));
  assert.deepEqual(names.toSorted(), OUTCOMES.map(([name]) => name).toSorted());
  assert.deepEqual(await outcome(demo), ['ok', 'HTTP 200', 'ok']);
  for (const [name, code, status] of OUTCOMES) {
    await press(demo, name);
    assert.deepEqual([name, ...await outcome(demo)], [name, code, `HTTP ${status}`, code]);
    assert.ok((await changes(demo)).length > 0, name);
    await demo.page.getByRole('button', { name: 'Reset' }).click();
    assert.deepEqual([await verdict(demo), await changes(demo)], ['ok', []]);
  }
  // In their order: passed, the one that decides, not reached.
  await press(demo, 'flip-byte');
  assert.deepEqual(await checks(demo), [
    ['missing_secret', 'passed'], ['missing_delivery_id', 'passed'], ['missing_timestamp', 'passed'],
    ['missing_signature', 'passed'], ['payload_too_large', 'passed'], ['invalid_timestamp', 'passed'],
    ['timestamp_outside_tolerance', 'passed'], ['signature_mismatch', 'decides'],
    ['previous_secret_expired', 'unreached'],
    ['duplicate_delivery', 'unreached'], ['ok', 'unreached'],
  ]);
  // An earlier check decides as soon as it fails too.
  await press(demo, 'drop-id');
  assert.equal(await verdict(demo), 'missing_delivery_id');
  await demo.close();
});

test('the byte that was changed is marked, and each change can be put back by itself', async () => {
  const demo = await openBench();
  await press(demo, 'flip-byte');
  await press(demo, 'another-id');
  const stretch = card(demo, 'What arrives').locator('.stretch');
  assert.equal(await stretch.locator('del').textContent(), '5');
  assert.equal(await stretch.locator('ins').textContent(), '4');
  assert.match(await stretch.textContent(), /byte [0-9]+ .*0\.021544.*was 5.* is 4/s);
  const [body] = await changes(demo);
  assert.match(body, /^Body: byte [0-9]+ is another one$/);
  await demo.page.getByRole('button', { name: `Put back: ${body}` }).click();
  assert.deepEqual(await changes(demo), ['webhook-id is another one', 'x-fluxora-delivery-id is another one']);
  // The focus stays among the changes.
  assert.equal(await demo.page.evaluate(() => document.activeElement.ariaLabel), 'Put back: webhook-id is another one');
  await demo.page.keyboard.press('Enter');
  await demo.page.keyboard.press('Enter');
  assert.deepEqual([await verdict(demo), await changes(demo)], ['ok', []]);
  // With the last of them, the focus goes to what came of it.
  assert.equal(await demo.page.evaluate(() => document.activeElement.textContent), 'ok');
  await demo.close();
});

test('what arrives can be changed by hand', async () => {
  const demo = await openBench();
  const arrived = card(demo, 'What arrives');
  await arrived.getByLabel('webhook-timestamp').fill('soon');
  assert.equal(await verdict(demo), 'invalid_timestamp');
  await arrived.getByLabel('webhook-timestamp').fill('');
  assert.equal(await verdict(demo), 'missing_timestamp');
  await demo.page.getByRole('button', { name: 'Reset' }).click();
  await arrived.getByLabel('Body, as received').press('End');
  await arrived.getByLabel('Body, as received').pressSequentially('!');
  assert.equal(await verdict(demo), 'signature_mismatch');
  await arrived.getByLabel('Body, as received').press('Backspace');
  assert.equal(await verdict(demo), 'ok');
  const clock = arrived.getByLabel('Its clock, seconds off');
  const tooFar = 'timestamp_outside_tolerance';
  for (const [seconds, code] of [['300', 'ok'], ['301', tooFar], ['-300', 'ok'], ['-301', tooFar]]) {
    await clock.fill(seconds);
    assert.equal(await verdict(demo), code, seconds);
  }
  // A whole number, however it is written; what is none, or too far, is marked and changes nothing.
  for (const [seconds, code, isInvalid] of [['1.0', 'ok', 'false'], ['1e3', tooFar, 'false'], ['1e9', tooFar, 'true'],
    ['', tooFar, 'true'], ['0', 'ok', 'false']]) {
    await clock.fill(seconds);
    assert.deepEqual([await verdict(demo), await clock.getAttribute('aria-invalid')], [code, isInvalid], seconds);
  }
  await arrived.getByLabel('Secrets it has').selectOption('past_grace');
  assert.equal(await verdict(demo), 'previous_secret_expired');
  await arrived.getByLabel('Secrets it has').selectOption('same');
  await press(demo, 'only-fluxora');
  assert.equal(await verdict(demo), 'ok');
  await arrived.getByLabel('Insist on the webhook-* headers').check();
  assert.equal(await verdict(demo), 'missing_delivery_id');
  await demo.close();
});

test('a payload of one’s own is signed at once; what can’t be signed says why', async () => {
  const demo = await openBench();
  const sender = card(demo, 'Sender');
  const signature = () => sender.locator('[data-header=x-fluxora-signature]').textContent();
  const first = await signature();
  assert.match(first, /^[0-9a-f]{64}$/);
  await press(demo, 'flip-byte');
  await sender.getByLabel('Body').fill('{"mine": "é"}');
  assert.notEqual(await signature(), first);
  // It is another delivery: nothing has happened to it yet.
  assert.deepEqual([await verdict(demo), await changes(demo)], ['ok', []]);
  const second = await signature();
  await sender.getByRole('button', { name: 'New', exact: true }).click();
  assert.notEqual(await signature(), second);
  assert.match(await sender.getByLabel('Secret').inputValue(), /^whsec_[A-Za-z0-9+/]{43}=$/);

  for (const [label, text, code] of [['Secret', 'whsec_no!', 'WEBHOOK_SECRET_INVALID'],
    ['Delivery id', 'a.b', 'WEBHOOK_ID_INVALID'], ['Timestamp, unix seconds', '0', 'TIME_INVALID']]) {
    const field = sender.getByLabel(label);
    const good = await field.inputValue();
    await field.fill(text);
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    await sender.getByText(code).waitFor();
    assert.deepEqual([await verdict(demo), await signature()], ['Nothing arrives', '—']);
    assert.equal(await demo.page.locator('[data-tamper=flip-byte]').isDisabled(), true);
    await field.fill(good);
    assert.equal(await verdict(demo), 'ok');
  }
  await demo.close();
});

test('the newest entry of the feed can be signed', async () => {
  const demo = await (await openBench()).live();
  const late = await (await DemoPage.open(browser, stack.baseUrl)).live();
  const { people } = stack.sim;
  const number = stack.sim.createStream({ sender: people.treasuries[0], recipient: people.recipients[0],
    ratePerSecond: 1n, depositAmount: UNITS, duration: 86_400n });
  stack.sim.closeLedger();
  await stack.settle();
  await demo.caughtUp(stack);
  const sender = card(demo, 'Sender');
  await sender.getByRole('button', { name: 'Newest entry of the feed' }).click();
  const { type, data } = JSON.parse(await sender.getByLabel('Body').inputValue());
  assert.deepEqual([type, data.streamId], [data.event, stack.streamId(number)]);
  assert.equal(await sender.getByLabel('Delivery id').inputValue(), `wd_1_${data.cursor.replace('-', '_')}`);
  assert.equal(await verdict(demo), 'ok');
  await demo.close();
  // Also what came before the panel was opened.
  await late.caughtUp(stack);
  await late.page.getByRole('link', { name: 'Signatures', exact: true }).click();
  await card(late, 'Sender').getByRole('button', { name: 'Newest entry of the feed' }).click();
  assert.equal(JSON.parse(await card(late, 'Sender').getByLabel('Body').inputValue()).data.cursor, data.cursor);
  await late.close();
});

/** A receiver that verifies, as anybody's would. Answers with the verdict's status. */
async function startReceiver(core, secret) {
  const verifier = core.webhooks.verifier(secret, { requireStandard: true });
  const received = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { headers } = request;
    const { code, status } = verifier.verify({ headers, body, now: headers['webhook-timestamp'] });
    received.push({ code, event: headers['x-fluxora-event'], body: String(body) });
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { received, url: `http://127.0.0.1:${server.address().port}/it's?a=[1]`, close: () => server.close() };
}

test('what is copied: a command that brings the very delivery to a receiver, and the headers', async () => {
  const demo = await openBench();
  const sender = card(demo, 'Sender');
  await sender.getByLabel('Body').fill('{"type":"stream.updated","note":"it\'s $5 & `more`\n\\"}');
  const receiver = await startReceiver(await load(), await sender.getByLabel('Secret').inputValue());
  try {
    await card(demo, 'Send it yourself').getByLabel('Your receiver’s address').fill(receiver.url);
    const send = async () => {
      await demo.page.getByRole('button', { name: 'Copy the command' }).click();
      const command = await copied(demo);
      await promisify(execFile)('sh', ['-c', command], { timeout: CURL_MS });
    };
    await send();
    await press(demo, 'add-space');
    await send();
    const body = await sender.getByLabel('Body').inputValue();
    assert.deepEqual(receiver.received, [
      { code: 'ok', event: undefined, body },
      { code: 'signature_mismatch', event: undefined, body: `${body} ` },
    ]);
  } finally {
    receiver.close();
  }
  await sender.getByRole('button', { name: 'Copy webhook-signature' }).click();
  assert.match(await copied(demo), /^v1,[A-Za-z0-9+/]{43}=$/);
  await sender.getByRole('button', { name: 'Copy all' }).click();
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature',
    'x-fluxora-delivery-id', 'x-fluxora-timestamp', 'x-fluxora-signature'];
  assert.deepEqual((await copied(demo)).split('\n').map((line) => line.split(': ')[0]), names);
  await demo.close();
});

test('where there is no clipboard, a copy button says so', async () => {
  // As over plain http from another machine.
  const prepare = (context) => context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });
  });
  const demo = await openBench({ prepare });
  await card(demo, 'Sender').getByRole('button', { name: 'Copy all' }).click();
  await card(demo, 'Sender').getByText('Copying isn’t allowed here').waitFor();
  await demo.close();
});

const FILES = {
  Workers: 'cloudflare-workers/src/index.js', Deno: 'deno/index.js', Bun: 'bun/index.js',
  'Node.js': 'node-http/index.js',
  Express: 'express/index.js', 'Vercel Edge': 'vercel-edge/api/webhooks.js', 'AWS Lambda': 'aws-lambda/index.js',
};

test('each runtime’s receiver is the example that is tested, one loaded when it is picked', async () => {
  const demo = await openBench();
  const receiver = card(demo, 'Your receiver');
  let loaded = 0;
  demo.page.on('request', (request) => { if (/\.js$/.test(request.url())) loaded += 1; });
  for (const [title, path] of Object.entries(FILES)) {
    await receiver.getByRole('tab', { name: title }).click();
    const folder = path.split('/')[0];
    const shown = demo.page.locator(`[data-program="${folder}"]`);
    const name = path.slice(folder.length + 1);
    await shown.getByRole('button', { name: `Copy ${name}` }).click();
    const program = await copied(demo);
    assert.equal(program, readFileSync(`${PROJECT_ROOT}/edge/examples/${path}`, 'utf8'), title);
    assert.equal(await shown.getByRole('group', { name }).textContent(), program.trimEnd());
  }
  assert.ok(loaded >= 6, `${loaded} files were asked for: were they all there at once?`);

  // By keyboard: one stop, arrows around, Home and End.
  const tabs = demo.page.getByRole('tab');
  const focused = () => demo.page.evaluate(
    () => [document.activeElement.textContent, document.activeElement.ariaSelected]);
  await tabs.first().click();
  for (const [key, title] of [['ArrowRight', 'Deno'], ['ArrowLeft', 'Workers'], ['ArrowLeft', 'AWS Lambda'],
    ['ArrowRight', 'Workers'], ['End', 'AWS Lambda'], ['Home', 'Workers'], ['ArrowRight', 'Deno']]) {
    await demo.page.keyboard.press(key);
    assert.deepEqual(await focused(), [title, 'true']);
  }
  assert.equal(await demo.page.locator('[role=tab][tabindex="0"]').count(), 1);
  await demo.page.locator('[data-program=deno]').waitFor();
  assert.equal(await demo.page.getByRole('tabpanel', { name: 'Deno' }).count(), 1);
  await demo.page.keyboard.press('Tab');
  assert.equal(await demo.page.evaluate(() => document.activeElement.ariaLabel), 'Copy index.js');
  await demo.close();
});

test('a program that can’t be loaded says so and is tried again', async () => {
  const demo = await openBench();
  await demo.page.getByRole('tab', { name: 'Deno' }).click();
  await demo.page.locator('[data-program=deno]').waitFor();
  await demo.context.route(/\.js$/, (route) => route.abort());
  await demo.page.getByRole('tab', { name: 'Express' }).click();
  await demo.page.getByText('This program couldn’t be loaded').waitFor();
  await demo.context.unrouteAll();
  await demo.page.getByRole('button', { name: 'Try again' }).click();
  await demo.page.locator('[data-program=express]').waitFor();
  assert.equal(await demo.page.evaluate(() => document.activeElement.textContent), 'Express');
  await demo.close({ expected: /ERR_FAILED|Failed to fetch dynamically/ });
});

test('on a telephone the verdict stays in sight while one tampers', async () => {
  const demo = await openBench({ viewport: { width: 390, height: 844 } });
  await press(demo, 'drop-signature');
  const strip = demo.page.locator('.verdict-strip');
  await demo.page.locator('[data-tamper=drop-signature]').scrollIntoViewIfNeeded();
  const { y, height } = await strip.boundingBox();
  assert.ok(y > 0 && y + height <= 844, `it is at ${y}`);
  assert.equal(await strip.textContent(), 'missing_signature · HTTP 401');
  await demo.close();
});

test('axe finds nothing in a tampered delivery, at both widths in both themes', async () => {
  await keepScreenshots(browser, stack.baseUrl, '#/signatures', 'signatures', async (demo) => {
    await demo.page.locator('[data-program]').waitFor();
    for (const name of ['flip-byte', 'drop-timestamp', 'clock-ahead']) await press(demo, name);
    await demo.page.evaluate(() => scrollTo(0, 0));
  });
});
