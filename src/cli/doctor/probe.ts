import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

import { newId } from '../../base/new-id.ts';
import { DEAF, DialFailed } from '../../transport/transport.ts';
import type { Address } from '../../transport/address.ts';
import type { Socket } from '../../transport/transport.ts';
import { webSocketTransport } from '../../transport/websocket.ts';
import { CLOSE } from '../../wire/frames.ts';
import { DiallerHandshake } from '../../wire/handshake/handshake.ts';
import type { HandshakeKeys } from '../../wire/handshake/secret.ts';
import { messageOf } from '../../base/text.ts';

/** Tests an address with the same steps that a peer takes, one at a time, to see which step fails. */

export type Verdict =
  /** A peer with the same secret. */
  | 'peer'
  /** A peer that has another secret. */
  | 'another secret'
  /** A server that speaks WebSocket, but not this version of the protocol. */
  | 'another version'
  /** Another peer than the one that was announced. */
  | 'another peer'
  /** A server that is not a peer. */
  | 'no peer'
  /** Nothing listens there. */
  | 'refused'
  /** The connection opened, and then nothing arrived. */
  | 'silent'
  /** The connection did not open, and was not refused. */
  | 'unreachable';

export interface Finding {
  verdict: Verdict;
  /** The message of the system or of the other side. */
  detail: string;
}

/** How long the connection may take to open, and then the handshake, in ms. */
const PATIENCE = 2_000;

/** @param to id of the peer that should be there; empty when only the address is known */
export async function probe(
  address: Address,
  to: string,
  keys: HandshakeKeys,
  signal: AbortSignal,
): Promise<Finding> {
  let socket: Socket;
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    const options = { largestMessage: 65_536, signal: AbortSignal.any([signal, patience]) };
    socket = await webSocketTransport().dial(address, options);
  } catch (error) {
    signal.throwIfAborted();
    if (!patience.aborted) return undialled(error);
    const verdict = (await opens(address)) ? 'silent' : 'unreachable';
    return { verdict, detail: `no answer within ${PATIENCE} ms` };
  }
  try {
    return await shakeHands(socket, to, keys);
  } finally {
    socket.receive(DEAF);
    socket.close(CLOSE.DONE, '');
  }
}

/** Whether a connection opens at all: the system accepts it even for a process that hangs. */
function opens({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE / 4 });
    const end = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
}

function undialled(error: unknown): Finding {
  const detail = messageOf(error);
  if (error instanceof DialFailed && error.refused) return { verdict: 'refused', detail };
  // The server speaks HTTP, but did not accept the name of this protocol version.
  if (/server response: 4\d\d|subprotocol/i.test(detail)) return { verdict: 'another version', detail };
  if (/server response|Invalid|Parse Error|hang up|ECONNRESET|EPROTO|SSL|TLS/i.test(detail)) {
    return { verdict: 'no peer', detail };
  }
  return { verdict: 'unreachable', detail };
}

async function shakeHands(socket: Socket, to: string, keys: HandshakeKeys): Promise<Finding> {
  const self = {
    id: newId(),
    incarnation: newId(),
    limits: { message: 65_536, calls: 1 },
    // Never sent: the handshake ends before that.
    describe: () => ({ name: '', group: '', hub: false, pid: 0, host: '', functions: [] }),
  };
  const handshake = new DiallerHandshake({ self, keys, binding: socket.binding, nonce: randomBytes(32), to });
  const over = new AbortController();
  let proved = false;
  const outcome = new Promise<Finding>((resolve) => {
    socket.receive({
      message: (text) => {
        try {
          const { done } = answer(text);
          if (done) resolve({ verdict: 'peer', detail: done.party.name });
        } catch (error) {
          resolve(refused(messageOf(error)));
        }
      },
      binary: () => resolve({ verdict: 'another version', detail: 'it sent bytes in the handshake' }),
      closed: (code) => {
        const detail = `it ended the handshake (${code})`;
        resolve({ verdict: proved ? 'another secret' : 'another version', detail });
      },
    });
  });
  const answer = (text: string): ReturnType<DiallerHandshake['receive']> => {
    const step = handshake.receive(text);
    if (step.send !== undefined && !step.done) {
      proved = true;
      socket.send(step.send);
    }
    return step;
  };
  socket.send(handshake.hello());
  const late = wait<Finding>(
    PATIENCE,
    { verdict: 'silent', detail: `no message within ${PATIENCE} ms` },
    { signal: over.signal, ref: true },
  ).catch((): Finding => ({ verdict: 'silent', detail: '' }));
  try {
    return await Promise.race([outcome, late]);
  } finally {
    over.abort();
  }
}

function refused(detail: string): Finding {
  if (/wrong peer/.test(detail)) return { verdict: 'another peer', detail };
  return { verdict: /proof is wrong/.test(detail) ? 'another secret' : 'another version', detail };
}
