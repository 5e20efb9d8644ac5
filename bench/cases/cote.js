// cote: a Responder and a Requester which find each other by UDP.
//
// Its defaults broadcast on every network. Here each process announces itself to two addresses of
// the loopback network, one for the server and one for the client: packets to a single address
// reach only one of several processes sharing a port, and a real broadcast would leave the host.
// All of 127.0.0.0/8 is local on Linux; elsewhere 127.0.0.2 may have to be configured first.
import cote from 'cote';

const SERVER = '127.0.0.1';
const CLIENT = '127.0.0.2';

export async function server({ port, service }) {
  const responder = new cote.Responder({ name: 'server', port }, discovery(SERVER, port));
  responder.on('add', ({ a, b }, answer) => answer(null, service.add(a, b)));
  responder.on('echo', ({ text }, answer) => answer(null, service.echo(text)));
  return {};
}

export async function connect({ port }) {
  const requester = new cote.Requester({ name: 'client' }, discovery(CLIENT, port));
  // Calls made before the server is found are queued by cote.
  await requester.send({ type: 'add', a: 0, b: 0 });
  return {
    add: (a, b) => requester.send({ type: 'add', a, b }),
    echo: (text) => requester.send({ type: 'echo', text }),
    close: async () => requester.close(),
  };
}

function discovery(address, port) {
  return { address, port, unicast: `${SERVER},${CLIENT}`, log: false, helloInterval: 500 };
}
