// Control, "the limit": one line of JSON to each socket, everything written in one turn as one write.
import net from 'node:net';
import { lineWriter, onMessages } from './raw-tcp.js';

export function emitter({ port }) {
  const writers = [];
  const listener = net.createServer((socket) => {
    writers.push(lineWriter(socket));
    socket.on('error', () => {});
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject).listen(port, '127.0.0.1', () => {
      resolve({
        count: () => writers.length,
        emit(payload) {
          const line = JSON.stringify(payload);
          for (const write of writers) write(line);
        },
      });
    });
  });
}

export async function subscriber({ port, take }) {
  const socket = net.connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  onMessages(socket, take);
}
