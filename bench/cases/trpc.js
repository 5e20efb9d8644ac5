// tRPC over its WebSocket link.
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocket, WebSocketServer } from 'ws';

// A procedure must declare its input to receive it. A schema library would add its own cost, which
// is not what is measured, so the declaration accepts anything.
const anything = (input) => input;

export function server({ port, service }) {
  const { procedure, router } = initTRPC.create();
  const listener = new WebSocketServer({ port, host: '127.0.0.1' });
  applyWSSHandler({
    wss: listener,
    router: router({
      add: procedure.input(anything).query(({ input: [a, b] }) => service.add(a, b)),
      echo: procedure.input(anything).query(({ input }) => service.echo(input)),
      hold: procedure.query(() => service.hold()),
    }),
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject).once('listening', () => resolve({}));
  });
}

export async function connect({ port }) {
  const socket = createWSClient({ url: `ws://127.0.0.1:${port}`, WebSocket });
  const client = createTRPCClient({ links: [wsLink({ client: socket })] });
  // The link opens its connection lazily.
  await client.add.query([0, 0]);
  return {
    add: (a, b) => client.add.query([a, b]),
    echo: (text) => client.echo.query(text),
    hold: () => client.hold.query(),
    close: () => socket.close(),
  };
}
