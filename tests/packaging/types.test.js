// The installed package's declarations, as TypeScript projects of both kinds resolve them.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { NPM_MS, Project } from './installed_package.js';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

let project;
before(() => {
  project = new Project();
  copyFileSync(fileURLToPath(new URL('consumer.ts', import.meta.url)), project.path('consumer.ts'));
});
after(() => project?.remove());

const RESOLUTIONS = { bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'], nodenext: ['--module', 'nodenext'] };

for (const [name, options] of Object.entries(RESOLUTIONS)) {
  test(`a strict TypeScript project with moduleResolution ${name}`, () => {
    const args = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', ...options];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...args, 'consumer.ts'],
      { cwd: project.folder, encoding: 'utf8', timeout: NPM_MS });
    assert.equal(`${stdout}${status}`, '0');
  });
}
