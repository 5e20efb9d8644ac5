import { MemoryBoard } from '../../src/providers/memory.ts';
import type { Attachment, Network, NetworkUser } from '../../src/providers/network.ts';
import { addressText } from '../../src/transport/address.ts';
import type { Socket, Transport } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { FaultProxy } from './fault-proxy.ts';

/**
 * Peers of this process that reach each other over real WebSockets, each through a fault-injecting proxy of its own.
 *
 * The handshake is bound to the address of the acceptor, so that nobody can sit in between: here the network says
 * to both ends that it is the address behind the proxy.
 */
export class ProxiedNetwork implements Network {
  readonly #board = new MemoryBoard();
  readonly #secret = makeSecret();
  readonly #proxies = new Map<string, FaultProxy>();
  /** The real address, by that of the proxy. */
  readonly #behind = new Map<string, string>();

  /** The proxy that connections to this peer go through. */
  proxy({ id }: { id: string }): FaultProxy {
    return this.#proxies.get(id)!;
  }

  get proxies(): FaultProxy[] {
    return [...this.#proxies.values()];
  }

  attach({ id }: NetworkUser): Attachment {
    return {
      transport: this.#transport(id),
      providers: [this.#board.provider()],
      secret: () => Promise.resolve(this.#secret),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
  }

  #transport(id: string): Transport {
    const real = webSocketTransport();
    return {
      listen: async (options, accept) => {
        const listener = await real.listen(options, accept);
        const [address] = listener.addresses;
        const proxy = await FaultProxy.to(address!);
        await this.#proxies.get(id)?.close();
        this.#proxies.set(id, proxy);
        this.#behind.set(addressText(proxy.address), addressText(address!));
        return { addresses: [proxy.address], close: () => listener.close() };
      },
      dial: async (address, options) =>
        bind(await real.dial(address, options), this.#behind.get(addressText(address))!),
    };
  }
}

function bind(socket: Socket, address: string): Socket {
  return Object.defineProperty(socket, 'binding', {
    value: { kind: 'loopback', data: Buffer.from(address) },
  });
}
