import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { Address } from '../../src/transport/address.ts';

/**
 * A TCP proxy on loopback that does to connections what networks do to them.
 *
 * ```ts
 * const proxy = await FaultProxy.to({ host: '127.0.0.1', port });
 * proxy.address;                // dial this instead
 * proxy.cut();                  // every open connection is reset; new ones are let through
 * proxy.stall();                // nothing passes, on open connections and on new ones, which are accepted all the same …
 * proxy.stall('open');          // … or only on those that are open now: a path that died, beside one that works
 * proxy.heal();                 // what was held back goes on
 * proxy.rate = 100_000;         // bytes per second, each way and connection; Infinity at first
 * proxy.slice = 1;              // bytes of each piece, in a segment of its own; Infinity at first
 * await proxy.close();
 * ```
 */
export class FaultProxy {
  /** Bytes per second, each way and connection. */
  rate = Infinity;
  /** Bytes that are passed on in one piece. */
  slice = Infinity;
  /** Connections that were let through so far. */
  connections = 0;
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  #stalled = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(target: Address): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new FaultProxy(server);
    server.on('connection', (socket) => proxy.#join(socket, target));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get address(): Address {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Resets every open connection, in the middle of whatever was on its way. */
  cut(): void {
    for (const pipe of this.#pipes) pipe.end();
  }

  stall(which: 'open' | 'all' = 'all'): void {
    if (which === 'all') this.#stalled = true;
    for (const pipe of this.#pipes) pipe.stalled = true;
  }

  heal(): void {
    this.#stalled = false;
    for (const pipe of this.#pipes) {
      pipe.stalled = false;
      pipe.go();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, target: Address): void {
    this.connections += 1;
    const far = connect({ ...target, allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const pipe = new Pipe(this, from, to);
      pipe.stalled = this.#stalled;
      this.#pipes.add(pipe);
      from.once('close', () => this.#pipes.delete(pipe));
    }
  }
}

/** One way of one connection. */
class Pipe {
  stalled = false;
  readonly #proxy: FaultProxy;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #waiting: Buffer[] = [];
  #ended = false;
  #busy = false;

  constructor(proxy: FaultProxy, from: Socket, to: Socket) {
    this.#proxy = proxy;
    this.#from = from;
    this.#to = to;
    from.on('data', (data: Buffer) => {
      this.#waiting.push(data);
      // As a router with a queue: what the sender may have on its way is bounded, and it notices.
      from.pause();
      this.go();
    });
    from.on('end', () => {
      this.#ended = true;
      this.go();
    });
    from.on('error', () => this.end());
    from.on('close', () => to.destroy());
  }

  end(): void {
    for (const socket of [this.#from, this.#to]) {
      // One that is shutting down cannot be reset: Node would take it for closed, and wait for its end at the exit for ever.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Passes on what is allowed now. */
  go(): void {
    if (this.#busy || this.stalled) return;
    const { slice, rate } = this.#proxy;
    const data = this.#waiting.shift();
    if (!data) {
      if (this.#ended) this.#to.end();
      else this.#from.resume();
      return;
    }
    const piece = data.subarray(0, slice);
    if (piece.length < data.length) this.#waiting.unshift(data.subarray(piece.length));
    this.#busy = true;
    const next = (): void => {
      this.#busy = false;
      this.go();
    };
    this.#to.write(piece, () => {
      if (rate < Infinity) setTimeout(next, (piece.length / rate) * 1_000);
      else if (slice < Infinity) setImmediate(next);
      else next();
    });
  }
}
