import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
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
  /** The TCP connection under each encrypted one. */
  readonly #underneath = new WeakMap<NetSocket, NetSocket>();

  constructor({ hostNames, origins }: { hostNames: readonly string[]; origins: readonly string[] }) {
    this.#origins = new Set(origins);
    this.#hosts = new Set(['localhost', ...hostNames.map((name) => name.toLowerCase())]);
  }

  enter(tcp: NetSocket): void {
    const [oldest] = this.#strangers.keys();
    if (oldest && this.#strangers.size >= MOST_STRANGERS) oldest.destroy();
    tcp.unref();
    this.#strangers.set(tcp, setTimeout(() => tcp.destroy(), HANDSHAKE_TIME).unref());
    tcp.once('close', () => this.leave(tcp));
  }

  /** What comes through `tcp` is read from `stream` from here on. */
  encrypted(tcp: NetSocket, stream: NetSocket): void {
    this.#underneath.set(stream, tcp);
  }

  /** The connection is authenticated, or gone. */
  leave(connection: NetSocket): void {
    const tcp = this.#underneath.get(connection) ?? connection;
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
    // An address cannot be made to point elsewhere, so any address will do: behind a router it is not even our own.
    const name = host.replace(/:\d*$/, '').toLowerCase();
    if (!this.#hosts.has(name) && !isIP(name.replace(/^\[(.*)\]$/, '$1'))) return '403 Forbidden';
    if (!protocols.split(/,\s*/).includes(SUBPROTOCOL)) return '400 Bad Request';
    return undefined;
  }
}
