/** Receivers to copy: the very programs that are tested in their runtimes. Each comes when it is asked for. */

export interface ReceiverFile {
  readonly name: string;
  readonly load: () => Promise<{ default: string }>;
}

export interface ReceiverProgram {
  readonly name: string;
  readonly title: string;
  /** Where it remembers what was handled, and what else there is to know. */
  readonly note: string;
  readonly files: readonly ReceiverFile[];
}

/** The place for one's own code: the same text in all of them. */
const handler = (name = 'handler.js'): ReceiverFile =>
  ({ name, load: () => import('../../../edge/examples/node-http/handler.js?raw') });

export const RECEIVERS: readonly ReceiverProgram[] = [
  {
    name: 'cloudflare-workers',
    title: 'Workers',
    note: 'Cloudflare Workers. A Durable Object remembers what was handled.',
    files: [
      { name: 'src/index.js', load: () => import('../../../edge/examples/cloudflare-workers/src/index.js?raw') },
      handler('src/handler.js'),
    ],
  },
  {
    name: 'deno',
    title: 'Deno',
    note: 'It remembers what was handled in its own memory.',
    files: [{ name: 'index.js', load: () => import('../../../edge/examples/deno/index.js?raw') }, handler()],
  },
  {
    name: 'bun',
    title: 'Bun',
    note: 'Redis remembers what was handled.',
    files: [{ name: 'index.js', load: () => import('../../../edge/examples/bun/index.js?raw') }, handler()],
  },
  {
    name: 'node-http',
    title: 'Node.js',
    note: 'Node’s own http server. It remembers what was handled in its own memory.',
    files: [{ name: 'index.js', load: () => import('../../../edge/examples/node-http/index.js?raw') }, handler()],
  },
  {
    name: 'express',
    title: 'Express',
    note: 'PostgreSQL remembers what was handled. The receiver stands before the parsers.',
    files: [{ name: 'index.js', load: () => import('../../../edge/examples/express/index.js?raw') }, handler()],
  },
  {
    name: 'vercel-edge',
    title: 'Vercel Edge',
    note: 'A Redis that is asked over HTTP remembers what was handled.',
    files: [
      { name: 'api/webhooks.js', load: () => import('../../../edge/examples/vercel-edge/api/webhooks.js?raw') },
      { name: 'redis.js', load: () => import('../../../edge/examples/vercel-edge/redis.js?raw') },
      handler(),
    ],
  },
  {
    name: 'aws-lambda',
    title: 'AWS Lambda',
    note: 'Function URLs and both APIs of API Gateway. A Redis that is asked over HTTP remembers what was handled.',
    files: [
      { name: 'index.js', load: () => import('../../../edge/examples/aws-lambda/index.js?raw') },
      { name: 'redis.js', load: () => import('../../../edge/examples/aws-lambda/redis.js?raw') },
      handler(),
    ],
  },
];
