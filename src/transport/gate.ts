import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';
import { isLoopback } from './address.ts';
import { owned } from './owned.ts';
import { SourceBudgets } from './source.ts';
import { Strangers } from './strangers.ts';

/** What an upgrade says about a page. */
export interface PageEnd {
  /** Undefined if the upgrade had no `Origin`. */
  readonly origin: string | undefined;
  /** The `Host`, to which the proofs are bound; undefined where they are bound to the connection itself. */
  readonly host: string | undefined;
}

/** As much of the request for an upgrade as the gate looks at. */
export interface UpgradeRequest {
  readonly headers: Pick<IncomingHttpHeaders, 'host' | 'origin' | 'sec-websocket-protocol'>;
}

export interface GateOptions {
  hostNames: readonly string[];
  /** With `isForPages`, none means all. */
  origins: readonly string[];
  /** Whether pages come in here, each with a pass that names its origin. */
  isForPages?: boolean;
}

/** Guards the handshake against the network: it limits strangers and refuses web pages that have no business here. */
export class Gate {
  readonly #isForPages: boolean;
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #strangers = new Strangers();
  readonly #budgets = new SourceBudgets(() => performance.now());
  /** The TCP connection under each encrypted one. */
  readonly #underneath = new WeakMap<NetSocket, NetSocket>();

  constructor({ hostNames, origins, isForPages = false }: GateOptions) {
    this.#isForPages = isForPages;
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
  refuse(request: UpgradeRequest, connection: NetSocket): string | undefined {
    const { origin, host = '', 'sec-websocket-protocol': protocols = '' } = request.headers;
    // Every browser sends the origin of the page, so the mere presence of the header reveals a web page.
    if (origin !== undefined && !this.#admits(origin)) return '403 Forbidden';
    // A web site whose name was made to point here (DNS rebinding) is recognised by that name. Any IP address is allowed: an
    // address cannot be made to point elsewhere, and behind a router it is not even one of ours.
    const name = host.replace(/:\d*$/, '').toLowerCase();
    const ip = name.replace(/^\[(.*)\]$/, '$1');
    if (!this.#hosts.has(name) && !this.#hosts.has(host.toLowerCase()) && !isIP(ip)) return '403 Forbidden';
    if (this.#isForPages && !this.#isMeant(host.toLowerCase(), ip, connection)) return '403 Forbidden';
    if (!protocols.split(/,\s*/).includes(SUBPROTOCOL)) return '400 Bad Request';
    this.#strangers.talks(this.#underneath.get(connection) ?? connection);
    return undefined;
  }

  /** What an admitted upgrade says about the page. */
  pageOf({ headers: { origin, host = '' } }: UpgradeRequest): PageEnd {
    return { origin, host: this.#isForPages ? host.toLowerCase() : undefined };
  }

  #admits(origin: string): boolean {
    if (!this.#isForPages) return this.#origins.has(origin);
    return origin !== 'null' && (this.#origins.size === 0 || this.#origins.has(origin));
  }

  /**
   * Whether a page that dials within this host has dialled this port. The proofs of pages are bound to the `Host`. Without this
   * check a program at another port could pass them on.
   */
  #isMeant(host: string, ip: string, connection: NetSocket): boolean {
    const { localAddress = '', localPort } = connection;
    if (this.#hosts.has(host) && host !== 'localhost') return true;
    if (!isLoopback(localAddress) || !(ip === 'localhost' || isLoopback(ip))) return true;
    const usual = connection instanceof TLSSocket ? 443 : 80;
    return Number(/:(\d+)$/.exec(host)?.[1] ?? usual) === localPort;
  }
}
