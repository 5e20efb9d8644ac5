import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';

/** A small shop, to have something to look at: `node --import tsx tools/dashboard/network.ts api-1 resize-1 …` is one process. */

const sleep = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

/** Most are short, and a few are long. */
const varied = (typical: number): number =>
  typical * Math.exp(1.1 * (Math.random() + Math.random() + Math.random() - 1.5));

class OutOfStock extends Error {}

function offer(peer: Peer, kind: string): void {
  if (kind === 'resize') {
    peer.connect('image.resize', async (_name: string, _width: number) => sleep(varied(14)), {
      concurrency: 8,
      queue: 40,
    });
    peer.connect('image.thumbnail', async (_name: string) => sleep(varied(4)));
    peer.connect('video.transcode', async (_name: string) => sleep(varied(9_000)));
  } else if (kind === 'store') {
    peer.connect('orders.list', (_user: number) => [1, 2, 3]);
    peer.connect('orders.place', async (item: number) => {
      await sleep(varied(1.5));
      if (item % 23 === 0) throw new OutOfStock('nothing is left');
      peer.event('order.placed').emit({ item });
    });
  } else if (kind === 'mail') {
    peer.connect('mail.send', async () => sleep(varied(60)));
    peer.event('order.placed').subscribe(() => {}, { from: { group: '*' } });
    peer.event('stock.low').subscribe(() => {}, { from: { group: '*' } });
  } else {
    peer.event('order.placed').subscribe(() => {}, { from: { group: '*' } });
  }
}

const CALLS = [
  ['orders.list', 12],
  ['orders.place', 5],
  ['image.thumbnail', 4],
  ['image.resize', 3],
  ['mail.send', 0.6],
  ['video.transcode', 0.02],
] as const;

const rate = Number(process.env['RATE'] ?? 1);

function work(peer: Peer): void {
  for (const [tag, often] of CALLS) {
    const remote = peer.remote<(...args: unknown[]) => unknown>(tag);
    const again = (): void => {
      remote
        .any({ group: '*' }, { deadline: 20_000 })(Math.floor(Math.random() * 1_000), 200)
        .catch(() => {});
      setTimeout(again, (varied(1_000) / (often * rate)) * 0.8).unref();
    };
    setTimeout(again, 1_000 * Math.random()).unref();
  }
}

for (const name of process.argv.slice(2)) {
  const kind = name.replace(/-\d+$/, '');
  const peer = createPeer({ name, group: kind === 'api' ? 'web' : kind, hub: kind === 'store' });
  offer(peer, kind);
  await peer.start();
  if (kind === 'api') work(peer);
}
console.log('started');
await new Promise<void>((resolve) => process.once('SIGTERM', resolve));
process.exit();
