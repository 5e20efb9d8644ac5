// NATS request/reply through a broker of its own, started for this case alone. The broker's
// processor time is counted on the serving side.
import { spawn } from 'node:child_process';
import { connect as dial } from '@nats-io/transport-node';

const NO_LIMIT_MS = 600_000;

export async function server({ port, service }) {
  const broker = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  process.on('exit', () => broker.kill());
  await new Promise((resolve, reject) => broker.once('spawn', resolve).once('error', reject));
  const connection = await dialPatiently(port);
  connection.subscribe('add', {
    callback(error, message) {
      const [a, b] = message.json();
      message.respond(JSON.stringify(service.add(a, b)));
    },
  });
  connection.subscribe('echo', {
    // Plain text: wrapped in JSON the largest echo would exceed the broker's limit of 1 MiB.
    callback(error, message) {
      message.respond(service.echo(message.string()));
    },
  });
  await connection.flush();
  return { pids: [broker.pid] };
}

export async function connect({ port }) {
  const connection = await dialPatiently(port);
  const request = (subject, payload) => connection.request(subject, payload, { timeout: NO_LIMIT_MS });
  return {
    add: async (a, b) => (await request('add', JSON.stringify([a, b]))).json(),
    echo: async (text) => (await request('echo', text)).string(),
    close: () => connection.close(),
  };
}

export async function dialPatiently(port) {
  return dial({
    servers: `127.0.0.1:${port}`,
    waitOnFirstConnect: true,
    reconnectTimeWait: 50,
    maxReconnectAttempts: 100,
  });
}
