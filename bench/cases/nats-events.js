// NATS publish/subscribe through a broker of its own, whose processor time is counted with the emitter's.
import { spawn } from 'node:child_process';
import { dialPatiently } from './nats.js';

export async function emitter({ port }) {
  const broker = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  process.on('exit', () => broker.kill());
  await new Promise((resolve, reject) => broker.once('spawn', resolve).once('error', reject));
  const connection = await dialPatiently(port);
  let ready = 0;
  connection.subscribe('ready', { callback: () => ready++ });
  await connection.flush();
  return {
    pids: [broker.pid],
    count: () => ready,
    emit: (payload) => connection.publish('tick', JSON.stringify(payload)),
  };
}

export async function subscriber({ port, take }) {
  const connection = await dialPatiently(port);
  connection.subscribe('tick', { callback: (error, message) => take(message.json()) });
  connection.publish('ready');
  await connection.flush();
}
