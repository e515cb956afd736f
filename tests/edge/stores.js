// What the examples remember handled deliveries in, where they take it from the environment: the real things.
import { newDatabase } from '../integration/harness/stack.js';
import { RedisServer } from '../realtime/harness/redis_server.js';
import { serveRedisOverHttp } from './redis_over_http.js';

export class Stores {
  static async start() {
    const stores = new Stores();
    stores.redis = await RedisServer.start();
    stores.http = await serveRedisOverHttp(stores.redis);
    stores.database = await newDatabase();
    return stores;
  }

  /** What an example is told, by its name. @param {string} example @returns {Record<string, string>} */
  environment(example) {
    const environments = {
      express: { DATABASE_URL: this.database.url },
      bun: { REDIS_URL: this.redis.url() },
      'vercel-edge': this.http.env,
      'aws-lambda': this.http.env,
    };
    return environments[example] ?? {};
  }

  stop() {
    this.http?.stop();
  }
}
