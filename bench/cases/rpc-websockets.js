// rpc-websockets: JSON-RPC 2.0 over WebSocket, as in its quick start.
import { Client, Server } from 'rpc-websockets';

export function server({ port, service }) {
  const listener = new Server({ port, host: '127.0.0.1' });
  listener.register('add', ([a, b]) => service.add(a, b));
  listener.register('echo', ([text]) => service.echo(text));
  listener.register('hold', () => service.hold());
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.once('listening', () => resolve({}));
  });
}

export async function connect({ port }) {
  const client = new Client(`ws://127.0.0.1:${port}`, { reconnect: false });
  await new Promise((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
  });
  return {
    add: (a, b) => client.call('add', [a, b]),
    echo: (text) => client.call('echo', [text]),
    hold: () => client.call('hold', []),
    close: () =>
      new Promise((resolve) => {
        client.once('close', resolve);
        client.close();
      }),
  };
}
