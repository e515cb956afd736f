// The program of echo_server/: the server's WebSocket sessions, echoing.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnBound } from '../../integration/harness/child.js';
import { PROJECT_ROOT } from '../../integration/harness/server_process.js';

/** $FLUXORA_WEBSOCKET_ECHO, or the build of $FLUXORA_PRESET (dev). */
function program() {
  const preset = process.env.FLUXORA_PRESET ?? 'dev';
  const path = process.env.FLUXORA_WEBSOCKET_ECHO
    ?? join(PROJECT_ROOT, 'build', preset, 'tests/realtime/echo_server/fluxora_websocket_echo');
  if (!existsSync(path)) throw new Error(`there is no ${path}: build fluxora_websocket_echo`);
  return path;
}

/** Starts it, for as long as the tests of `t` last. @param {import('node:test').TestContext} t @returns {Promise<number>} its port */
export async function startEchoServer(t) {
  const child = spawnBound(program(), [], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    const gone = once(child, 'exit');
    child.stdin.end();
    await gone;
  });
  for await (const line of createInterface({ input: child.stdout })) return Number(line);
  throw new Error('the echo server ended before it named its port');
}
