// Servers that show every metric that there is: none shows all, for one reads the chain and another is sent its events.
import { readPrometheusText } from '../../api/harness/prometheus_text.js';
import { request } from '../../integration/harness/http_client.js';
import { PostgresCluster } from '../../integration/harness/postgres_cluster.js';
import { ServerProcess } from '../../integration/harness/server_process.js';
import { newDatabase, serverEnvironment } from '../../integration/harness/stack.js';
import { startWebhookStack } from '../../webhooks/harness/webhook_server.js';

/** Nobody is there. */
const NOWHERE = 'http://127.0.0.1:9';

/** A stack whose server follows a chain, with `metrics`: the names of all metrics, of a second kind of server too. */
export async function startWatchedStack() {
  const cluster = await PostgresCluster.start({ fsync: false });
  const stack = await startWebhookStack({
    cluster,
    simulator: { seed: 'watched', streams: 10 },
    env: {
      HORIZON_URL: NOWHERE,
      REDIS_URL: 'redis://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_ENDPOINT: NOWHERE,
      LOG_RETENTION_DAYS: '3650',
      WEBHOOK_RETRY_SCHEDULE: '1s',
      SHUTDOWN_GRACE_MS: '2000',
    },
  });
  stack.runScenario(10);
  await stack.settle();
  const families = async (server) => [...readPrometheusText((await request(`${server.baseUrl}/metrics`)).text).values()];
  const taker = await ServerProcess.start({
    ...serverEnvironment(await newDatabase({ cluster }), null), CONTRACT_IDS: String(stack.server.env.CONTRACT_IDS),
  });
  const shown = [...await families(stack.server), ...await families(taker)];
  await taker.stop();
  const endings = { histogram: ['_bucket', '_sum', '_count'] };
  const metrics = new Set(shown.flatMap(({ name, type }) => (endings[type] ?? ['']).map((ending) => name + ending)));
  return Object.assign(stack, { cluster, metrics });
}
