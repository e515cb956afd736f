// The yardstick: a small hub on npm's ws, as one would write it. Clients subscribe by stream id; an update is made into
// text once and sent to every subscriber. For each datagram it publishes a burst of as many updates as the datagram says.
import { createSocket } from 'node:dgram';
import { WebSocketServer } from 'ws';

const HOST = '127.0.0.1';
const bytes = Number(process.argv[2]);
const STREAM = process.argv[3];

/** @type {Map<string, Set<import('ws').WebSocket>>} */
const subscribers = new Map();

function subscribe(socket, streamId) {
  if (!subscribers.has(streamId)) subscribers.set(streamId, new Set());
  subscribers.get(streamId).add(socket);
  socket.once('close', () => subscribers.get(streamId).delete(socket));
  socket.send(JSON.stringify({ type: 'subscribed', streamId }));
}

function publish(streamId, update) {
  const text = JSON.stringify({ type: 'stream_update', streamId, ...update });
  for (const socket of subscribers.get(streamId) ?? []) socket.send(text);
}

const server = new WebSocketServer({ host: HOST, port: 0, path: '/ws/streams' });
server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'subscribe') subscribe(socket, message.streamId);
  });
});

const around = JSON.stringify({ type: 'stream_update', streamId: STREAM, payload: '' }).length;
const payload = 'x'.repeat(Math.max(0, bytes - around));
const control = createSocket('udp4');
control.on('message', (data) => {
  for (let left = Number(data.toString()); left > 0; left -= 1) publish(STREAM, { payload });
});
control.bind(0, HOST, () => {
  const listening = () => console.log(JSON.stringify({ event: 'listening', port: server.address().port, control: control.address().port }));
  if (server.address() === null) server.once('listening', listening);
  else listening();
});
