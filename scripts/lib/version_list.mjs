// The direct dependencies with their versions and dates, as markdown on stdout. scripts/versions runs it.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const run = promisify(execFile);
const AT_ONCE = 8;
const NPM_MS = 60_000;

const list = async (command, ...args) => (await run(command, args, { maxBuffer: 1 << 24 })).stdout.split('\n').filter(Boolean);

/** name → version, of everything that a package.json names for use here. */
async function npmDependencies() {
  const found = new Map();
  for (const path of await list('git', 'ls-files', '*package.json')) {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(path, 'utf8'));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (/^[0-9]/.test(version) && !name.startsWith('@fluxora/')) found.set(`${name}@${version}`, { name, version });
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

async function published({ name, version }) {
  const { stdout } = await run('npm', ['view', name, 'time', 'dist-tags.latest', '--json'], { timeout: NPM_MS, maxBuffer: 1 << 26 });
  const answer = JSON.parse(stdout);
  const latest = answer['dist-tags.latest'];
  const day = (of) => answer.time[of]?.slice(0, 10) ?? 'unknown';
  return `| \`${name}\` | ${version} | ${day(version)} | ${latest === version ? 'the newest' : `${latest}, ${day(latest)}`} |`;
}

/** The packages of scripts/packages.txt that are installed here. */
async function debianPackages() {
  const names = readFileSync('scripts/packages.txt', 'utf8').split('\n')
    .filter((line) => /^[a-z]/.test(line))
    .flatMap((line) => line.split(/\s+/)[1].replace('?', '').split('|').map((name) => name.split('>=')[0]));
  const installed = await list('dpkg-query', '-W', '-f=${db:Status-Abbrev} ${Package} ${Version}\n');
  const versions = new Map(installed.filter((line) => line.startsWith('ii')).map((line) => line.trim().split(/\s+/).slice(1)));
  return [...new Set(names)].sort().filter((name) => versions.has(name))
    .map((name) => `| \`${name}\` | ${versions.get(name)} | ${packaged(name)} |`);
}

/** The day of the newest paragraph in the package's changelog. */
function packaged(name) {
  for (const file of ['changelog.Debian.gz', 'changelog.gz']) {
    try {
      const line = /^ -- .*>  (.*)$/m.exec(gunzipSync(readFileSync(`/usr/share/doc/${name}/${file}`)).toString());
      if (line) return new Date(line[1]).toISOString().slice(0, 10);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

async function inTurns(items, work) {
  const results = [];
  for (let i = 0; i < items.length; i += AT_ONCE) results.push(...await Promise.all(items.slice(i, i + AT_ONCE).map(work)));
  return results;
}

const npm = await inTurns(await npmDependencies(), published);
const debian = await debianPackages();
const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))[1];
console.log(`# Versions

Every direct dependency, its version and its date, made by \`scripts/versions --write\` on ${new Date().toISOString().slice(0, 10)}. The same command asks
the registry for known vulnerabilities, where it answers. Why each is there: [dependencies.md](dependencies.md).

## From npm

Pinned in the \`package.json\` files; what these bring along is in the lock files.

| package | version | published | newest then |
|---|---|---|---|
${npm.join('\n')}

## From the system

Of ${system}, as its stock sources have them; Debian and Ubuntu mend security defects within a release.

| package | version | packaged |
|---|---|---|
${debian.join('\n')}`);
