// Cap'n Web over a WebSocket session. Its other way, a batch of pipelined calls in one HTTP request,
// answers a different question; here each call is awaited like everybody else's.
import { RpcTarget, newWebSocketRpcSession } from 'capnweb';
import { WebSocket, WebSocketServer } from 'ws';

// The library reads the constants of the global class, which Node has only from version 22 on.
globalThis.WebSocket ??= WebSocket;

export function server({ port, service }) {
  // Only methods of the class are callable from outside, properties of the instance are not.
  class Api extends RpcTarget {
    add(a, b) {
      return service.add(a, b);
    }

    echo(text) {
      return service.echo(text);
    }

    hold() {
      return service.hold();
    }
  }
  const listener = new WebSocketServer({ port, host: '127.0.0.1' });
  listener.on('connection', (socket) => newWebSocketRpcSession(socket, new Api()));
  return new Promise((resolve, reject) => {
    listener.once('error', reject).once('listening', () => resolve({}));
  });
}

export async function connect({ port }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const api = newWebSocketRpcSession(socket);
  return {
    add: (a, b) => api.add(a, b),
    echo: (text) => api.echo(text),
    hold: () => api.hold(),
    close: () =>
      new Promise((resolve) => {
        socket.once('close', resolve);
        api[Symbol.dispose]();
      }),
  };
}
