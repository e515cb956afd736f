// The description by a linter's recommended rules, and by rules of our own that a linter can't know.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConfig, lint } from '@redocly/openapi-core';
import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { Description } from './harness/description.js';

const FILE = join(PROJECT_ROOT, 'native-server/api/openapi/openapi.json');
const document = JSON.parse(readFileSync(FILE, 'utf8'));
const description = new Description(document);

/** What the rules can't see: upgrades succeed with 101, and answers to any request are used by no operation alone. */
const answersToAny = Object.values(document['x-responses-to-any-request']).map(({ $ref }) => $ref);
const isExpected = ({ ruleId, location: [{ pointer }] }) =>
  (ruleId === 'operation-2xx-response' && pointer === '#/paths/~1ws~1streams/get/responses') ||
  (ruleId === 'no-unused-components' && answersToAny.includes(pointer));

test("the linter's recommended rules find nothing", async () => {
  const problems = await lint({ ref: FILE, config: await createConfig({ extends: ['recommended'] }) });
  const findings = problems.filter((problem) => !isExpected(problem));
  assert.deepEqual(
    findings.map(({ ruleId, message, location: [{ pointer }] }) => `${ruleId} ${pointer}: ${message}`),
    [],
  );
});

test('every schema can be compiled, and its examples are valid', () => {
  for (const schema of Object.values(document.components.schemas)) {
    const validate = description.validator(schema);
    for (const example of schema.examples ?? [])
      assert.ok(validate(example), JSON.stringify([example, validate.errors]));
  }
});

test('examples of parameters, bodies and answers are valid', () => {
  for (const { id, parameters, body, bodyExample, responses } of description.operations()) {
    const contents = Object.values(responses).flatMap(({ content = {} }) => Object.values(content));
    const examples = [...parameters, ...contents, { schema: body, example: bodyExample }].filter(
      ({ example }) => example !== undefined,
    );
    for (const { schema, example } of examples) {
      const validate = description.validator(schema);
      assert.ok(validate(example), `${id}: ${JSON.stringify([example, validate.errors])}`);
    }
    assert.ok(body === undefined || bodyExample !== undefined, `${id}: its body has no example`);
  }
});

test('every answer has its X-Request-Id described, every limited one its Retry-After', () => {
  for (const { id, responses } of description.operations()) {
    for (const [status, { headers = {} }] of Object.entries(responses)) {
      if (status !== '101') assert.ok(headers['X-Request-Id'], `${id} ${status}`);
      if (status === '429') assert.ok(headers['Retry-After'], `${id} ${status}`);
    }
  }
});
