import type { Address } from './address.ts';
import type { Binding } from '../wire/handshake/proof.ts';
import type { Scope } from './scope.ts';

/** How peers reach each other. `websocket.ts` is the real transport; `memory.ts` stays within a process. */
export interface Transport {
  /** Starts to accept connections. `accept` gets each one before anything is received on it. */
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener>;
  /**
   * Opens a connection. Rejects with a DialFailed if that fails. An abort before the connection is open closes it and rejects
   * with the signal's reason.
   */
  dial(address: Address, options: DialOptions): Promise<Socket>;
}

export interface ListenOptions {
  /**
   * Address to bind. Connections to a loopback address are in the clear, all others use TLS. `::` binds every interface, with
   * IPv6 and IPv4, and accepts both kinds of connections on the same port.
   */
  host: string;
  /** Names by which others may call this peer in the `Host` header. IP addresses and `localhost` need none. */
  hostNames: readonly string[];
  /** First and last port to try, both inclusive; 0 lets the system choose. */
  ports: readonly [number, number];
  /** Bytes of the largest message that is accepted from an authenticated peer. */
  largestMessage: number;
  /** Values of the `Origin` header that are accepted. A browser always sends one; our own peers never do. */
  origins: readonly string[];
}

export interface DialOptions {
  largestMessage: number;
  signal?: AbortSignal;
}

export interface Listener {
  /** The addresses at which others reach it, the nearest first. */
  readonly addresses: readonly Address[];
  /** Resolves when the listener and every connection that came in are closed. */
  readonly ended?: Promise<void>;
  /** Stops accepting. Connections that were passed on stay open. */
  close(): Promise<void>;
}

/** One connection: messages in both directions, in order, each delivered once or not at all. */
export interface Socket {
  /** Identifies this connection; a handshake on it is bound to this value. */
  readonly binding: Binding;
  /** Where the other end is. */
  readonly scope: Scope;
  /** The `Origin` of the other end, which every browser sends. */
  readonly origin?: string | undefined;
  /** Whether the connection goes through a broker. */
  readonly isRelayed?: boolean;
  /** Bytes that were sent but not yet handed to the network. */
  readonly bufferedAmount: number;
  /** Grows whenever anything arrives, even just the answer to a ping. Its unit depends on the transport. */
  readonly received: number;
  /** @param before binary messages that go right before the message; do not change their memory until they are sent */
  send(message: string, before?: readonly Uint8Array[]): void;
  /** Asks for a sign of life. A live side answers automatically, and `received` grows. */
  ping(): void;
  /** Calls back once, when everything that was sent has been handed to the network. */
  whenDrained(callback: () => void): void;
  /** Sets the receiver of all messages from now on. Messages that arrive without a receiver are kept and delivered later. */
  receive(receiver: Receiver | undefined): void;
  /** Lifts the limits for strangers. */
  trust(): void;
  /** Ends the connection once everything is sent. `closed` follows after at most a second. */
  close(code: number, reason: string): void;
  /** Ends the connection now. `closed` follows. */
  terminate(): void;
}

export interface Receiver {
  message(text: string): void;
  /** A binary message. From now on the receiver owns the memory. */
  binary(data: Uint8Array): void;
  /** Called once, as the last call. */
  closed(code: number): void;
}

/** Ignores everything it receives. */
export const DEAF: Receiver = { message: () => {}, binary: () => {}, closed: () => {} };

/**
 * A dial failed. `refused`: nobody listens there. `accepted`: somebody listens there, and did not answer in time. Otherwise nothing is
 * known.
 */
export class DialFailed extends Error {
  readonly refused: boolean;
  readonly accepted: boolean;
  constructor(message: string, refused: boolean, options: ErrorOptions & { accepted?: boolean } = {}) {
    super(message, options);
    this.refused = refused;
    this.accepted = options.accepted === true;
  }
}
