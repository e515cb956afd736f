// What is in the packed @fluxora/edge, what installing it brings, and what its declarations say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { CORE, EDGE, NPM_MS, Project } from '../packaging/installed_package.js';
import { typescript } from '../packaging/runtimes/libraries.js';
import { EXAMPLES, OTHERS } from './example_project.js';

const ALL_KIB = 120;

let project;
before(() => {
  project = new Project([CORE, EDGE], []);
});
after(() => project?.remove());

const json = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));
const manifest = () => json(project.path('node_modules/@fluxora/edge/package.json'));
const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));

test('the files are exactly these', () => {
  const sources = readdirSync(join(EDGE, 'src')).map((name) => `src/${name}`);
  const packed = project.packed.files.map(({ path }) => path);
  assert.deepEqual(packed.sort(), ['LICENSE', 'README.md', 'package.json', ...sources].sort());
  assert.ok(project.packed.unpackedSize < ALL_KIB * 1024, `${project.packed.unpackedSize} bytes in all`);
});

test('it brings @fluxora/core and nothing else, and runs nothing when installed', () => {
  const { dependencies, peerDependencies, optionalDependencies, scripts } = manifest();
  assert.deepEqual([dependencies, peerDependencies, optionalDependencies, scripts],
    [{ '@fluxora/core': json(CORE, 'package.json').version }, undefined, undefined, undefined]);
  assert.deepEqual(readdirSync(project.path('node_modules')).filter((name) => !name.startsWith('.')), ['@fluxora']);
  assert.deepEqual(readdirSync(project.path('node_modules/@fluxora')), ['core', 'edge']);
});

test('its licence is the project\'s', () => {
  assert.equal(manifest().license, 'MIT');
  const licence = readFileSync(join(EDGE, '../LICENSE'));
  assert.ok(readFileSync(project.path('node_modules/@fluxora/edge/LICENSE')).equals(licence));
});

test('every entry is there, and every source belongs to one', () => {
  const packed = project.packed.files.map(({ path }) => `./${path}`);
  assert.deepEqual(targets(manifest().exports).filter((path) => !packed.includes(path)), []);
});

test('every entry loads in Node', () => {
  const entries = Object.keys(manifest().exports).filter((entry) => !entry.endsWith('.json'));
  const imports = entries.map((entry) => `await import('@fluxora/edge${entry.slice(1)}');`).join('\n');
  const main = project.write('entries.js', `${imports}\nconsole.log(${entries.length});`);
  const { stdout, stderr } = spawnSync(process.execPath, [main],
    { cwd: project.folder, encoding: 'utf8', timeout: NPM_MS });
  assert.equal(stdout, `${entries.length}\n`, stderr);
});

describe('declarations', () => {
  before(() => {
    project.write('consumer.ts', readFileSync(new URL('consumer.ts', import.meta.url), 'utf8'));
  });
  const resolutions = {
    bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'], nodenext: ['--module', 'nodenext'],
  };
  for (const [name, options] of Object.entries(resolutions)) {
    test(`in a strict TypeScript project with moduleResolution ${name}`, () => {
      const args = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', ...options];
      const { status, stdout } = spawnSync(process.execPath, [typescript, ...args, 'consumer.ts'],
        { cwd: project.folder, encoding: 'utf8', timeout: NPM_MS });
      assert.equal(`${stdout}${status}`, '0');
    });
  }
});

describe('examples', () => {
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => name);

  for (const name of names) {
    test(`${name} names this version, and what it is tested with`, () => {
      const { dependencies } = json(EXAMPLES, name, 'package.json');
      for (const [dependency, version] of Object.entries(dependencies)) {
        const tested = dependency === '@fluxora/edge' ? EDGE : join(OTHERS, dependency);
        assert.equal(version, json(tested, 'package.json').version, dependency);
      }
    });
  }

  test('they share their handler', () => {
    const handlers = readdirSync(EXAMPLES, { recursive: true })
      .filter((path) => path.endsWith('/handler.js') && !path.includes('node_modules'));
    assert.equal(handlers.length, names.length);
    assert.equal(new Set(handlers.map((path) => readFileSync(join(EXAMPLES, path), 'utf8'))).size, 1);
  });

  test('the list of them has each', () => {
    const list = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');
    for (const name of names) assert.ok(list.includes(`(${name}/README.md)`), name);
  });

  for (const name of names) {
    test(`${name}'s README links to nothing outside its folder, which is what is copied`, () => {
      const links = [...readFileSync(join(EXAMPLES, name, 'README.md'), 'utf8').matchAll(/\]\(([^)]+)\)/g)];
      assert.deepEqual(links.map(([, link]) => link).filter((link) => !/^https:/.test(link)), []);
    });
  }

  test('the Lambda function\'s claims end with the function', () => {
    const [, timeout] = /^ +Timeout: (\d+)$/m.exec(readFileSync(join(EXAMPLES, 'aws-lambda/template.yaml'), 'utf8'));
    const [, lease] = /^ +leaseSeconds: (\d+),$/m.exec(readFileSync(join(EXAMPLES, 'aws-lambda/index.js'), 'utf8'));
    assert.equal(lease, timeout);
  });

  test('none has a secret in it', () => {
    const files = readdirSync(EXAMPLES, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.path.includes('node_modules'));
    for (const { path, name } of files) {
      assert.doesNotMatch(readFileSync(join(path, name), 'utf8'), /whsec_[A-Za-z0-9+/]{8}/, name);
    }
  });
});
