// Packages as a user gets them: packed, and installed from the tarballs into a new project.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
export const CORE = resolve(HERE, '../../wasm/package');
export const EDGE = resolve(HERE, '../../edge');
export const NPM_MS = 120_000;

const SELF_CHECKS = ['self_check.js', 'follow_feed.js'];

function npm(folder, ...args) {
  // Debian's npm finds its parts there, also where the tests run with another node than the system's.
  const env = { ...process.env, NODE_PATH: '/usr/share/nodejs' };
  const quiet = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  return execFileSync('npm', [...args, ...quiet], { cwd: folder, env, encoding: 'utf8', timeout: NPM_MS });
}

/** A project in a folder of its own that depends on the packed packages and nothing else. */
export class Project {
  /**
   * @param {string[]} [packages] folders; `packed` is what npm says of the last one
   * @param {string[]} [files] of this folder, put into the project
   */
  constructor(packages = [CORE], files = SELF_CHECKS) {
    this.folder = mkdtempSync(join(tmpdir(), 'fluxora-packaging-'));
    try {
      const packed = packages.map((from) => JSON.parse(npm(from, 'pack', '--json', '--pack-destination', this.folder))[0]);
      this.packed = packed.at(-1);
      this.write('package.json', '{"name": "consumer", "version": "1.0.0", "private": true, "type": "module"}');
      npm(this.folder, 'install', ...packed.map(({ filename }) => join(this.folder, filename)));
      for (const file of files) copyFileSync(join(HERE, file), join(this.folder, file));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  path(name) {
    return join(this.folder, name);
  }

  /** Where a file of the installed package lies, seen from the project. */
  static installed(name) {
    return join('node_modules/@fluxora/core', name);
  }

  write(name, text) {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  manifest() {
    return JSON.parse(readFileSync(this.path(Project.installed('package.json')), 'utf8'));
  }

  /**
   * The file that `exports` names, as a resolver does that has these conditions: for what can't resolve packages
   * itself. The first key that holds decides, at every depth.
   */
  resolve(subpath, conditions) {
    let target = this.manifest().exports[subpath];
    while (typeof target === 'object') {
      const key = Object.keys(target).find((name) => name === 'default' || conditions.includes(name));
      if (key === undefined) throw new Error(`${subpath} has no entry for ${conditions.join(', ')}`);
      target = target[key];
    }
    if (target === undefined) throw new Error(`${subpath} is not exported`);
    return Project.installed(target);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
