// podman, as scripts/lib/image.sh sets it up: $PODMAN. Containers that a test has started end with it.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { disown, own } from '../integration/harness/ownership.js';

const LONGEST_MS = 120_000;
const MAX_OUTPUT = 64 * 1024 * 1024;
const program = process.env.PODMAN ?? 'podman';
const run = promisify(execFile);

/** Runs it to its end, and says how that was. @param {string[]} args */
export async function tryPodman(...args) {
  try {
    const { stdout, stderr } = await run(program, args, { timeout: LONGEST_MS, maxBuffer: MAX_OUTPUT });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

/** The same, where it has to go well. @param {string[]} args @returns {Promise<string>} what it wrote */
export async function podman(...args) {
  const { code, stdout, stderr } = await tryPodman(...args);
  if (code !== 0) throw new Error(`podman ${args[0]} ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/** What a container may do in docker/compose.yaml. */
export const CONFINED = ['--read-only', '--read-only-tmpfs=false', '--cap-drop=all', '--security-opt=no-new-privileges'];

export class Container {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @param {string} image @param {string[]} options of podman run @param {string[]} command */
  static async start(image, options, command = []) {
    const id = await podman('run', '--detach', ...options, image, ...command);
    return own(new Container(id));
  }

  exec(...command) {
    return tryPodman('exec', this.name, ...command);
  }

  async inspect() {
    return JSON.parse(await podman('inspect', this.name))[0];
  }

  /** @returns {Promise<string>} both of its outputs */
  async logs() {
    const { stdout, stderr } = await tryPodman('logs', this.name);
    return stdout + stderr;
  }

  /** In a network of podman's. @returns {Promise<string>} */
  async address() {
    const [network] = Object.values((await this.inspect()).NetworkSettings.Networks);
    return network.IPAddress;
  }

  /** SIGTERM, and SIGKILL after so long. @param {number} seconds @returns {Promise<number>} its exit code; 137 where it was killed */
  async stop(seconds) {
    await podman('stop', '--time', String(seconds), this.name);
    return (await this.inspect()).State.ExitCode;
  }

  async end() {
    await podman('rm', '--force', '--time', '0', this.name);
    disown(this);
  }

  endNow() {
    spawnSync(program, ['rm', '--force', '--time', '0', this.name]);
  }
}

/** What is wrong with a container that never comes to be, for waitFor. @param {Container} container */
export function ended(container) {
  const { stdout } = spawnSync(program, ['inspect', '--format', '{{.State.Running}}', container.name], { encoding: 'utf8' });
  return stdout.trim() === 'false' && new Error('the container has ended');
}
