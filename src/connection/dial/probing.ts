import { fromCallback } from 'xstate';

import { afterAwake } from '../../base/time/awake.ts';
import type { Address } from '../../transport/address.ts';
import type { Transport } from '../../transport/transport.ts';
import { warnOfUnforeseen } from '../../base/unforeseen.ts';
import { isError } from '../../wire/values/error-classes.ts';
import { DialsFailed, dialInTurn } from './dialing.ts';
import type { Redial } from '../link/evidence.ts';
import { dialHandshake, LostOnTheWay } from './handshaking.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import type { Session } from '../link/session.ts';
import { proveAnywhere } from './proving.ts';

export type ProbeResult =
  | { type: 'session.arrived'; session: Session }
  /**
   * `moot`: this process lacks the resources to dial, so it proves nothing. `accepted`: somebody seems to take connections there,
   * and did not prove in time that it is the peer.
   */
  | {
      type: 'probe.failed';
      redial: Redial;
      detail: string | undefined;
      moot: boolean;
      accepted: boolean;
    };

export interface ProbeInput {
  id: string;
  /** Empty if no address is known. Then the probe only waits a little longer for a sign of life. */
  addresses: readonly Address[];
  transport: Transport;
  handshake: HandshakeDependencies;
  /** Bytes. */
  largestMessage: number;
  generation: number;
  /** How long it may take, in ms of time awake. */
  time: number;
}

/** Time between two attempts if this process itself lacks the resources to dial, in ms. */
const AGAIN = 250;

/**
 * The same if the other side cut the new connection at once, in ms: a process that is being killed does, for a moment. Also if a broker
 * lost the new connection.
 */
const ONCE_MORE = 10;

/** Errors of a dial that the other side has cut. */
const CUT = new Set(['ECONNRESET', 'EPIPE']);

/** Errors of a dial that mean a shortage of this process or host. They are no evidence about the other peer. */
const OWN_TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** The new dial that decides about a silent peer: it opens another connection to the same peer. */
export const probeLogic = fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) =>
  probe(input, sendBack),
);

/** A dial for another link, beside one that works. Nothing follows if it fails. */
export const directLogic = fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) =>
  probe(input, (result) => {
    if (result.type === 'session.arrived') sendBack(result);
  }),
);

/** Returns a function that ends it. */
function probe(input: ProbeInput, tell: (result: ProbeResult) => void): () => void {
  const { id, transport, handshake, largestMessage, generation, time } = input;
  const { clock } = handshake;
  const controller = new AbortController();
  const { signal } = controller;
  let stopHandshake = (): void => {};
  let again: unknown;
  /** The error of the last attempt, if it was no evidence. */
  let trouble: string | undefined;
  let isOnceMore = false;

  const stop = (): void => {
    controller.abort();
    stopTimer();
    clock.clearTimeout(again);
    stopHandshake();
  };
  const report = (result: ProbeResult): void => {
    if (signal.aborted) return;
    stop();
    tell(result);
  };
  const failed = (redial: Redial, detail?: string, { moot = false, accepted = false } = {}): void =>
    report({ type: 'probe.failed', redial, detail, moot, accepted });

  const dial = async (addresses: readonly Address[]): Promise<void> => {
    try {
      const dialled = await dialInTurn({ transport, addresses, largestMessage, clock }, signal);
      if (signal.aborted) {
        dialled.socket.terminate();
        return;
      }
      stopHandshake = proveAnywhere(
        {
          ...{ dialled, transport, largestMessage, clock },
          prove: (socket, outcome) => dialHandshake(socket, id, handshake, outcome, { generation }),
        },
        {
          done: (session) => report({ type: 'session.arrived', session }),
          failed: (errors) => {
            if (errors.some(({ cause }) => cause instanceof LostOnTheWay))
              again = clock.setTimeout(() => begin(input.addresses), ONCE_MORE);
            else failed('failed', errors[0]!.message, { accepted: true });
          },
        },
      );
    } catch (error) {
      if (signal.aborted) return;
      const { message } = error as Error;
      if (isOwnTrouble(error)) {
        trouble = message;
        again = clock.setTimeout(() => begin(input.addresses), AGAIN);
      } else if (!isOnceMore && hasCode(error, CUT)) {
        isOnceMore = true;
        again = clock.setTimeout(() => begin(input.addresses), ONCE_MORE);
      } else if (error instanceof DialsFailed && error.refused.length === addresses.length) {
        failed('refused');
      } else {
        const accepted = error instanceof DialsFailed && error.accepted.length === addresses.length;
        failed('failed', message, { accepted });
      }
    }
  };

  const begin = (addresses: readonly Address[]): void => {
    dial(addresses).catch((error: unknown) => {
      warnOfUnforeseen('in a dial that decides about a peer', error);
      failed('failed', String(error));
    });
  };

  const stopTimer = afterAwake(clock, time, () => {
    if (input.addresses.length === 0) failed('no address known');
    else failed('timed out', trouble, { moot: trouble !== undefined, accepted: true });
  });
  if (input.addresses.length > 0) begin(input.addresses);
  return stop;
}

/** Whether the error says that this process or host lacks something. */
export function isOwnTrouble(error: unknown): boolean {
  return hasCode(error, OWN_TROUBLE);
}

/** Whether the error, or any of its causes, has one of these codes. */
function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  // Do not use `instanceof`: in some test runners, errors of Node's own modules belong to another realm.
  if (!isError(error)) return false;
  const { code, cause } = error as NodeJS.ErrnoException;
  const { errors = [] } = error as Partial<AggregateError>;
  return codes.has(code ?? '') || hasCode(cause, codes) || errors.some((each) => hasCode(each, codes));
}
