// Moleculer with its own TCP transporter: nodes connected to each other, gossip, no broker. Metrics,
// tracing and logging are off, which is the default for the first two.
import moleculer from 'moleculer';

const SERVER = 'server';

export async function server({ port, service }) {
  const broker = createBroker(SERVER, { port });
  broker.createService({
    name: 'bench',
    actions: {
      add: ({ params }) => service.add(params.a, params.b),
      echo: ({ params }) => service.echo(params.text),
    },
  });
  await broker.start();
  return {};
}

export async function connect({ port }) {
  const broker = createBroker('client', { urls: [`127.0.0.1:${port}/${SERVER}`] });
  await broker.start();
  await broker.waitForServices('bench', 30_000, 50);
  return {
    add: (a, b) => broker.call('bench.add', { a, b }),
    echo: (text) => broker.call('bench.echo', { text }),
    close: () => broker.stop(),
  };
}

export function createBroker(nodeID, options) {
  const broker = new moleculer.ServiceBroker({
    nodeID,
    logger: false,
    transporter: {
      type: 'TCP',
      // The server is named to the client instead of being found by multicast, which would leave
      // this host. Presence still travels by gossip. The packet limit makes room for the largest
      // echo.
      options: { udpDiscovery: false, maxPacketSize: 8 * 1024 * 1024, ...options },
    },
  });
  // A node tells others its host name, and they connect back by it. Here both are on loopback.
  broker.registry.nodes.localNode.hostname = '127.0.0.1';
  broker.registry.nodes.localNode.ipList = ['127.0.0.1'];
  return broker;
}
