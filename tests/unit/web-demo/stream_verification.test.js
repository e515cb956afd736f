// A stream's history is read as a whole, folded, and compared with what the service says: here against a service and a
// fold that a test makes up. tests/browser/stream.test.js has the real ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ServiceError } from '../../../web-demo/compiled/live/service.js';
import { verify } from '../../../web-demo/compiled/stream/verification.js';

/** A fold whose streams say what the last entry's payload did. */
const core = {
  streamHistory: (id) => ({
    stream: null,
    fold(entry, split) {
      const said = split === undefined ? JSON.parse(entry.xdr.value) : { splitFrom: split.name };
      const version = entry.seq;
      this.stream = entry.event === 'stream.retracted' ? null
        : { toJson: (asOf) => JSON.stringify({ id, version, asOf, ...said }) };
      return { stream: this.stream, child: entry.kind === 'del_share' ? { name: `child of ${entry.seq}` } : null };
    },
  }),
  contractEventToJson: ({ value }) => JSON.stringify({ streamNumber: JSON.parse(value).parent }),
};

const anEntry = (seq, said, changes = {}) => ({ seq, cursor: `e-${seq}`, event: 'stream.updated', kind: 'withdrew',
  contractId: 'C', closedAt: '2026-03-29T09:31:27Z', prevSeq: seq === 1 ? null : seq - 1, stream: null,
  xdr: { topics: [], value: JSON.stringify(said) }, ...changes });

/** A service that answers each request with what `answer` gives for it: JSON, or a status. */
function serviceOf(answer) {
  const asked = [];
  return { asked,
    async json(path, { headers = {} }) {
      const url = new URL(path, 'http://service');
      asked.push({ path, headers });
      const found = answer(url.pathname, url.searchParams, asked.length);
      if (typeof found === 'number') throw new ServiceError(`answered ${found}`, found);
      return found;
    } };
}

const pageOf = (events, { hasMore = false, resume = { outcome: 'resumed' } } = {}) =>
  ({ events, has_more: hasMore, next_cursor: events.at(-1)?.cursor ?? 'e-0', resume });

const run = (service, progress = () => {}) => verify(core, service, 's', new AbortController().signal, progress);

/** A stream whose history and state are these. */
const stillService = (events, state) =>
  serviceOf((path, query) => (path.endsWith('/events') ? pageOf(query.has('after') ? [] : events) : state));

test('a history that leads to what the service says is equal to it', async () => {
  const verdict = await run(stillService([anEntry(1, { paid: '1' }), anEntry(2, { paid: '2' })],
    { id: 's', version: 2, asOf: 7, paid: '2' }));
  assert.equal(verdict.isEqual, true);
  assert.deepEqual([verdict.entries, verdict.from, verdict.to, verdict.asOf], [2, 'e-1', 'e-2', 7]);
  assert.deepEqual(verdict.members.map(({ name }) => name), ['id', 'version', 'asOf', 'paid']);
});

test('a member that the service says otherwise is named', async () => {
  const verdict = await run(stillService([anEntry(1, { paid: '1' })], { id: 's', version: 1, asOf: 7, paid: '3' }));
  assert.equal(verdict.isEqual, false);
  assert.deepEqual(verdict.members.filter(({ isEqual }) => !isEqual),
    [{ name: 'paid', ours: '1', theirs: '3', isEqual: false }]);
});

test('an entry that shows something else than the fold makes of it is named, the first one', async () => {
  const shown = (version, paid) => ({ stream: { id: 's', version, asOf: 1774776687, paid } });
  const entries = [['1', '1'], ['2', '9'], ['3', '8']]
    .map(([paid, says], i) => anEntry(i + 1, { paid }, shown(i + 1, says)));
  const verdict = await run(stillService(entries, { id: 's', version: 3, asOf: 7, paid: '3' }));
  assert.equal(verdict.isEqual, false);
  assert.deepEqual(verdict.entryDifference,
    { seq: 2, member: { name: 'paid', ours: '2', theirs: '9', isEqual: false } });
});

