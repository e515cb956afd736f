// The runtimes that are a program: each resolves `@fluxora/core` itself, from the project's node_modules.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { RUN_MS, SELF_CHECK, programFor } from './program.js';

const require = createRequire(import.meta.url);
const OUTPUT_MAX = 16 * 1024 * 1024;

// Their npm packages put the program in place by an install script, which never runs here: it is in these already.
const DENO = { x64: '@deno/linux-x64-glibc', arm64: '@deno/linux-arm64-glibc' };
const BUN = { x64: '@oven/bun-linux-x64', arm64: '@oven/bun-linux-aarch64' };

/** The path of a program in its platform's package; undefined where there is none for this machine. */
function platformProgram(packages, name) {
  try {
    const file = join(dirname(require.resolve(`${packages[process.arch]}/package.json`)), name);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

export const deno = platformProgram(DENO, 'deno');
export const bun = platformProgram(BUN, 'bin/bun');

async function run(project, job, program, args, env = {}) {
  const entry = project.write('main.js', programFor(job, 'console.log(await run());'));
  const { stdout } = await promisify(execFile)(program, [...args, entry], {
    cwd: project.folder,
    env: { PATH: process.env.PATH, HOME: project.folder, ...env },
    timeout: RUN_MS,
    maxBuffer: OUTPUT_MAX,
  });
  return stdout.trim();
}

export function runNode(project, job = SELF_CHECK) {
  return run(project, job, process.execPath, []);
}

/** With leave to read the project, and none for anything else: no environment, and no network but what a job needs. */
export function runDeno(project, job = SELF_CHECK) {
  const network = job.needs === '' ? [] : ['--allow-net=127.0.0.1'];
  const permissions = [`--allow-read=${project.folder}`, ...network, '--no-prompt', '--cached-only', '--no-remote'];
  return run(project, job, deno, ['run', '--quiet', '--node-modules-dir=manual', ...permissions],
    { DENO_NO_UPDATE_CHECK: '1', DENO_DIR: project.path('.deno') });
}

export function runBun(project, job = SELF_CHECK) {
  return run(project, job, bun, ['run', '--no-install'], { BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0', DO_NOT_TRACK: '1' });
}
