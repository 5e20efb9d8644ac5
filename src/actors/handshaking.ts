import { randomBytes } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { NetError } from '../errors.ts';
import type { Socket } from '../transport/transport.ts';
import { CLOSE } from '../wire/frames.ts';
import { AcceptorHandshake, DiallerHandshake, HANDSHAKE_BYTES, HANDSHAKE_TIME } from '../wire/handshake.ts';
import { HandshakeFailed, HandshakeNeedless, OwnHello } from '../wire/handshake-messages.ts';
import type { DiallerOptions, Self, Step } from '../wire/handshake.ts';
import type { HandshakeKeys } from '../wire/secret.ts';
import type { Session } from './messages.ts';

/** What both sides of a handshake need. */
export interface HandshakeDependencies {
  self: Self;
  keys: HandshakeKeys;
  clock: Clock;
}

interface Outcome {
  done(session: Session): void;
  failed(error: NetError): void;
}

interface DialOutcome extends Outcome {
  /** Only when whoever is there may answer: it is this peer itself, or one that is connected already. */
  needless?(id: string): void;
}

/** Handshakes that peers of this process began, by nonce: what to do when one reaches the peer that began it. */
const reachedSelf = new Map<string, () => void>();

/**
 * Proves both sides to each other on a socket this side opened. Returns what stops it.
 * @param to id of the peer that is meant; empty when whoever is there may answer
 */
export function dialHandshake(
  socket: Socket,
  to: string,
  { self, keys, clock }: HandshakeDependencies,
  outcome: DialOutcome,
  more: Pick<DiallerOptions, 'generation' | 'isConnected'> = {},
): () => void {
  const nonce = randomBytes(32);
  const options = { self, keys, binding: socket.binding, nonce, to, ...more };
  const handshake = new DiallerHandshake(options);
  const name = nonce.toString('base64url');
  let answeredBy: string | undefined;
  reachedSelf.set(name, () => (answeredBy = self.id));
  const stop = run(socket, (text) => handshake.receive(text), clock, true, {
    done: (session) => {
      reachedSelf.delete(name);
      outcome.done(session);
    },
    failed: (error) => {
      reachedSelf.delete(name);
      if (error.cause instanceof HandshakeNeedless) answeredBy = error.cause.id;
      if (to === '' && answeredBy !== undefined) outcome.needless?.(answeredBy);
      else outcome.failed(error);
    },
  });
  socket.send(handshake.hello());
  return () => {
    reachedSelf.delete(name);
    stop();
  };
}

/** The same on a socket that the other side opened. */
export function acceptHandshake(
  socket: Socket,
  { self, keys, clock }: HandshakeDependencies,
  outcome: Outcome,
): () => void {
  const handshake = new AcceptorHandshake({
    self,
    keys,
    binding: socket.binding,
    nonce: randomBytes(32),
  });
  return run(socket, (text) => handshake.receive(text), clock, false, {
    done: (session) => outcome.done(session),
    failed: (error) => {
      if (error.cause instanceof OwnHello) reachedSelf.get(error.cause.nonce)?.();
      outcome.failed(error);
    },
  });
}

function run(
  socket: Socket,
  step: (text: string) => Step,
  clock: Clock,
  dialled: boolean,
  outcome: Outcome,
): () => void {
  let over = false;
  const end = (): boolean => {
    if (over) return false;
    over = true;
    clock.clearTimeout(timer);
    return true;
  };
  const fail = (reason: string, cause?: unknown): void => {
    if (!end()) return;
    // One code for every reason: a stranger learns nothing from how it was refused.
    socket.close(CLOSE.HANDSHAKE, '');
    socket.receive({ message: () => {}, binary: () => {}, closed: () => {} });
    outcome.failed(new NetError('UNAUTHENTICATED', `the handshake failed: ${reason}`, { cause }));
  };
  const timer = clock.setTimeout(() => fail(`it took longer than ${HANDSHAKE_TIME} ms`), HANDSHAKE_TIME);
  socket.receive({
    message: (text) => {
      try {
        if (text.length > HANDSHAKE_BYTES) throw new HandshakeFailed('a message is too long');
        const { send, done } = step(text);
        if (send !== undefined) socket.send(send);
        if (!done || !end()) return;
        socket.receive(undefined);
        socket.trust();
        outcome.done({ socket, dialled, ...done });
      } catch (error) {
        if (!(error instanceof HandshakeFailed)) throw error;
        fail(error.message, error);
      }
    },
    binary: () => {
      // A stranger's protocol violation is no secret to it, so it is told, as at any other time.
      if (!end()) return;
      socket.close(CLOSE.BAD_FRAME, 'binary message');
      socket.receive({ message: () => {}, binary: () => {}, closed: () => {} });
      outcome.failed(new NetError('UNAUTHENTICATED', 'the handshake failed: a binary message came'));
    },
    closed: (code) => {
      if (end()) {
        const text = `the other side ended the handshake (${code}); it has another secret, or is no peer`;
        // Any other code says nothing of the secret: the connection may just have broken.
        const cause = code === CLOSE.HANDSHAKE ? new HandshakeFailed(text) : undefined;
        outcome.failed(new NetError('UNAUTHENTICATED', text, { cause }));
      }
    },
  });
  return () => {
    if (end()) socket.terminate();
  };
}
