import { connectPage } from '../../page.ts';
import type { PeerWatch } from '../../presence/set/peer-watch.ts';
import type { FleetMessage } from '../messages.ts';
import type { Store } from './store.ts';

/** The page's connection to the observer. It may call one function there, `net.watch`. */

type Watch = (options?: { peer: string }) => AsyncGenerator<FleetMessage | PeerWatch, void, void>;

/** How long the stream may keep the page waiting, in ms. A message comes every 250 ms. */
const DEADLINE = 10_000;

/** Before the stream is asked for again, in ms. */
const AGAIN = 500;

export interface Feed {
  /** What one peer tells of itself, with its actors, until the signal is aborted. */
  watch(id: string, signal: AbortSignal, take: (message: PeerWatch) => void): Promise<void>;
}

/** Connects, and gives the store all that comes. The connection is made again whenever it is lost. */
export async function connect(store: Store): Promise<Feed> {
  const pass = location.hash.slice(1);
  if (pass === '')
    throw new Error('open the address that app-net dashboard has printed, with all that follows the #');
  const net = await connectPage(new URL('net', location.href.replace(/#.*/, '')), { pass });
  const watch = net.remote<Watch>('net.watch');
  net.on('close', ({ final, reason }) => store.become(final ? 'over' : 'lost', reason));
  const follow = async (): Promise<void> => {
    for (;;) {
      try {
        for await (const message of watch.with({ deadline: DEADLINE })()) {
          if (store.connection !== 'open') store.become('open');
          store.take(message as FleetMessage);
        }
      } catch (error) {
        store.become('lost', (error as Error).message);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  };
  follow().catch((error: unknown) => store.become('over', String(error)));
  return {
    watch: async (peer, signal, take) => {
      for await (const message of watch.with({ deadline: DEADLINE, signal })({ peer }))
        take(message as PeerWatch);
    },
  };
}