test('pages follow each other, and where the stream has changed meanwhile, its newer entries', async () => {
  const service = serviceOf((path, query) => {
    if (!path.endsWith('/events')) {
      const version = service.asked.length > 4 ? 3 : 2;
      return { id: 's', version: service.asked.length === 3 ? 3 : version, asOf: 7, paid: '3' };
    }
    assert.equal(query.get('xdr'), 'true');
    const after = query.get('after');
    if (after === null) return pageOf([anEntry(1, { paid: '1' })], { hasMore: true });
    return after === 'e-1' ? pageOf([anEntry(2, { paid: '2' })]) : pageOf([anEntry(3, { paid: '3' })]);
  });
  const verdict = await run(service);
  assert.equal(verdict.isEqual, true);
  assert.equal(verdict.entries, 3);
  assert.deepEqual(service.asked.map(({ headers }) => headers['x-fluxora-min-version']).filter(Boolean), ['2', '3']);
});

test('a stream that never rests gets no verdict, and isn’t read for ever', async () => {
  let entries = 0;
  const service = serviceOf((path) => {
    if (!path.endsWith('/events')) return { id: 's', version: entries + 1, asOf: 7 };
    entries += 1;
    return pageOf([anEntry(entries, {})]);
  });
  await assert.rejects(run(service), { name: 'HistoryProblem', reason: 'restless' });
  assert.equal(entries, 5);
});

test('a stream that is taken back while its history is read is none on both sides', async () => {
  const taken = { event: 'stream.retracted', retracts: 1 };
  const service = serviceOf((path, query) => {
    if (!path.endsWith('/events')) return 404;
    return query.get('after') === null ? pageOf([anEntry(1, { paid: '1' })]) : pageOf([anEntry(2, null, taken)]);
  });
  const verdict = await run(service);
  assert.deepEqual([verdict.isEqual, verdict.entries, verdict.asOf, verdict.members], [true, 2, null, []]);
});

test('a history whose beginning was pruned can’t be folded', async () => {
  const gap = { outcome: 'gap', gap: { from: 1, to: 8 } };
  await assert.rejects(run(serviceOf(() => pageOf([anEntry(9, {})], { resume: gap }))),
    { name: 'HistoryProblem', reason: 'pruned', message: 'Log positions 1 to 8 were pruned.' });
  await assert.rejects(run(stillService([anEntry(9, {})], {})), { name: 'HistoryProblem', reason: 'pruned' });
});

test('another log, and a history without an end, are told', async () => {
  await assert.rejects(run(serviceOf(() => pageOf([], { resume: { outcome: 'epoch_changed' } }))), { reason: 'another_log' });
  let seq = 0;
  const endless = serviceOf(() => {
    seq += 1;
    return pageOf([anEntry(seq, {})], { hasMore: true });
  });
  await assert.rejects(run(endless), { name: 'HistoryProblem', reason: 'too_long' });
  assert.equal(endless.asked.length, 50);
});

test('what the log leaves and the service hasn’t differs, and no answer is no verdict', async () => {
  const gone = await run(stillService([anEntry(1, { paid: '1' })], 404));
  assert.equal(gone.isEqual, false);
  assert.ok(gone.members.every(({ theirs }) => theirs === '(not there)'));
  await assert.rejects(run(serviceOf(() => 503)), { name: 'ServiceError', status: 503 });
});

test('a stream that was split off begins with what its parent’s history gives', async () => {
  const split = { event: 'stream.created', kind: 'del_share', prevSeq: null };
  const service = serviceOf((path) => {
    if (path === '/api/streams/C-4/events') {
      return pageOf([anEntry(1, {}), anEntry(2, {}), anEntry(6, {}, { kind: 'del_share' }), anEntry(9, {})]);
    }
    return path.endsWith('/events') ? pageOf([anEntry(7, { parent: '4' }, split)])
      : { id: 's', version: 7, asOf: 7, splitFrom: 'child of 6' };
  });
  const verdict = await run(service);
  assert.equal(verdict.isEqual, true);
  assert.deepEqual([verdict.entries, verdict.parentEntries], [1, 4]);
});

test('a chain of parents has an end', async () => {
  let number = 0;
  const service = serviceOf(() => {
    number += 1;
    return pageOf([anEntry(7, { parent: number }, { event: 'stream.created', kind: 'del_share', prevSeq: null })]);
  });
  await assert.rejects(run(service), { name: 'HistoryProblem', reason: 'too_long' });
  assert.equal(number, 17);
});

test('a long history says how far it is', async () => {
  const heard = [];
  const entries = Array.from({ length: 600 }, (_, index) => anEntry(index + 1, {}));
  await run(stillService(entries, { id: 's', version: 600, asOf: 7 }), (count) => heard.push(count));
  assert.deepEqual(heard, [250, 500]);
});
