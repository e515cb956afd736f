// Webhooks in PostgreSQL, without a server: store/delivery_queue_test.cpp and store/webhooks_test.cpp, with a database
// of their own.
import { test } from 'node:test';
import { runStoreProgram } from './harness/store_program.js';

test('the queue of deliveries, and what manages it, keep what they promise', (t) =>
  runStoreProgram('fluxora_delivery_queue_tests', t));
