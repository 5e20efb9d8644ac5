import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';
import { HANDSHAKE_TIME } from '../wire/handshake.ts';

/** TCP connections that have not proved anything yet, at most. One more closes the oldest. */
export const MOST_STRANGERS = 64;

/** What stands between the network and the handshake: limits on strangers, and the check against web pages. */
export class Gate {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  /** In the order they came. */
  readonly #strangers = new Map<NetSocket, NodeJS.Timeout>();

  constructor({ host, origins }: { host: string; origins: readonly string[] }) {
    this.#origins = new Set(origins);
    this.#hosts = new Set(['localhost', '127.0.0.1', '[::1]', host, `[${host}]`]);
  }

  enter(tcp: NetSocket): void {
    const [oldest] = this.#strangers.keys();
    if (oldest && this.#strangers.size >= MOST_STRANGERS) oldest.destroy();
    tcp.unref();
    this.#strangers.set(tcp, setTimeout(() => tcp.destroy(), HANDSHAKE_TIME).unref());
    tcp.once('close', () => this.leave(tcp));
  }

  /** The connection is authenticated, or gone. */
  leave(tcp: NetSocket): void {
    clearTimeout(this.#strangers.get(tcp));
    this.#strangers.delete(tcp);
  }

  /** Ends everything that is not authenticated. */
  clear(): void {
    for (const tcp of this.#strangers.keys()) tcp.destroy();
  }

  /** The status line for an upgrade that is not let in; undefined for one that is. */
  refuse(request: IncomingMessage): string | undefined {
    const { origin, host = '', 'sec-websocket-protocol': protocols = '' } = request.headers;
    // Every browser names the page's origin, so a web page is known by the header being there at all.
    if (origin !== undefined && !this.#origins.has(origin)) return '403 Forbidden';
    // A web site whose name was made to point here (DNS rebinding) gives itself away by that name.
    if (!this.#hosts.has(host.replace(/:\d*$/, '').toLowerCase())) return '403 Forbidden';
    if (!protocols.split(/,\s*/).includes(SUBPROTOCOL)) return '400 Bad Request';
    return undefined;
  }
}
