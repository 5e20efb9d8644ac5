import { fromCallback, fromPromise } from 'xstate';

import type { Hint } from '../discovery/provider.ts';
import type { Socket, Transport } from '../transport/transport.ts';
import { dialHandshake } from './handshaking.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import type { Session } from './messages.ts';

/** The two steps of a connection that this side opens, as actors of their own. */

export type HandshakeResult =
  | { type: 'session.arrived'; session: Session }
  | { type: 'handshake.failed'; error: Error };

/** Opens a socket. */
export const dialLogic = fromPromise<Socket, { transport: Transport; hint: Hint; largestMessage: number }>(
  async ({ input: { transport, hint, largestMessage }, signal }) => {
    const socket = await transport.dial(hint.address, { largestMessage, signal });
    // Stopped while the last step was under way: nobody takes the socket any more.
    if (signal.aborted) socket.terminate();
    return socket;
  },
);

/** Proves both sides to each other on it. */
export const handshakeLogic = fromCallback<
  { type: 'never' },
  { socket: Socket; to: string; dependencies: HandshakeDependencies }
>(({ input: { socket, to, dependencies }, sendBack }) => {
  const report = sendBack as (result: HandshakeResult) => void;
  return dialHandshake(socket, to, dependencies, {
    done: (session) => report({ type: 'session.arrived', session }),
    failed: (error) => report({ type: 'handshake.failed', error }),
  });
});
