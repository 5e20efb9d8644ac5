import { fromCallback } from 'xstate';
import type { AnyActorRef } from 'xstate';

import type { Dialled, DialInput, HandshakeResult } from './dialing.ts';
import { dialHandshake } from './handshaking.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import type { PeerRecord } from '../link/link.ts';
import { proveAnywhere } from './proving.ts';

export interface HandshakeInput extends Omit<DialInput, 'addresses' | 'clock'> {
  dialled: Dialled;
  /** Id of the peer that should answer; empty if any peer may answer. */
  to: string;
  generation: number;
  dependencies: HandshakeDependencies;
}

/** Runs the handshake, at whichever address it succeeds first. */
export const handshakeLogic = fromCallback<{ type: 'never' }, HandshakeInput>(
  ({ input, system, sendBack }) => {
    const { transport, largestMessage, dialled, to, generation, dependencies } = input;
    const { clock } = dependencies;
    const report = sendBack as (result: HandshakeResult) => void;
    const choices = to === '' ? { isConnected: isOpen(system) } : { generation };
    const stop = proveAnywhere(
      {
        ...{ dialled, transport, largestMessage, clock },
        prove: (socket, outcome) => dialHandshake(socket, to, dependencies, outcome, choices),
      },
      {
        done: (session) => report({ type: 'session.arrived', session }),
        failed: (errors, refused) => report({ type: 'handshake.failed', errors, refused }),
        needless: (peer) => report({ type: 'handshake.needless', peer }),
      },
    );
    return () => {
      stop();
      dialled.over?.();
    };
  },
);

/** Whether there is an open connection to this life of a peer. */
const isOpen =
  (system: AnyActorRef['system']) =>
  (id: string, incarnation: string): boolean => {
    const connection = system.get(`connection:${id}`) as AnyActorRef | undefined;
    const { context } = (connection?.getSnapshot() ?? {}) as { context?: { record?: PeerRecord } };
    return context?.record?.incarnation === incarnation;
  };
