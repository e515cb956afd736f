// The example for Express where its surroundings fail: a database that ends connections, a port that is in use.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import pg from 'pg';

import { newDatabase } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { Packages } from './example_project.js';
import { ExampleProcess, RUNTIMES } from './example_process.js';
import { Sender, newSecret } from './sender.js';

const runtime = RUNTIMES.find(({ example }) => example === 'express');

let packages;
let example;
let database;
let running;
let sender;

before(async () => {
  packages = new Packages();
  example = packages.example(runtime.example);
  database = await newDatabase();
  const secret = newSecret();
  const env = { FLUXORA_WEBHOOK_SECRET: secret, DATABASE_URL: database.url };
  running = await ExampleProcess.start(runtime, example, env);
  sender = new Sender(running.url, secret);
});
after(async () => {
  await running?.end();
  packages?.remove();
});

test('connections that the database ends while nobody uses them', async () => {
  assert.equal((await sender.send()).status, 200);
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const { rowCount } = await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`);
  await admin.end();
  assert.ok(rowCount >= 1);
  await waitFor(() => running.ended || String(running.errors).includes('database: terminating connection'), {
    what: 'the loss to be noticed', describe: () => running.output(),
  });
  assert.equal((await sender.send()).status, 200, running.output());
});

test('a port that is in use: it says so, and ends', async () => {
  const second = ExampleProcess.start(runtime, example, { PORT: String(running.port), DATABASE_URL: database.url });
  await assert.rejects(second, /Express ended: [\s\S]*EADDRINUSE/);
});
