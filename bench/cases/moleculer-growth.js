// How Moleculer does with many nodes: the hooks of the growth set. Every node is given the addresses of all
// that start with it, and hears of others by gossip.
import { watching } from '../lib/watching.js';
import { createBroker } from './moleculer.js';

export const growth = {
  async start({ name, others, places }) {
    const { found, lost, ...watch } = watching(others);
    const own = places.find((place) => place.name === name);
    const urls = places
      .filter((place) => place !== own)
      .map((place) => `127.0.0.1:${place.port}/${place.name}`);
    const broker = createBroker(name, { urls, ...(own && { port: own.port }) });
    broker.createService({
      name: 'known',
      events: {
        '$node.connected': (ctx) => found(ctx.params.node.id),
        '$node.disconnected': (ctx) => lost(ctx.params.node.id),
      },
    });
    await broker.start();
    return watch;
  },
};
