// A child process that can't outlive this one.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/**
 * Like spawn. Where setpriv exists the child gets SIGKILL when this process dies; it execs, so the id is the
 * program's own. `uid` and `gid` need root.
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function spawnBound(program, args, { uid, gid, ...options }) {
  if (!SETPRIV) return spawn(program, args, { ...options, uid, gid });
  const identity = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return spawn(SETPRIV, [...identity, '--pdeathsig', 'SIGKILL', '--', program, ...args], options);
}

/** The text of a stream, its first and last parts when there is a lot of it. */
export class BoundedText {
  /** @param {number} limit characters kept at each end */
  constructor(limit = 16_384) {
    this.limit = limit;
    this.head = '';
    this.tail = '';
    this.dropped = 0;
  }

  /** @param {string} text */
  add(text) {
    const room = this.limit - this.head.length;
    if (room > 0) this.head += text.slice(0, room);
    this.tail += text.slice(Math.max(0, room));
    if (this.tail.length > 2 * this.limit) {
      this.dropped += this.tail.length - this.limit;
      this.tail = this.tail.slice(-this.limit);
    }
  }

  toString() {
    return this.dropped > 0 ? `${this.head}\n… ${this.dropped} characters …\n${this.tail}` : this.head + this.tail;
  }
}
