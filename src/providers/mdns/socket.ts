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

/** The socket of one link. */
export interface MulticastSocket {
  /** Sends to everybody on the link, or to one receiver. */
  send(bytes: Uint8Array, to?: Sender): void;
  /** Resolves when everything is sent and nothing is received any more. */
  close(): Promise<void>;
}

export interface SocketListener {
  /** The packet may be from another link: each socket on this port gets packets of any interface. */
  received(bytes: Uint8Array, from: Sender): void;
  /** Called after each attempt to send, with its error if there was one. */
  sent(error: Error | undefined): void;
}

/** Rejects with the error of the system. */
export type OpenSocket = (link: Link, listener: SocketListener) => Promise<MulticastSocket>;

/**
 * Bytes of packets that may wait to be read. In a flood the system drops the packets that do not fit, before anybody can look for
 * a tag in them. Linux grants at most twice `net.core.rmem_max`, which is mostly 208 KiB.
 */
const WAITING = 512 * 1024;

export const openSocket: OpenSocket = async (link, listener) => {
  const socket = createSocket({
    type: link.family === 'IPv6' ? 'udp6' : 'udp4',
    ipv6Only: link.family === 'IPv6',
    // The port is shared with other peers, with the system's own responder, and with this peer's other links.
    reuseAddr: true,
    recvBufferSize: WAITING,
    // All targets are addresses, so skip the resolver. A packet is then sent when `send` returns, and a goodbye gets out even at
    // the exit of the process.
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
    // So that the other peers of this host receive our packets.
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
    // Exclusive, because each worker of a `node:cluster` is a peer of its own.
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
