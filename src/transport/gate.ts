import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';
import { owned } from './owned.ts';
import { SourceBudgets } from './source.ts';
import { Strangers } from './strangers.ts';

/** Guards the handshake against the network: it limits strangers and refuses web pages. */
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

  /** Whether the connection is admitted. It is still a stranger. */
  enter(tcp: NetSocket): boolean {
    owned(tcp).unref();
    if (!this.#budgets.take(tcp.remoteAddress ?? '')) {
      tcp.destroy();
      return false;
    }
    this.#strangers.enter(tcp);
    return true;
  }

  /** From here on, the data of `tcp` is read from `stream`. */
  encrypted(tcp: NetSocket, stream: NetSocket): void {
    this.#underneath.set(stream, tcp);
  }

  /** Call when the connection is authenticated. */
  trust(connection: NetSocket): void {
    const tcp = this.#underneath.get(connection) ?? connection;
    this.#strangers.leave(tcp);
    this.#budgets.giveBack(tcp.remoteAddress ?? '');
  }

  /** Closes every connection that is not authenticated. */
  clear(): void {
    this.#strangers.clear();
  }

  /** The HTTP status for an upgrade that is refused; undefined for one that is admitted. */
  refuse(request: IncomingMessage, connection: NetSocket): string | undefined {
    const { origin, host = '', 'sec-websocket-protocol': protocols = '' } = request.headers;
    // Every browser sends the origin of the page, so the mere presence of the header reveals a web page.
    if (origin !== undefined && !this.#origins.has(origin)) return '403 Forbidden';
    // A web site whose name was made to point here (DNS rebinding) is recognised by that name. Any IP address is allowed: an
    // address cannot be made to point elsewhere, and behind a router it is not even one of ours.
    const name = host.replace(/:\d*$/, '').toLowerCase();
    if (!this.#hosts.has(name) && !isIP(name.replace(/^\[(.*)\]$/, '$1'))) return '403 Forbidden';
    if (!protocols.split(/,\s*/).includes(SUBPROTOCOL)) return '400 Bad Request';
    this.#strangers.talks(this.#underneath.get(connection) ?? connection);
    return undefined;
  }
}
