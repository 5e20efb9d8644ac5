import type { Address } from '../../transport/address.ts';
import type { Socket } from '../../transport/transport.ts';
import { DialsFailed, dialInTurn, STAGGER } from './dialing.ts';
import type { Dialled, DialInput } from './dialing.ts';
import type { Session } from '../link/session.ts';

/** The input: one address has answered, but perhaps as another peer. */
export interface Proving extends Omit<DialInput, 'addresses'> {
  /** The socket that opened first, and the addresses that may still lead to the peer. */
  dialled: Dialled;
  /** Begins a handshake, and returns a function that stops it. */
  prove: (socket: Socket, outcome: ProofOutcome) => () => void;
}

export interface ProofOutcome {
  done(session: Session): void;
  failed(error: Error): void;
  needless?(id: string): void;
}

export interface ProvingOutcome extends Omit<ProofOutcome, 'failed'> {
  /**
   * The peer was not found at any address.
   * @param errors the reasons, in the order in which they occurred
   * @param refused addresses where nobody listens
   */
  failed(errors: readonly Error[], refused: readonly Address[]): void;
}

/**
 * Runs the handshake with a peer at any of its addresses. An open connection proves nothing: whatever listens there may stay
 * silent for as long as a handshake may take. So after 250 ms the next address is tried as well, and the first one that proves
 * itself is used. Returns a function that stops everything.
 */
export function proveAnywhere({ dialled, prove, ...dialing }: Proving, outcome: ProvingOutcome): () => void {
  const { clock } = dialing;
  const underWay = new Set<() => void>();
  const errors: Error[] = [];
  const refused = [...dialled.refused];
  let { untried } = dialled;
  let dialling: AbortController | undefined;
  let timer: unknown;
  let over = false;

  const stop = (): void => {
    over = true;
    clock.clearTimeout(timer);
    dialling?.abort(new Error('the peer was reached at another address'));
    for (const stopOne of underWay) stopOne();
  };
  const goOn = (): void => {
    if (over) return;
    if (untried.length > 0) dialNext();
    else if (underWay.size === 0 && !dialling) {
      stop();
      outcome.failed(errors, refused);
    }
  };
  const begin = (socket: Socket): void => {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      underWay.delete(stopOne);
    };
    let stopOne = (): void => {};
    const stopOther = prove(socket, {
      done: (session) => {
        end();
        if (over) return;
        stop();
        outcome.done(session);
      },
      failed: (error) => {
        end();
        errors.push(error);
        goOn();
      },
      needless: (id) => {
        end();
        if (over) return;
        stop();
        outcome.needless?.(id);
      },
    });
    stopOne = stopOther;
    if (!isOver) underWay.add(stopOne);
    clock.clearTimeout(timer);
    if (!over && untried.length > 0) timer = clock.setTimeout(dialNext, STAGGER);
  };
  const dialNext = (): void => {
    clock.clearTimeout(timer);
    if (over || dialling) return;
    dialling = new AbortController();
    const addresses = untried;
    untried = [];
    dialInTurn({ ...dialing, addresses }, dialling.signal)
      .then((next) => {
        dialling = undefined;
        if (over) {
          next.socket.terminate();
          return;
        }
        refused.push(...next.refused);
        untried = next.untried;
        begin(next.socket);
      })
      // This also catches an error thrown at the beginning of a handshake.
      .catch((error: Error) => {
        dialling = undefined;
        errors.push(error);
        if (error instanceof DialsFailed) refused.push(...error.refused);
        goOn();
      });
  };
  begin(dialled.socket);
  return stop;
}
