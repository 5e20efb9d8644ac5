import { hostInUrl } from '../../transport/address.ts';
import { attachTo } from '../../transport/attach.ts';
import type { WebServer } from '../../transport/attach.ts';
import type { Door, DoorOptions } from '../../transport/pages.ts';
import type { Listener, Socket } from '../../transport/transport.ts';
import { checkPath } from './page-options.ts';
import type { Settings } from '../options/options.ts';

/**
 * A server of yours at which web pages come in.
 *
 * @example
 * const { createServer } = await import('node:http');
 * const attachment: PageAttachment = createPeer().attach(createServer(), '/net');
 * attachment.close();
 */
export interface PageAttachment {
  /** Lets no more pages in. Connected pages stay. */
  close(): void;
}

/** Where web pages come in: at the port of the option `pages`, and at servers of the user. */
export class PageDoors {
  readonly #settings: Settings;
  /** Takes a connection; undefined while the peer is not online. */
  #accept: ((socket: Socket) => void) | undefined;
  #listener: Listener | undefined;
  readonly #attached = new Set<() => void>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The URL of the port for pages; undefined if there is none. */
  get url(): string | undefined {
    const [address] = this.#listener?.addresses ?? [];
    const { pages } = this.#settings;
    if (!address || !pages) return undefined;
    return `${pages.tls() ? 'wss' : 'ws'}://${hostInUrl(address.host)}:${address.port}${pages.path}`;
  }

  /** Lets pages in. @throws the error that kept it from listening */
  async open(accept: (socket: Socket) => void): Promise<void> {
    const { pages } = this.#settings;
    if (pages) {
      const { listenForPages } = await import('../../transport/pages.ts');
      const port = { host: pages.host, port: pages.port, tls: pages.tls() };
      this.#listener = await listenForPages(port, this.#doorAt(pages.path), accept);
    }
    this.#accept = accept;
  }

  /** Takes the upgrades of the server's path. @throws TypeError for what is no server or path */
  attach(server: WebServer, path: string | undefined): PageAttachment {
    if (typeof (server as WebServer | null)?.on !== 'function' || typeof server.listenerCount !== 'function')
      throw new TypeError('attach: give a server of node:http or node:https');
    const options = this.#doorAt(checkPath('path', path));
    const load = async (): Promise<Door> => {
      const { Door } = await import('../../transport/pages.ts');
      return new Door(options, (socket) => this.#accept?.(socket));
    };
    const detach = attachTo(server, options.path, load(), () => this.#accept !== undefined);
    this.#attached.add(detach);
    return {
      close: () => {
        this.#attached.delete(detach);
        detach();
      },
    };
  }

  /** Lets nobody in any more. Resolves when the port is closed. */
  async close(): Promise<void> {
    this.#accept = undefined;
    for (const detach of this.#attached) detach();
    this.#attached.clear();
    const listener = this.#listener;
    this.#listener = undefined;
    await Promise.all([listener?.close(), listener?.ended]);
  }

  #doorAt(path: string): DoorOptions {
    const { hostNames, origins, limits } = this.#settings;
    return { path, hostNames, origins, largestMessage: limits.message };
  }
}
