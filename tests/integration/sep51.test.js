// The SEP-51 writer that other tests compare the server's `raw` with, checked itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scValJsonFromBase64 } from './harness/sep51.js';
import { needsVectors, readVectors } from './harness/vectors.js';

for (const file of ['scval/generated_scvals.jsonl', 'scval/real_pubnet_scvals.jsonl']) {
  test(`the values of ${file} are written as SEP-51 has them`, needsVectors, () => {
    const cases = readVectors(file);
    // A note marks values that are nested deeper than the SDK reads.
    const readable = cases.filter(({ note }) => note === undefined);
    assert.ok(readable.length >= cases.length - 2);
    for (const { label, base64, json } of readable) assert.deepEqual(scValJsonFromBase64(base64), json, label ?? base64);
  });
}
