// Each step is one script, and so atomic. A key holds the token of a claim, or `done`; Redis lets it go when it is due.
// A claim that its client sends again, having lost the reply, finds its own token.

const CLAIM = `local held = redis.call('GET', KEYS[1])
if held == 'done' then return {'done'} end
if held and held ~= ARGV[1] then return {'busy', redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'new'}`;

const COMPLETE = `local held = redis.call('GET', KEYS[1])
if held and held ~= 'done' and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
return 1`;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

class RedisStore {
  #command;
  #prefix;

  constructor(command, prefix) {
    this.#command = command;
    this.#prefix = prefix;
  }

  async claim(id, { leaseMs }) {
    const token = crypto.randomUUID();
    const [state, leftMs] = await this.#run(CLAIM, id, token, leaseMs);
    // Clients give texts, or their bytes where they were told to.
    switch (String(state)) {
      case 'new': return { state: 'new', token };
      case 'done': return { state: 'done' };
      case 'busy': return { state: 'busy', retryAfterMs: Math.max(0, Number(leftMs)) };
      default: throw new Error('Not a reply of Redis.');
    }
  }

  async complete(id, token, { keepMs }) {
    return Number(await this.#run(COMPLETE, id, token, keepMs)) === 1;
  }

  async release(id, token) {
    await this.#run(RELEASE, id, token);
  }

  #run(script, id, ...values) {
    return this.#command(['EVAL', script, '1', this.#prefix + id, ...values.map(String)]);
  }
}

export function redisStore(command, { prefix = 'fluxora:seen:' } = {}) {
  if (typeof command !== 'function') throw new TypeError('command: not a function.');
  return new RedisStore(command, prefix);
}
