import { fromPromise } from 'xstate';

import type { Clock } from '../../base/time/clock.ts';
import { systemClock } from '../../base/time/clock.ts';
import { DialFailed } from '../../transport/transport.ts';
import type { Address } from '../../transport/address.ts';
import type { Socket, Transport } from '../../transport/transport.ts';
import type { Session } from '../link/session.ts';
import { messageOf } from '../../base/text.ts';
import { DialPlaces } from './dial-places.ts';

/** The first step of a connection that this side opens: a socket to one of the addresses of the peer. */

/**
 * The next address is dialled after this time, in ms, while the dial before goes on. The one that answers first is used. The
 * value is that of RFC 8305 ("Happy Eyeballs").
 */
export const STAGGER = 250;

export interface DialInput {
  transport: Transport;
  /** Tried in this order. */
  addresses: readonly Address[];
  /** Bytes. */
  largestMessage: number;
  clock: Clock;
}

export interface Dialled {
  socket: Socket;
  /** Addresses that have not failed yet. They are needed if another peer answered at this one. */
  untried: readonly Address[];
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** Call when the handshake is over, however it ended. */
  over?: () => void;
}

export type HandshakeResult =
  | { type: 'session.arrived'; session: Session }
  /** The peer was not found at any address. `errors` are in the order in which they occurred. */
  | { type: 'handshake.failed'; errors: readonly Error[]; refused: readonly Address[] }
  /** The peer that answered is already connected, or is this peer itself. */
  | { type: 'handshake.needless'; peer: string };

/** Nobody answered at any address. */
export class DialsFailed extends Error {
  readonly refused: readonly Address[];
  /** Where somebody took the connection, and then failed to answer. */
  readonly accepted: readonly Address[];

  constructor(failures: ReadonlyMap<Address, unknown>) {
    const errors = [...failures.values()];
    super(errors.map((error) => messageOf(error)).join('; '), {
      cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    });
    this.refused = refusedOf(failures);
    this.accepted = [...failures].flatMap(([address, error]) =>
      error instanceof DialFailed && error.accepted ? [address] : [],
    );
  }
}

/** A network with a clock of its own is not part of this machine, and its dials cost next to nothing. */
const places = new DialPlaces();

/** Opens a socket to the first address that answers. */
export const dialLogic = fromPromise<Dialled, DialInput>(async ({ input, signal }) => {
  const over = input.clock === systemClock ? await places.take(signal) : () => {};
  try {
    const dialled = await dialInTurn(input, signal);
    // The dial was stopped meanwhile, so nobody will use the socket.
    if (signal.aborted) {
      dialled.socket.terminate();
      over();
    }
    return { ...dialled, over };
  } catch (error) {
    over();
    throw error;
  }
});

/** @throws DialsFailed, or the signal's reason */
export function dialInTurn(
  { transport, addresses, largestMessage, clock }: DialInput,
  signal: AbortSignal,
): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const waiting = [...addresses];
    const failures = new Map<Address, unknown>();
    /** What takes a dial back when another one has succeeded. Needless if there is only one. */
    const underWay = new Map<Address, AbortController | undefined>();
    let nextOne: unknown;
    let over = false;
    const end = (): void => {
      over = true;
      clock.clearTimeout(nextOne);
      signal.removeEventListener('abort', abort);
      for (const controller of underWay.values()) controller?.abort(new Error('another address answered'));
    };
    const abort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    const begin = (): void => {
      clock.clearTimeout(nextOne);
      const address = waiting.shift();
      if (!address) return;
      const controller = addresses.length > 1 ? new AbortController() : undefined;
      underWay.set(address, controller);
      if (waiting.length > 0) nextOne = clock.setTimeout(begin, STAGGER);
      transport.dial(address, { largestMessage, signal: controller?.signal ?? signal }).then(
        (socket) => {
          underWay.delete(address);
          if (over) {
            socket.terminate();
            return;
          }
          end();
          const untried = addresses.filter((each) => each !== address && !failures.has(each));
          resolve({ socket, untried, refused: refusedOf(failures) });
        },
        (error: unknown) => {
          underWay.delete(address);
          failures.set(address, error);
          if (over) return;
          if (waiting.length > 0) begin();
          else if (underWay.size === 0) {
            end();
            reject(new DialsFailed(failures));
          }
        },
      );
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else if (addresses.length === 0) reject(new DialsFailed(failures));
    else begin();
  });
}

function refusedOf(failures: ReadonlyMap<Address, unknown>): Address[] {
  return [...failures].flatMap(([address, error]) =>
    error instanceof DialFailed && error.refused ? [address] : [],
  );
}
