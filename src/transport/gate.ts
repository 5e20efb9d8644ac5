import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';
import { owned } from './owned.ts';
import { SourceBudgets } from './source.ts';
import { Strangers } from './strangers.ts';

/** What stands between the network and the handshake: limits on strangers, and the check against web pages. */
export class Gate {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #strangers = new Strangers();
  readonly #budgets = new SourceBudgets(() => performance.now());
  /** The TCP connection under each encrypted one. */
  readonly #underneath = new WeakMap<NetSocket, NetSocket>();

  constructor({ hostNames, origins }: { hostNames: readonly string[]; origins: readonly string[] }) {
    this.#origins = new Set(origins);
    this.#hosts = new Set(['localhost', ...hostNames.map((name) => name.toLowerCase())]);
  }

  /** Whether the connection is let in so far. */
  enter(tcp: NetSocket): boolean {
    owned(tcp).unref();
    if (!this.#budgets.take(tcp.remoteAddress ?? '')) {
      tcp.destroy();
      return false;
    }
    this.#strangers.enter(tcp);
    return true;
  }

  /** What comes through `tcp` is read from `stream` from here on. */
  encrypted(tcp: NetSocket, stream: NetSocket): void {
    this.#underneath.set(stream, tcp);
  }

  /** The connection is authenticated. */
  trust(connection: NetSocket): void {
    const tcp = this.#underneath.get(connection) ?? connection;
    this.#strangers.leave(tcp);
    this.#budgets.giveBack(tcp.remoteAddress ?? '');
  }

  /** Ends everything that is not authenticated. */
  clear(): void {
    this.#strangers.clear();
  }

  /** The status line for an upgrade that is not let in; undefined for one that is. */
  refuse(request: IncomingMessage, connection: NetSocket): string | undefined {
    const { origin, host = '', 'sec-websocket-protocol': protocols = '' } = request.headers;
    // Every browser names the page's origin, so a web page is known by the header being there at all.
    if (origin !== undefined && !this.#origins.has(origin)) return '403 Forbidden';
    // A web site whose name was made to point here (DNS rebinding) gives itself away by that name.
    // An address cannot be made to point elsewhere, so any address will do: behind a router it is not even our own.
    const name = host.replace(/:\d*$/, '').toLowerCase();
    if (!this.#hosts.has(name) && !isIP(name.replace(/^\[(.*)\]$/, '$1'))) return '403 Forbidden';
    if (!protocols.split(/,\s*/).includes(SUBPROTOCOL)) return '400 Bad Request';
    this.#strangers.talks(this.#underneath.get(connection) ?? connection);
    return undefined;
  }
}
