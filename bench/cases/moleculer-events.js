// Moleculer's broadcast over its own TCP transporter: nodes connected to each other, no broker.
import { createBroker } from './moleculer.js';

const EMITTER = 'emitter';

export async function emitter({ port }) {
  const broker = createBroker(EMITTER, { port });
  await broker.start();
  return {
    count: () =>
      broker.registry.nodes
        .list({ onlyAvailable: true, withServices: true })
        .filter(({ services }) => services?.some(({ name }) => name.startsWith('subscriber'))).length,
    emit: (payload) => broker.broadcast('tick', payload),
  };
}

export async function subscriber({ port, index, take }) {
  const broker = createBroker(`subscriber-${index}`, { urls: [`127.0.0.1:${port}/${EMITTER}`] });
  broker.createService({
    name: `subscriber-${index}`,
    // Moleculer looks at the name of the parameter to know what a handler wants.
    events: { tick: (ctx) => take(ctx.params) },
  });
  await broker.start();
}
