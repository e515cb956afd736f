// What is in the packed package, and what installing it brings.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { CORE, Project } from './installed_package.js';

const FILES = ['LICENSE', 'README.md', 'THIRD_PARTY.txt', 'dist/fluxora_core.wasm', 'dist/fluxora_ed25519.wasm', 'dist/fluxora_verify.wasm',
  'package.json'];

// Far from what they are, near enough to notice a debug build or something packed by mistake.
const WASM_KIB = {
  'dist/fluxora_core.wasm': [20, 200], 'dist/fluxora_ed25519.wasm': [10, 80], 'dist/fluxora_verify.wasm': [5, 40],
};
const ALL_KIB = 400;

let project;
before(() => {
  project = new Project();
});
after(() => project?.remove());

const ours = (name) => readFileSync(join(CORE, name));
const theirs = (name) => readFileSync(project.path(Project.installed(name)));

test('the files are exactly these', () => {
  const loaders = readdirSync(join(CORE, 'src'), { recursive: true }).filter((name) => /\.(js|d\.ts)$/.test(name));
  const packed = project.packed.files.map(({ path }) => path);
  assert.deepEqual(packed.sort(), [...FILES, ...loaders.map((name) => `src/${name}`)].sort());
});

test('their sizes are within bounds', () => {
  const kib = Object.fromEntries(project.packed.files.map(({ path, size }) => [path, size / 1024]));
  for (const [path, [least, most]] of Object.entries(WASM_KIB)) {
    assert.ok(kib[path] >= least && kib[path] <= most, `${path} has ${kib[path]} KiB`);
  }
  assert.ok(project.packed.unpackedSize < ALL_KIB * 1024, `${project.packed.unpackedSize} bytes in all`);
});

test('the modules are WebAssembly, without names and debug sections', () => {
  for (const path of Object.keys(WASM_KIB)) {
    const module = new WebAssembly.Module(theirs(path));
    for (const section of ['name', '.debug_info', 'producers', 'sourceMappingURL']) {
      assert.equal(WebAssembly.Module.customSections(module, section).length, 0, `${path}: ${section}`);
    }
  }
});

test('what is installed is what was packed', () => {
  for (const { path } of project.packed.files) {
    if (path !== 'package.json') assert.ok(theirs(path).equals(ours(path)), path);
  }
});

test('it needs no other package and runs nothing when installed', () => {
  const manifest = project.manifest();
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundledDependencies', 'scripts']) {
    assert.equal(manifest[kind], undefined, kind);
  }
  assert.deepEqual(readdirSync(project.path('node_modules')).filter((name) => !name.startsWith('.')), ['@fluxora']);
  assert.deepEqual(readdirSync(project.path('node_modules/@fluxora')), ['core']);
});

test('its licence is the project\'s', () => {
  assert.equal(project.manifest().license, 'MIT');
  assert.ok(theirs('LICENSE').equals(readFileSync(join(CORE, '../../LICENSE'))));
});

test('every entry of exports is there', () => {
  const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
  const packed = project.packed.files.map(({ path }) => `./${path}`);
  assert.deepEqual(targets(project.manifest().exports).filter((path) => !packed.includes(path)), []);
});
