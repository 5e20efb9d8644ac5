// Control: what one writes in an afternoon on top of ws. The text is made once, and sent to each client.
import { WebSocket, WebSocketServer } from 'ws';

export function emitter({ port }) {
  const listener = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
  listener.on('connection', (socket) => socket.on('error', () => {}));
  return new Promise((resolve, reject) => {
    listener.once('error', reject).once('listening', () => {
      resolve({
        count: () => listener.clients.size,
        emit(payload) {
          const text = JSON.stringify(payload);
          for (const client of listener.clients) client.send(text);
        },
      });
    });
  });
}

export async function subscriber({ port, take }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('message', (data) => take(JSON.parse(data)));
}
