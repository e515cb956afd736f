// The log's partitions and their pruning in PostgreSQL, without a server: store/log_retention_test.cpp, with a database
// of its own.
import { test } from 'node:test';
import { runStoreProgram } from './harness/store_program.js';

test('the log grows in partitions, and old ones leave exactly what stays', (t) =>
  runStoreProgram('fluxora_log_retention_tests', t));
