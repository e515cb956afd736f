// An example's folder as someone has it who copied it: in a place of its own, with the packages installed that its
// package.json names. Fluxora's come from the tarballs that would be published.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CORE, EDGE, Project } from '../packaging/installed_package.js';

const HERE = dirname(fileURLToPath(import.meta.url));
export const EXAMPLES = resolve(EDGE, 'examples');
/** Where packages of others are that examples name, in the same versions: edge_package.test.js compares. */
export const OTHERS = join(HERE, 'node_modules');

/** Fluxora's packages, packed and installed once for a test file. */
export class Packages {
  constructor() {
    this.project = new Project([CORE, EDGE], []);
    this.folder = mkdtempSync(join(tmpdir(), 'fluxora-examples-'));
    this.copies = 0;
  }

  /**
   * A copy of an example, ready to start.
   * @param {string} name
   * @param {(example: Example) => void} [change] what its owner changes in it
   */
  example(name, change = () => {}) {
    this.copies += 1;
    const folder = join(this.folder, `${name}-${this.copies}`);
    cpSync(join(EXAMPLES, name), folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
    const example = new Example(name, folder);
    this.#install(example);
    change(example);
    return example;
  }

  #install({ folder, manifest }) {
    const modules = join(folder, 'node_modules');
    mkdirSync(modules, { recursive: true });
    cpSync(this.project.path('node_modules/@fluxora'), join(modules, '@fluxora'), { recursive: true });
    for (const name of Object.keys(manifest.dependencies).filter((dependency) => !dependency.startsWith('@fluxora/'))) {
      symlinkSync(join(OTHERS, name), join(modules, name));
    }
  }

  remove() {
    this.project.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Example {
  constructor(name, folder) {
    this.name = name;
    this.folder = folder;
  }

  get manifest() {
    return JSON.parse(this.read('package.json'));
  }

  read(path) {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path, text) {
    writeFileSync(join(this.folder, path), text);
  }

  /** Replaces a text that must be there exactly once. */
  edit(path, from, to) {
    const text = this.read(path);
    assert.equal(text.split(from).length, 2, `${this.name}/${path} has one ${from}`);
    this.write(path, text.replace(from, () => to));
  }
}
