import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

import type { Link } from './links.ts';

/** The port and the groups of multicast DNS (RFC 6762, section 3). */
export const PORT = 5353;
const GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' };

export interface Sender {
  address: string;
  port: number;
}

/** One link's way out and in. */
export interface MulticastSocket {
  /** To everybody on the link, or to one. */
  send(bytes: Uint8Array, to?: Sender): void;
  /** Resolves when what was sent is on its way and nothing is received any more. */
  close(): Promise<void>;
}

export interface SocketListener {
  /** Maybe from another link: whoever shares the port on this host gets what comes in on any interface. */
  received(bytes: Uint8Array, from: Sender): void;
  /** How the last attempt to send came out. */
  sent(error: Error | undefined): void;
}

/** Rejects with the system's reason. */
export type OpenSocket = (link: Link, listener: SocketListener) => Promise<MulticastSocket>;

/**
 * Bytes of packets that wait to be read. In a flood the system drops what has no room before anybody can look for a tag in
 * it. Linux gives no more than `net.core.rmem_max` allows, mostly 208 KiB, twice over.
 */
const WAITING = 512 * 1024;

export const openSocket: OpenSocket = async (link, listener) => {
  const socket = createSocket({
    type: link.family === 'IPv6' ? 'udp6' : 'udp4',
    ipv6Only: link.family === 'IPv6',
    // The port is shared: with other peers, with the system's own responder, with this peer's other links.
    reuseAddr: true,
    recvBufferSize: WAITING,
    // Only addresses are ever given. Without the usual way through the resolver a packet is on its way when `send`
    // returns, so that even in the last moment of the process a goodbye gets out.
    lookup: (host, _, callback) => callback(null, host, link.family === 'IPv6' ? 6 : 4),
  });
  socket.unref();
  socket.on('message', (bytes, from) => listener.received(bytes, from));
  try {
    await bind(socket);
    const group = GROUPS[link.family];
    socket.addMembership(group, link.local);
    socket.setMulticastInterface(link.local);
    socket.setMulticastTTL(255);
    socket.setTTL(255);
    // Or else the other peers of this host would not hear it.
    socket.setMulticastLoopback(true);
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', (error) => listener.sent(error));
  return new LinkSocket(socket, GROUPS[link.family], (error) => listener.sent(error));
};

function bind(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    // Exclusive: the workers of a cluster are peers of their own.
    socket.bind({ port: PORT, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

class LinkSocket implements MulticastSocket {
  readonly #socket: Socket;
  readonly #group: string;
  readonly #sent: (error: Error | undefined) => void;
  #underWay = 0;
  #closed: (() => void) | undefined;

  constructor(socket: Socket, group: string, sent: (error: Error | undefined) => void) {
    this.#socket = socket;
    this.#group = group;
    this.#sent = sent;
  }

  send(bytes: Uint8Array, to: Sender = { address: this.#group, port: PORT }): void {
    if (this.#closed) return;
    this.#underWay += 1;
    this.#socket.send(bytes, to.port, to.address, (error) => {
      this.#underWay -= 1;
      this.#sent(error ?? undefined);
      if (this.#underWay === 0) this.#closed?.();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#socket.removeAllListeners('message');
    const quiet = new Promise<void>((resolve) => (this.#closed = resolve));
    if (this.#underWay > 0) await quiet;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}
