// Control: what one writes in an afternoon on top of ws. One JSON message per call, one per answer.
import { WebSocket, WebSocketServer } from 'ws';

export function server({ port, service }) {
  const listener = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
  listener.on('connection', (socket) => {
    socket.on('message', async (data) => {
      const { id, method, args } = JSON.parse(data);
      const value = await service[method](...args);
      socket.send(JSON.stringify({ id, value }));
    });
    socket.on('error', () => {});
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject).once('listening', () => resolve({}));
  });
}

export async function connect({ port }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const pending = new Map();
  let nextId = 0;
  socket.on('message', (data) => {
    const { id, value } = JSON.parse(data);
    const resolve = pending.get(id);
    pending.delete(id);
    resolve(value);
  });
  const call = (method, args) =>
    new Promise((resolve) => {
      const id = nextId++;
      pending.set(id, resolve);
      socket.send(JSON.stringify({ id, method, args }));
    });
  return {
    add: (a, b) => call('add', [a, b]),
    echo: (text) => call('echo', [text]),
    hold: () => call('hold', []),
    close: () => new Promise((resolve) => socket.once('close', resolve).close()),
  };
}
