// Socket.IO with acknowledgements, its documented way of asking and answering.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

export function server({ port, service }) {
  const listener = createServer();
  const sockets = new Server(listener, {
    transports: ['websocket'],
    // The default of 1 MB would close the connection on the largest echo.
    maxHttpBufferSize: 8 * 1024 * 1024,
  });
  sockets.on('connection', (socket) => {
    socket.on('add', (a, b, answer) => answer(service.add(a, b)));
    socket.on('echo', (text, answer) => answer(service.echo(text)));
    socket.on('hold', (answer) => service.hold().then(answer));
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject).listen(port, '127.0.0.1', () => resolve({}));
  });
}

export async function connect({ port }) {
  const socket = io(`http://127.0.0.1:${port}`, {
    // Long polling first and then an upgrade is the default for browsers; between servers the
    // documentation advises to go to WebSocket at once.
    transports: ['websocket'],
    forceNew: true,
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', reject);
  });
  return {
    add: (a, b) => socket.emitWithAck('add', a, b),
    echo: (text) => socket.emitWithAck('echo', text),
    hold: () => socket.emitWithAck('hold'),
    close: async () => {
      socket.close();
    },
  };
}
