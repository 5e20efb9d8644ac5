import type { Address } from './address.ts';
import type { Binding } from '../wire/handshake.ts';
import type { Scope } from './scope.ts';

/** How peers reach each other. `websocket.ts` is the real one; `memory.ts` stays within a process. */
export interface Transport {
  /** Starts to accept connections. `accept` gets each one before anything was received on it. */
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener>;
  /**
   * Opens a connection; rejects with a DialFailed. An abort before it is open closes it and rejects with the
   * signal's reason.
   */
  dial(address: Address, options: DialOptions): Promise<Socket>;
}

export interface ListenOptions {
  /**
   * Address to bind. Connections to a loopback address are plain, all others use TLS. `::` is every interface, IPv6 and
   * IPv4, and both kinds of connections on the same port.
   */
  host: string;
  /** Names by which others may call this peer in the `Host` header. IP addresses and `localhost` need none. */
  hostNames: readonly string[];
  /** First and last port to try, both included; 0 lets the system choose. */
  ports: readonly [number, number];
  /** Bytes of the largest message that is accepted from an authenticated peer. */
  largestMessage: number;
  /** Values of the `Origin` header that are let in. A browser always sends one; our own peers never do. */
  origins: readonly string[];
}

export interface DialOptions {
  largestMessage: number;
  signal?: AbortSignal;
}

export interface Listener {
  /** Where others reach it, the nearest first. */
  readonly addresses: readonly Address[];
  /** Resolves when it is closed, and every connection that came in is. */
  readonly ended?: Promise<void>;
  /** Stops accepting. Connections that were handed over stay open. */
  close(): Promise<void>;
}

/** One connection: messages in both directions, in order, each delivered once or not at all. */
export interface Socket {
  /** What a handshake on this connection is bound to. */
  readonly binding: Binding;
  /** Where the other end is. */
  readonly scope: Scope;
  /** Bytes that were sent but not yet handed to the network. */
  readonly bufferedAmount: number;
  /** Grows whenever anything arrives, be it no more than an answer to a ping. What it counts is the transport's own. */
  readonly received: number;
  /** @param before binary messages that go right before it; their memory must stay as it is until they have left */
  send(message: string, before?: readonly Uint8Array[]): void;
  /** Asks for a sign of life: a side that is there answers by itself, and `received` grows. */
  ping(): void;
  /** Calls back once, when everything that was sent has been handed to the network. */
  whenDrained(callback: () => void): void;
  /** Where received messages go from now on. What comes while there is no receiver is kept and delivered then. */
  receive(receiver: Receiver | undefined): void;
  /** Lifts the limits that hold for a stranger. */
  trust(): void;
  /** Ends the connection after what was sent. `closed` follows, at the latest after a second. */
  close(code: number, reason: string): void;
  /** Ends the connection now. `closed` follows. */
  terminate(): void;
}

export interface Receiver {
  message(text: string): void;
  /** A binary message. The memory is the receiver's from now on. */
  binary(data: Uint8Array): void;
  /** Once, as the last thing. */
  closed(code: number): void;
}

/** Takes whatever still comes, and does nothing with it. */
export const DEAF: Receiver = { message: () => {}, binary: () => {}, closed: () => {} };

/** No connection came about. `refused`: nobody listens there; anything else: it cannot be told. */
export class DialFailed extends Error {
  readonly refused: boolean;
  constructor(message: string, refused: boolean, options?: ErrorOptions) {
    super(message, options);
    this.refused = refused;
  }
}
