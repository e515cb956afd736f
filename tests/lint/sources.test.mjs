// Rules about source files that reading can check.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { allFiles, code, expectNone, filesMatching, hits, read, ROOT, SHARED_VECTORS, textFiles } from './project_files.mjs';

// Words that must not stand in the project are put together here, so that this file doesn't hold them either.
const UNFINISHED = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'];
const CLANG_FORMAT = 'clang-format-19';

test(`C++ is laid out as ${CLANG_FORMAT} does it`, () => {
  const files = filesMatching(/\.(cpp|hpp|h)$/);
  const { status, stderr, error } = spawnSync(CLANG_FORMAT, ['--dry-run', '--Werror', ...files], { cwd: ROOT, encoding: 'utf8' });
  if (error) throw error;
  const findings = [...new Set(stderr.match(/^[^:\s]+(?=:\d+:\d+: error: )/gm))];
  if (status !== 0) expectNone(findings.length > 0 ? findings : [stderr], `run ${CLANG_FORMAT} -i on these:`);
});

test('CMake names every C++ source', () => {
  const sources = filesMatching(/^(core|native-server|wasm|tests\/(unit|bench|simulation))\/.*\.cpp$/);
  const findings = sources.filter((path) => {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const list = join(folder, 'CMakeLists.txt');
      if (existsSync(join(ROOT, list))) {
        const words = read(list).split(/[\s()"]+/);
        if (words.includes(relative(folder, path))) return false;
      }
      if (folder === '.') return true;
    }
  });
  expectNone(findings, 'in no CMakeLists.txt:');
});

test('nothing is left unfinished', () => {
  const pattern = new RegExp(`\\b(${UNFINISHED.join('|')})\\b`);
  expectNone(textFiles().flatMap((path) => hits(path, read(path), pattern)), 'unfinished:');
});

test('no address of a package registry', () => {
  const names = ['registry\\.' + 'npm', 'registry\\.' + 'yarn', 'deb\\.' + 'debian', 'security\\.' + 'debian', 'archive\\.' + 'ubuntu', 'npm' + 'mirror\\.'];
  const pattern = new RegExp(`${names.join('|')}|"resolved": "https?:`);
  expectNone(textFiles().flatMap((path) => hits(path, read(path), pattern)), 'addresses of registries:');
});

test('packages from npm are pinned to one version', () => {
  const findings = filesMatching(/(^|\/)package\.json$/).flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path));
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|\*|file:\.\.\/[\w/-]+)$/.test(version))
      .map(([name, version]) => `${path}: ${name} ${version}`);
  });
  expectNone(findings, 'not pinned:');
});

test('package-lock.json belongs to the package.json files', () => {
  const locks = filesMatching(/(^|\/)package-lock\.json$/);
  // Of an example, whoever copies it makes the lock; tests/edge compares its versions with those that it is tested with.
  const examples = /^edge\/examples\//;
  const findings = filesMatching(/(^|\/)package\.json$/).filter((path) => !examples.test(path)).flatMap((path) => {
    const wanted = JSON.parse(read(path));
    const folder = dirname(path) === '.' ? '' : dirname(path);
    // A folder with a lock of its own isn't one of the root's workspaces.
    const own = join(folder, 'package-lock.json');
    const lock = locks.includes(own) ? own : 'package-lock.json';
    const locked = JSON.parse(read(lock)).packages[lock === own ? '' : folder];
    if (locked === undefined) return [`${path} is not in it`];
    return ['dependencies', 'devDependencies', 'optionalDependencies']
      .filter((kind) => JSON.stringify(wanted[kind] ?? {}) !== JSON.stringify(locked[kind] ?? {}))
      .map((kind) => `${path}: its ${kind} differ`);
  });
  expectNone(findings, 'make it anew (docs/dependencies.md says how):');
});

test('every dependency has its line in docs/dependencies.md', () => {
  const told = read('docs/dependencies.md');
  const apt = read('scripts/packages.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split(/\s+/)[1].replace(/\?$/, '').split('|').map((name) => name.split('>=')[0]));
  const npm = filesMatching(/(^|\/)package\.json$/).flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path));
    return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter((name) => !name.startsWith('@fluxora/'));
  });
  expectNone([...new Set([...apt, ...npm])].filter((name) => !told.includes(`\`${name}\``)), 'without a reason:');
});

test('scripts pass shellcheck', () => {
  const scripts = allFiles().filter((path) => !/\.(js|mjs|ts)$/.test(path) && statSync(join(ROOT, path)).size > 0 && /^#!.*\bbash\b/.test(firstLine(path)));
  // -x -a: what they source is read and judged with them.
  const { status, stdout, error } = spawnSync('shellcheck', ['-x', '-a', ...scripts], { cwd: ROOT, encoding: 'utf8' });
  if (error) throw error;
  if (scripts.length === 0 || status !== 0) throw new Error(`shellcheck ${scripts.join(' ')}\n${stdout}`);
});

test('no file is a copy of one in ../shared/vectors', (t) => {
  if (!existsSync(SHARED_VECTORS)) {
    t.skip('there is no ../shared/vectors');
    return;
  }
  // Small ones could be alike by chance.
  const smallest = 1024;
  const digest = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const theirs = new Map(
    readdirSync(SHARED_VECTORS, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.path, entry.name))
      .filter((file) => statSync(file).size > smallest)
      .map((file) => [digest(file), relative(SHARED_VECTORS, file)]),
  );
  const findings = allFiles()
    .map((path) => [path, theirs.get(digest(join(ROOT, path)))])
    .filter(([, original]) => original !== undefined)
    .map(([path, original]) => `${path}: ${original}`);
  expectNone(findings, 'copies; read them in place instead:');
});

test('no build output is in the repository', () => {
  const tracked = execFileSync('git', ['-c', `safe.directory=${ROOT}`, 'ls-files', '-z', '--cached'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  expectNone(tracked.filter((path) => /(^|\/)(node_modules|build|dist|\.local)\/|\.(wasm|o|a|so|tgz)$/.test(path)), 'not for the repository:');
});

function firstLine(path) {
  return readFileSync(join(ROOT, path), 'utf8').split('\n', 1)[0];
}
