// birpc over ws, wired as in its README.
import { createBirpc } from 'birpc';
import { WebSocket, WebSocketServer } from 'ws';

export function server({ port, service }) {
  const functions = {
    add: (a, b) => service.add(a, b),
    echo: (text) => service.echo(text),
    hold: () => service.hold(),
  };
  const listener = new WebSocketServer({ port, host: '127.0.0.1' });
  listener.on('connection', (socket) => {
    createBirpc(functions, over(socket));
    socket.on('error', () => {});
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject).once('listening', () => resolve({}));
  });
}

export async function connect({ port }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const rpc = createBirpc({}, over(socket));
  return {
    add: (a, b) => rpc.add(a, b),
    echo: (text) => rpc.echo(text),
    hold: () => rpc.hold(),
    close: () =>
      new Promise((resolve) => {
        rpc.$close();
        socket.once('close', resolve).close();
      }),
  };
}

function over(socket) {
  return {
    post: (data) => socket.send(data),
    on: (take) => socket.on('message', take),
    serialize: (value) => JSON.stringify(value),
    deserialize: (data) => JSON.parse(data),
  };
}
