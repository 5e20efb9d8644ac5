import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createPeer } from '../index.ts';
import type { Peer, PeerWatch, Selector } from '../index.ts';
import { DEFAULT_TAGS } from '../base/tag.ts';
import { MemoryNetwork } from '../testing.ts';
import { PAGE_FILES, pageFiles } from './files.ts';
import { Fleet } from './fleet.ts';
import type { FleetMessage } from './messages.ts';

/** Serves the dashboard: the files of the page, and what the page shows. */

export interface DashboardOptions {
  /** The peer that watches the others. */
  observer: Peer;
  /** The peers that are shown. */
  selector: Selector;
  /** 0 for any. */
  port: number;
  /** The folder of the built page. Default: where the package has it. */
  files?: URL;
}

export interface Dashboard {
  /** With the pass of the page in its fragment, which browsers do not send. */
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** @throws the error that kept it from listening */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { observer, selector, port, files = PAGE_FILES } = options;
  const server = createServer(pageFiles(files));
  await listen(server, port);
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const fleet = new Fleet(observer, selector);
  const door = createDoor(fleet);
  door.attach(server, '/net');
  const pass = await door.pass({
    may: [DEFAULT_TAGS.watch],
    origins: [origin, origin.replace(HOST, 'localhost')],
    expires: '366d',
    name: 'dashboard',
  });
  return {
    url: `${origin}/#${pass}`,
    close: async () => {
      fleet.stop();
      server.close();
      await door.stop();
      server.closeAllConnections();
    },
  };
}

/**
 * The peer that the page connects to. It is alone in a world of its own, so that the pass of the page opens nothing else, and is
 * of no use once this process has ended.
 */
function createDoor(fleet: Fleet): Peer {
  const secret = `net1_${randomBytes(32).toString('base64url')}`;
  const door = createPeer({ name: 'dashboard', network: new MemoryNetwork(), secret, drainTime: 0 });
  door.use((call, next) => {
    if (call.direction !== 'incoming' || call.tag !== DEFAULT_TAGS.watch) return next();
    const [options] = call.args as [{ peer?: string }?];
    return options?.peer === undefined ? fleet.read() : watchOne(fleet, options.peer, call.signal);
  });
  return door;
}

/** What one peer tells of itself, with its actors. @throws Error when it is not there */
async function* watchOne(
  fleet: Fleet,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<PeerWatch | FleetMessage, void, void> {
  const peer = fleet.find(id);
  if (!peer) throw new Error('this peer has left');
  yield* peer.watch({ actors: true, signal });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
}
