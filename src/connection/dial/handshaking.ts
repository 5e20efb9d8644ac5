import { randomBytes } from 'node:crypto';

import { afterAwake } from '../../base/time/awake.ts';
import type { Clock } from '../../base/time/clock.ts';
import { NetError } from '../../base/errors.ts';
import { DEAF } from '../../transport/transport.ts';
import { warnOfUnforeseen } from '../../base/unforeseen.ts';
import type { Receiver, Socket } from '../../transport/transport.ts';
import { CLOSE } from '../../wire/frames.ts';
import {
  AcceptorHandshake,
  DiallerHandshake,
  HANDSHAKE_BYTES,
  HANDSHAKE_TIME,
} from '../../wire/handshake/handshake.ts';
import {
  HandshakeFailed,
  HandshakeNeedless,
  IdTaken,
  OtherSecret,
  PassRefused,
  OwnHello,
} from '../../wire/handshake/handshake-messages.ts';
import type { AdmitGuest } from '../../wire/handshake/guest.ts';
import type { DiallerOptions, Self, Step } from '../../wire/handshake/handshake.ts';
import type { HandshakeKeys } from '../../wire/handshake/secret.ts';
import { sayGoodbye } from '../goodbye.ts';
import { idTaken } from '../id-taken.ts';
import type { IsTaken } from '../id-taken.ts';
import type { Session } from '../link/session.ts';

/** The dependencies of both sides of a handshake. */
export interface HandshakeDependencies {
  self: Self;
  keys: HandshakeKeys;
  /** The public part of the pass whose keys they are; absent for a peer that has the secret. */
  pass?: string | undefined;
  clock: Clock;
}

interface Outcome {
  done(session: Session): void;
  failed(error: NetError): void;
}

interface DialOutcome extends Outcome {
  /** Only called if any peer may answer: the answer came from this peer itself, or from one that is already connected. */
  needless?(id: string): void;
}

interface DialChoices extends Pick<DiallerOptions, 'generation' | 'isConnected'> {
  /** End once the other side has proved itself, before it regards this side as a peer. */
  onlyToKnow?: boolean;
}

/** Handshakes that peers of this process began, by nonce: the callback for a handshake that reaches its own peer. */
const reachedSelf = new Map<string, () => void>();

/**
 * Runs the handshake on a socket that this side opened. Returns a function that stops it.
 * @param to id of the peer that should answer; empty if any peer may answer
 */
export function dialHandshake(
  socket: Socket,
  to: string,
  dependencies: HandshakeDependencies,
  outcome: DialOutcome,
  { onlyToKnow = false, ...more }: DialChoices = {},
): () => void {
  const { self, keys, pass } = dependencies;
  const nonce = randomBytes(32);
  const options = { self, keys, pass, binding: socket.binding, nonce, to, ...more };
  const handshake = new DiallerHandshake(options);
  const name = nonce.toString('base64url');
  let answeredBy: string | undefined;
  reachedSelf.set(name, () => (answeredBy = self.id));
  const step = (text: string): Step => {
    const { send, done } = handshake.receive(text);
    // Without the last message, the other side does not regard this side as a peer.
    return { ...(send !== undefined && !(done && onlyToKnow) && { send }), ...(done && { done }) };
  };
  const stop = run(
    { socket, step, dependencies, dialled: true },
    {
      done: (session) => {
        reachedSelf.delete(name);
        if (onlyToKnow) session.socket.close(CLOSE.DONE, '');
        outcome.done(session);
      },
      failed: (error) => {
        reachedSelf.delete(name);
        if (error.cause instanceof HandshakeNeedless) answeredBy = error.cause.id;
        if (to === '' && answeredBy !== undefined) outcome.needless?.(answeredBy);
        else outcome.failed(error);
      },
    },
  );
  socket.send(handshake.hello());
  return () => {
    reachedSelf.delete(name);
    stop();
  };
}

/** Decides whether a dialler that has proved itself is admitted. */
export interface Admission {
  /** Whether another process has its id. */
  isTaken?: IsTaken;
  /** Whether this peer has reached its limit of peers. */
  isFull?: (id: string, isGuest: boolean) => boolean;
  /** Decides about a dialler with a pass. Absent: none is let in. */
  guests?: AdmitGuest;
  /** Only diallers with a pass are let in. */
  onlyGuests?: boolean;
}

/** Runs the handshake on a socket that the other side opened. Returns a function that stops it. */
export function acceptHandshake(
  socket: Socket,
  dependencies: HandshakeDependencies,
  outcome: Outcome,
  admission: Admission = {},
): () => void {
  const { self, keys } = dependencies;
  const handshake = new AcceptorHandshake({
    self,
    keys,
    binding: socket.binding,
    nonce: randomBytes(32),
    guests: admission.guests,
    onlyGuests: admission.onlyGuests,
  });
  const step = (text: string): Step => handshake.receive(text);
  return run(
    { socket, step, dependencies, dialled: false, admission, taken: () => handshake.taken() },
    {
      done: (session) => outcome.done(session),
      failed: (error) => {
        if (error.cause instanceof OwnHello) reachedSelf.get(error.cause.nonce)?.();
        outcome.failed(error);
      },
    },
  );
}

interface Course {
  socket: Socket;
  step: (text: string) => Step;
  dependencies: HandshakeDependencies;
  /** Whether this side opened the socket. */
  dialled: boolean;
  admission?: Admission;
  /** Returns the message for a dialler whose id is taken. */
  taken?: () => string;
}

