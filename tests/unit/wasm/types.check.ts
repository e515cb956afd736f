// Compiled, never run: what the declarations must take, and what they must refuse.
import { FluxoraError, fromModule, load } from '../../../wasm/package/src/index.js';
import type {
  Balances, FeedStep, FluxoraErrorCode, StreamTerms, WebhookVerdict,
} from '../../../wasm/package/src/index.js';
import { connectFeed } from '../../../wasm/package/src/feed.js';
import type { Feed, FeedOptions, FeedTopic, LogEntry, Stream } from '../../../wasm/package/src/feed.js';
import { load as loadVerify } from '../../../wasm/package/src/verify.js';

declare const module: WebAssembly.Module;
declare const stream: StreamTerms & { id: string };

export async function use(): Promise<string> {
  const core = await load();
  const same: typeof core = fromModule(module);
  const units: bigint = core.amounts.parse('1.5');
  const text: string = core.amounts.format(core.amounts.divideFixed(units, 3n, 'half_even'));

  const columns = same.streamColumns();
  columns.set(stream);
  columns.set({ ...stream, cancelledAt: null, startTime: 5, depositAmount: 10n, endTime: '18446744073709551615' } as
    StreamTerms & { id: string });
  const balances = columns.accrue(1n);
  for (const { id, streamed } of balances) console.log(id, streamed);
  const one: Balances = core.balancesAt(stream, 1n);
  const key: Uint8Array = core.strkey.decode(text).payload;
  try {
    core.cursor.parse('x');
  } catch (error) {
    if (error instanceof FluxoraError) {
      const code: FluxoraErrorCode = error.code;
      if (code === 'CURSOR_INVALID') return code;
    }
  }

  const { webhooks } = await loadVerify();
  const verifier = webhooks.verifier([text, { secret: text, graceEnds: 5 }, undefined], { requireStandard: true });
  const verdict: WebhookVerdict = verifier.verify({ headers: new Headers(), body: key, now: 5n });
  verifier.verify({ headers: { 'Webhook-Id': ['a', 'b'], other: undefined }, body: key.buffer as ArrayBuffer });
  const signed: Record<string, string> = { ...core.webhooks.sign({ secret: text, id: 'a', body: text }) };
  const folded = core.fold(null, { topics: [text], value: text },
    { contractId: text, ledger: 1, txHash: text, closedAt: 5, seq: 1n });
  const child: string | undefined = folded.child?.toJson(5);
  const history = core.streamHistory(stream.id);
  const refused: FluxoraErrorCode | null = history.fold({ event: 'stream.ended', streamId: stream.id, seq: 5,
    prevSeq: null, closedAt: text, ledger: 5, txHash: null, xdr: null }, folded.stream).refused;
  const after: string | undefined = history.stream?.toJson(5);
  // @ts-expect-error a history may hold no stream
  history.stream.toJson(5);
  core.fold(folded.stream, { topics: [], value: '' },
    { contractId: text, ledger: 1, txHash: text, closedAt: 5, seq: '7' });
  const step: FeedStep = core.feedClient({ scope: 'party', from: null }).entry({ cursor: text, prevSeq: null });
  if (step.action === 'ask') console.log(step.after, step.to, step.streamId, child, signed, verdict.code);
  console.log(refused, after);
  const texts: readonly string[] = balances.texts('withdrawable');
  const words: BigUint64Array = balances.words('remaining');
  console.log(texts, words);

  // @ts-expect-error Only the main entry signs.
  webhooks.sign({ secret: text, id: 'a', body: text });
  // @ts-expect-error A verdict can't be written.
  verdict.ok = true;
  // @ts-expect-error There is no such column.
  balances.texts('paid');
  // @ts-expect-error Only what asks for entries names them.
  step.after;
  // @ts-expect-error A body is bytes or text, not parsed JSON.
  verifier.verify({ headers: {}, body: { type: 'stream.updated' } });
  // @ts-expect-error A number is no amount.
  core.amounts.format(1.5);
  // @ts-expect-error Nor are units text.
  core.amounts.add('1', 2n);
  // @ts-expect-error Rounding is always said.
  core.amounts.divideFixed(1n, 2n);
  // @ts-expect-error There is no such rounding.
  core.amounts.divideFixed(1n, 2n, 'nearest');
  // @ts-expect-error An amount of a stream is no number either.
  columns.set({ ...stream, depositAmount: 1 });
  // @ts-expect-error A stream in columns has an id.
  columns.set(stream as StreamTerms);
  // @ts-expect-error Balances can't be written.
  one.streamed = '0';
  // @ts-expect-error The core is what its functions say, nothing else.
  core.memory;
  return `${key.length}${balances.streamed(0)}`;
}

/** A feed, and what its messages are known to be. */
export async function follow(options: FeedOptions, socket: new (url: string) => object): Promise<void> {
  const core = await load();
  const url = 'https://service.test';
  const feed: Feed = connectFeed({ core, url, all: true, WebSocket: socket, token: async () => 't' });
  for await (const message of feed) {
    const at: string = message.cursor;
    if (message.type === 'entry') {
      const entry: LogEntry = message.entry;
      const stream: Stream | null | undefined = entry.stream;
      console.log(at, stream?.withdrawableAmount, entry.change?.ratePerSecond?.[1]);
      // @ts-expect-error An entry has no state.
      message.state;
    } else {
      const [first]: Stream[] = message.state;
      if (message.reason === 'gap') console.log(first?.id, message.gap?.from);
    }
  }
  const resumed: string | null = feed.cursor;
  await feed.close();

  const refetch = async ({ signal }: { signal: AbortSignal }) => {
    return { cursor: 'k3f9-1', state: new Map([['a', signal.aborted]]) };
  };
  for await (const message of connectFeed({ core, url: '/', recipient: 'G', refetch, after: resumed ?? undefined })) {
    if (message.type === 'reset') console.log(message.state.get('a') === true);
  }
  for await (const message of connectFeed({ core, url: '/', sender: 'G', refetch: false, event: 'stream.updated' })) {
    if (message.type === 'reset') message.state satisfies null;
  }
  connectFeed({
    ...options, all: true,
    onStatus: (status) => {
      if (status.status === 'waiting') console.log(status.delayMs, status.cause.code, status.cause.status);
      if (status.status === 'open') console.log(status.resume, status.cursor);
      // @ts-expect-error Only a feed that waits says for how long.
      status.delayMs;
    },
  });
  // @ts-expect-error What is followed is always said.
  connectFeed({ core, url: '/' });
  // @ts-expect-error One thing at a time.
  const two: FeedTopic = { streamId: 's', recipient: 'G' };
  // @ts-expect-error There is no such transport.
  connectFeed({ core, url: '/', all: true, transport: 'tcp' });
  // @ts-expect-error Nor such an event.
  connectFeed({ core, url: '/', all: true, event: 'stream.paused' });
  console.log(two);
}
