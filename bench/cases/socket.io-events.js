// Socket.IO's rooms: whoever joined gets what is sent to the room.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

const ROOM = 'tick';

export function emitter({ port }) {
  const listener = createServer();
  const sockets = new Server(listener, { transports: ['websocket'] });
  sockets.on('connection', (socket) => socket.join(ROOM));
  return new Promise((resolve, reject) => {
    listener.once('error', reject).listen(port, '127.0.0.1', () => {
      resolve({
        count: () => sockets.of('/').adapter.rooms.get(ROOM)?.size ?? 0,
        emit: (payload) => sockets.to(ROOM).emit('tick', payload),
      });
    });
  });
}

export async function subscriber({ port, take }) {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true });
  socket.on('tick', take);
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', reject);
  });
}
