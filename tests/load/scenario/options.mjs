// What `scripts/load scenario` is told. Run by itself it says which groups of scripts/packages.txt are needed, none where
// the server runs already; a wrong argument ends it with status 2.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const SCENARIOS = /** @type {const} */ (['smoke', 'load', 'stress', 'soak']);
const MAX_RATE = 5_000;
const MAX_MINUTES = 24 * 60;

export const HELP = `scripts/load scenario smoke|load|stress|soak [options]

  --url URL        a server that runs already, http or https: reads alone, and no look into its database. Without: a server, a
                   PostgreSQL and a simulated chain of its own
  --writes         creations, pauses and cancellations too, with the API key in FLUXORA_API_KEY; only with --url
  --minutes N      how long (smoke 10 s, load 5, stress 2, soak 10 minutes); not for smoke and stress
  --rate N         requests a second (smoke 40, load 200, stress begins with 100, soak 120), at most ${MAX_RATE}
  --p50 MS, --p99 MS   the most that half, and 99 of 100, of the requests may take
  --refused PERCENT    the most of the requests that may be refused with 429 or 503 (1)
  --redis          the server of its own gets a Redis
  --seed TEXT      the same requests in the same order again
  --report FILE    the report (.local/load-scenario-NAME.html); the figures go beside it, as .json`;

export class UsageError extends Error {}

/** The server named doesn't answer, or has nothing to be asked for. */
export class UnusableServer extends Error {}

/** @param {string | undefined} text @param {string} name @param {number} most */
function positive(text, name, most) {
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,9}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= most))
    throw new UsageError(`--${name} must be a number above 0, at most ${most}, not "${text}"`);
  return value;
}

/** @param {string | undefined} text */
function httpUrl(text) {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search + url.hash + url.username === '';
  if (!isOrigin) throw new UsageError(`--url must be http:// or https://, a host and perhaps a port, not "${text}"`);
  return url.origin;
}

/** @param {string[]} argv */
function parse(argv) {
  const text = { type: /** @type {const} */ ('string') };
  const flag = { type: /** @type {const} */ ('boolean'), default: false };
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        url: text,
        minutes: text,
        rate: text,
        p50: text,
        p99: text,
        refused: text,
        seed: text,
        report: text,
        server: text,
        writes: flag,
        redis: flag,
      },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {string[]} argv
 * @param {Record<string, string | undefined>} env
 */
export function readOptions(argv, env) {
  const {
    values,
    positionals: [scenario, ...others],
  } = parse(argv);
  if (!SCENARIOS.some((name) => name === scenario) || others.length > 0)
    throw new UsageError(`name one scenario of ${SCENARIOS.join(', ')}`);
  const url = httpUrl(values.url);
  const fixed = scenario === 'smoke' || scenario === 'stress';
  if (fixed && values.minutes !== undefined)
    throw new UsageError(`${scenario} is as long as it has to be: no --minutes`);
  if (values.writes && url === undefined)
    throw new UsageError('--writes is for --url; a server of its own is written to anyway');
  if (values.writes && !env.FLUXORA_API_KEY)
    throw new UsageError('--writes needs an API key with streams:write in FLUXORA_API_KEY');
  if (values.redis && url !== undefined) throw new UsageError('--redis is for a server of its own, not for --url');
  if (scenario === 'stress' && url !== undefined)
    throw new UsageError('stress is for a server of its own: it goes on until something gives');
  const refusedPercent = positive(values.refused, 'refused', 100);
  return {
    scenario,
    url,
    writes: url === undefined || values.writes,
    apiKey: values.writes ? env.FLUXORA_API_KEY : undefined,
    minutes: positive(values.minutes, 'minutes', MAX_MINUTES),
    rate: positive(values.rate, 'rate', MAX_RATE),
    p50Ms: positive(values.p50, 'p50', 60_000),
    p99Ms: positive(values.p99, 'p99', 60_000),
    refusedShare: refusedPercent === undefined ? undefined : refusedPercent / 100,
    redis: values.redis,
    seed: values.seed ?? String(Date.now()),
    report: values.report ?? `.local/load-scenario-${scenario}.html`,
    server: values.server,
  };
}

/**
 * Calls `use` with the options. Wrong ones end it with status 2, anything else that goes wrong with 1.
 * @param {(options: ReturnType<typeof readOptions>) => unknown} use
 */
export async function withOptions(use) {
  try {
    await use(readOptions(process.argv.slice(2), process.env));
  } catch (error) {
    const { stack, message } = /** @type {Error} */ (error);
    if (error instanceof UsageError) console.error(`${message}\n\n${HELP}`);
    else console.error(error instanceof UnusableServer ? message : stack);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--help')) console.log(HELP);
  else
    await withOptions(({ url, redis }) =>
      console.log(url === undefined ? `build postgres${redis ? ' redis' : ''}` : ''),
    );
}
