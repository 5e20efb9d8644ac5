import type { NetworkInterfaceInfo } from 'node:os';

import type { SimulatedClock } from 'xstate';

import { linksOf } from '../../src/providers/mdns/links.ts';
import type { Link } from '../../src/providers/mdns/links.ts';
import { readPacket } from '../../src/providers/mdns/packet.ts';
import type { Packet } from '../../src/providers/mdns/packet.ts';
import { PORT } from '../../src/providers/mdns/socket.ts';
import type { OpenSocket, Sender, SocketListener } from '../../src/providers/mdns/socket.ts';

/** In steps in which no timer is late. */
const STEP = 5;

/** Lets time pass in small steps, and what was promised in between happen. */
export async function elapse(clock: SimulatedClock, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= STEP) {
    clock.increment(Math.min(STEP, left));
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
  }
}

/** An interface with these addresses, as `os.networkInterfaces()` tells of it: `10.0.0.1/24`, `fd00::1/64`. */
export function interfaceOf(...cidrs: string[]): NetworkInterfaceInfo[] {
  return cidrs.map((cidr) => infoOf(cidr));
}

function infoOf(cidr: string): NetworkInterfaceInfo {
  const [address = ''] = cidr.split('/');
  const rest = { address, cidr, mac: '02:00:00:00:00:01', netmask: '', internal: false };
  if (!address.includes(':')) return { ...rest, family: 'IPv4' };
  return { ...rest, family: 'IPv6', scopeid: address.startsWith('fe80') ? 2 : 0 };
}

export function linkOf(...cidrs: string[]): Link {
  return linksOf({ eth0: interfaceOf(...cidrs) })[0]!;
}

/** A packet that was sent, read. */
export interface Sent {
  at: number;
  packet: Packet;
  from: string;
  /** Undefined for everybody. */
  to: Sender | undefined;
}

/** A LAN without wires: what one socket sends, all of the same name hear, the sender too. */
export class Segment {
  readonly sent: Sent[] = [];
  readonly #clock: SimulatedClock;
  readonly #listeners = new Map<SocketListener, Link>();
  /** The error with which every attempt to send fails. */
  failure: Error | undefined;
  /** The error with which every attempt to open a socket fails. */
  refusal: Error | undefined;
  /** Nothing arrives anywhere, and nobody is told. */
  isBroken = false;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  get sockets(): number {
    return this.#listeners.size;
  }

  readonly open: OpenSocket = (link, listener) => {
    if (this.refusal) return Promise.reject(this.refusal);
    this.#listeners.set(listener, link);
    const own = link.addresses.find((each) => each.includes(':') === (link.family === 'IPv6'))!;
    return Promise.resolve({
      send: (bytes: Uint8Array, to?: Sender) => {
        listener.sent(this.failure);
        if (!this.failure) this.say(bytes, { address: own, port: PORT }, to);
      },
      close: () => {
        this.#listeners.delete(listener);
        return Promise.resolve();
      },
    });
  };

  /** Anybody, even somebody who has no socket here. */
  say(bytes: Uint8Array, from: Sender, to?: Sender): void {
    this.sent.push({ at: this.#clock.now(), packet: readPacket(bytes)!, from: from.address, to });
    if (this.isBroken) return;
    const isIPv6 = from.address.includes(':');
    for (const [listener, link] of this.#listeners) {
      if ((link.family === 'IPv6') === isIPv6 && (!to || link.addresses.includes(to.address))) {
        listener.received(bytes, from);
      }
    }
  }
}
