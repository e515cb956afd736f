// The version stands once, in CMakeLists.txt (project VERSION). Files that must carry it themselves say the same.
import { test } from 'node:test';
import { expectNone, filesMatching, read } from './project_files.mjs';

const VERSION = /^project\(fluxora VERSION (\d+\.\d+\.\d+) /m.exec(read('CMakeLists.txt'))?.[1];

/** Every [where, version] of a package.json or a lock that is Fluxora's own. */
function ownVersions(path) {
  const { name, version, packages, dependencies, devDependencies } = JSON.parse(read(path));
  const own = ([key, value]) => /^@fluxora\//.test(key) && value !== '*' && !value?.startsWith('file:');
  const found = Object.entries({ ...dependencies, ...devDependencies }).filter(own);
  if (version !== undefined && own([name])) found.push([name, version]);
  // Of a lock: this folder's package, workspaces (paths of this repository), and what they ask of each other.
  for (const [folder, locked] of Object.entries(packages ?? {})) {
    if (folder.includes('node_modules/')) continue;
    if (locked.version !== undefined && own([locked.name ?? name])) found.push([folder || name, locked.version]);
    found.push(...Object.entries({ ...locked.dependencies, ...locked.devDependencies }).filter(own));
  }
  return found;
}

test('one version everywhere', () => {
  if (VERSION === undefined) throw new Error('CMakeLists.txt has no project(fluxora VERSION x.y.z …)');
  const packages = filesMatching(/(^|\/)package(-lock)?\.json$/);
  const findings = packages.flatMap((path) =>
    ownVersions(path).filter(([, version]) => version !== VERSION).map(([where, version]) => `${path}: ${where} ${version}`));
  const described = JSON.parse(read('native-server/api/openapi/openapi.json')).info.version;
  if (described !== VERSION) findings.push(`native-server/api/openapi/openapi.json: info.version ${described}`);
  expectNone(findings, `CMakeLists.txt says ${VERSION}:`);
});

test('the changelog tells of no version to come', () => {
  const numbers = (version) => version.split('.').map(Number);
  const isNewer = (version) => {
    const [theirs, ours] = [numbers(version), numbers(VERSION)];
    const first = theirs.findIndex((number, index) => number !== ours[index]);
    return first !== -1 && theirs[first] > ours[first];
  };
  const headings = [...read('CHANGELOG.md').matchAll(/^## \[([^\]]+)\]/gm)].map(([, heading]) => heading);
  expectNone(headings.length > 0 ? [] : ['none'], 'CHANGELOG.md has no headings of versions:');
  expectNone(headings.filter((heading) => heading !== 'Unreleased' && isNewer(heading)), `newer than ${VERSION}:`);
});