function run(
  { socket, step, dependencies: { self, clock, pass }, dialled, admission = {}, taken }: Course,
  outcome: Outcome,
): () => void {
  let over = false;
  /** Whether the other side has got everything it needs to regard this side as a peer. */
  let isKnown = false;
  const end = (): boolean => {
    if (over) return false;
    over = true;
    stopTimer();
    return true;
  };
  const refuse = (code: number, reason: string, error: NetError): void => {
    if (!end()) return;
    socket.close(code, reason);
    socket.receive(DEAF);
    outcome.failed(error);
  };
  const fail = (reason: string, cause?: unknown): void => {
    const text = `the handshake failed: ${reason}`;
    // Every reason has the same code, so that a stranger learns nothing from the refusal.
    refuse(CLOSE.HANDSHAKE, '', new NetError('UNAUTHENTICATED', text, { cause }));
  };
  const failUnforeseen = (error: unknown): void => {
    warnOfUnforeseen('in a handshake', error);
    fail('an unexpected error occurred', error);
  };
  // Count only time awake: messages that arrived meanwhile are read before the other side counts as late.
  const stopTimer = afterAwake(clock, HANDSHAKE_TIME, () => {
    if (!end()) return;
    socket.receive(DEAF);
    // Without a close code: the other side would take 4401 for a sign of another secret.
    socket.terminate();
    outcome.failed(
      new NetError('UNAUTHENTICATED', `the handshake failed: it took longer than ${HANDSHAKE_TIME} ms`),
    );
  });
  const proceed = ({ send, proved, done }: Step): void => {
    if (send !== undefined) socket.send(send);
    if (proved) isKnown = true;
    if (!done || !end()) return;
    socket.receive(undefined);
    socket.trust();
    outcome.done({ socket, dialled, ...done });
  };
  const ask = async (next: Step, id: string, answered: Promise<boolean>): Promise<void> => {
    // Messages that arrive meanwhile are kept.
    socket.receive(undefined);
    const belongsToAnother = await answered;
    if (over) return;
    if (belongsToAnother) {
      socket.send(taken!());
      refuse(CLOSE.ID_TAKEN, '', idTaken(id));
    } else {
      proceed(next);
      socket.receive(receiver);
    }
  };
  const receiver: Receiver = {
    message: (text) => {
      try {
        if (text.length > HANDSHAKE_BYTES) throw new HandshakeFailed('a message is too long');
        const next = step(text);
        const { proved } = next;
        const answered = proved && admission.isTaken?.(proved.id, proved.incarnation);
        if (answered) ask(next, proved.id, answered).catch(failUnforeseen);
        else if (proved && admission.isFull?.(proved.id, proved.isGuest))
          refuse(CLOSE.FULL, '', full(proved));
        else proceed(next);
      } catch (error) {
        if (error instanceof IdTaken) refuse(CLOSE.ID_TAKEN, '', idTaken(self.id));
        else if (error instanceof HandshakeFailed) fail(error.message, error);
        else failUnforeseen(error);
      }
    },
    binary: () => {
      // The stranger knows that it sent a binary message, so the code may say what was wrong.
      const text = 'the handshake failed: a binary message arrived';
      refuse(CLOSE.BAD_FRAME, 'binary message', new NetError('UNAUTHENTICATED', text));
    },
    closed: (code) => {
      if (!end()) return;
      const isLost = code === CLOSE.NETWORK && socket.isRelayed === true;
      outcome.failed(isLost ? lostOnTheWay() : endedBy(code, dialled && pass !== undefined));
    },
  };
  socket.receive(receiver);
  return () => {
    if (!end()) return;
    if (isKnown) {
      socket.trust();
      sayGoodbye(socket);
    } else {
      socket.terminate();
    }
  };
}

function full({ id, isGuest }: { id: string; isGuest: boolean }): NetError {
  const text = `refused the peer ${JSON.stringify(id)}: this peer has reached ${limitOf(isGuest)}`;
  return new NetError('UNAUTHENTICATED', text, { peer: id });
}

function limitOf(isGuest: boolean): string {
  return isGuest ? 'its limit of guests (limits.guests)' : 'its limit of peers (limits.peers)';
}

/** The other side lives, and takes no more connections. */
export class PeerFull extends Error {}

/** A broker between the two sides lost the connection. That says nothing about the other side. */
export class LostOnTheWay extends Error {}

function lostOnTheWay(): NetError {
  const text = 'the connection to the broker broke during the handshake';
  return new NetError('UNAUTHENTICATED', text, { cause: new LostOnTheWay(text) });
}

/**
 * The error for a close code. A code proves nothing: anybody that answers a dial can send any code.
 * @param hasPass whether this side dialled with a pass
 */
function endedBy(code: number, hasPass: boolean): NetError {
  if (code === CLOSE.HANDSHAKE) {
    const why = hasPass
      ? 'the pass has expired, was revoked or was made with another secret'
      : 'it has another secret, or is not a peer';
    const text = `the other side ended the handshake (${code}): ${why}`;
    const cause = hasPass ? new PassRefused(text) : new OtherSecret(text);
    return new NetError('UNAUTHENTICATED', text, { cause });
  }
  if (code === CLOSE.FULL) {
    const text = `the other side closed the connection (${code}): it has reached ${limitOf(hasPass)}`;
    return new NetError('UNAUTHENTICATED', text, { cause: new PeerFull(text) });
  }
  // This says nothing about the secret: a dial that is no longer needed ends in the same way.
  return new NetError('UNAUTHENTICATED', `the connection closed during the handshake (${code})`);
}
