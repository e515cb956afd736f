// What of the service a feed needs, with five entries in its log: each connection ends behind two of them, so that a
// client gets all of them by resuming alone.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const EPOCH = 'k3f9';
const ENTRIES = [1, 2, 3, 4, 5].map((seq) => ({
  schemaVersion: 1, cursor: `${EPOCH}-${seq}`, seq, event: 'stream.updated', streamId: 's',
  prevSeq: seq === 1 ? null : seq - 1,
}));
const A_CONNECTION = 2;

/** What a connection gets that resumes at a cursor. */
function after(cursor) {
  const seq = parseInt(cursor.split('-')[1], 10);
  return { answer: { resume: 'resumed', cursor }, entries: ENTRIES.slice(seq, seq + A_CONNECTION) };
}

function stream(cursor, response) {
  const { answer, entries } = after(cursor);
  const events = entries.map((entry) => {
    return `id: ${entry.cursor}\nevent: ${entry.event}\ndata: ${JSON.stringify(entry)}\n\n`;
  });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`retry: 3000\nid: ${cursor}\nevent: resume\ndata: ${JSON.stringify(answer)}\n\n${events.join('')}`);
}

function follow(socket) {
  socket.on('message', (text) => {
    const { type, streamId, after: cursor } = JSON.parse(text);
    if (type !== 'subscribe') return;
    const { answer, entries } = after(cursor);
    socket.send(JSON.stringify({ type: 'subscribed', streamId, ...answer }));
    for (const entry of entries) {
      socket.send(JSON.stringify({ type: 'stream_update', cursor: entry.cursor, payload: entry }));
    }
    socket.close(1012);
  });
}

/**
 * A server on loopback.
 * @param {import('node:http').RequestListener} [others] answers what is no feed's
 */
export async function startFeedStub(others = (_, response) => response.writeHead(404).end()) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname === '/api/events/stream') stream(url.searchParams.get('after'), response);
    else others(request, response);
  });
  const sockets = new WebSocketServer({ server, path: '/ws/streams' });
  sockets.on('connection', follow);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
