import { randomBytes } from 'node:crypto';

import { afterAwake } from '../../base/awake.ts';
import type { Clock } from '../../base/clock.ts';
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
} from '../../wire/handshake.ts';
import { HandshakeFailed, HandshakeNeedless, IdTaken, OwnHello } from '../../wire/handshake-messages.ts';
import type { DiallerOptions, Self, Step } from '../../wire/handshake.ts';
import type { HandshakeKeys } from '../../wire/secret.ts';
import { sayGoodbye } from '../goodbye.ts';
import { idTaken } from '../id-taken.ts';
import type { IsTaken } from '../id-taken.ts';
import type { Session } from '../session.ts';

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

interface DialChoices extends Pick<DiallerOptions, 'generation' | 'isConnected'> {
  /** Ends once the other side has proved itself, before that takes this one for a peer. */
  onlyToKnow?: boolean;
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
  dependencies: HandshakeDependencies,
  outcome: DialOutcome,
  { onlyToKnow = false, ...more }: DialChoices = {},
): () => void {
  const { self, keys } = dependencies;
  const nonce = randomBytes(32);
  const options = { self, keys, binding: socket.binding, nonce, to, ...more };
  const handshake = new DiallerHandshake(options);
  const name = nonce.toString('base64url');
  let answeredBy: string | undefined;
  reachedSelf.set(name, () => (answeredBy = self.id));
  const step = (text: string): Step => {
    const { send, done } = handshake.receive(text);
    // Without the last message the other side takes nobody in.
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

/** Whether a dialler that has proved itself is let in. */
export interface Admission {
  /** Whether its id belongs to somebody else. */
  isTaken?: IsTaken;
  /** Whether this peer takes no more peers. */
  isFull?: (id: string) => boolean;
}

/** The same on a socket that the other side opened. */
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
  /** The message for a dialler whose id is taken. */
  taken?: () => string;
}

function run(
  { socket, step, dependencies: { self, clock }, dialled, admission = {}, taken }: Course,
  outcome: Outcome,
): () => void {
  let over = false;
  /** Whether the other side has been told all it needs to take this one for a peer. */
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
    // One code for every reason: a stranger learns nothing from how it was refused.
    refuse(CLOSE.HANDSHAKE, '', new NetError('UNAUTHENTICATED', text, { cause }));
  };
  const failUnforeseen = (error: unknown): void => {
    warnOfUnforeseen('in a handshake', error);
    fail('something unforeseen went wrong', error);
  };
  // Time awake: what the other side has said meanwhile is read before it is held to be late.
  const stopTimer = afterAwake(clock, HANDSHAKE_TIME, () => fail(`it took longer than ${HANDSHAKE_TIME} ms`));
  const proceed = ({ send, proved, done }: Step): void => {
    if (send !== undefined) socket.send(send);
    if (proved) isKnown = true;
    if (!done || !end()) return;
    socket.receive(undefined);
    socket.trust();
    outcome.done({ socket, dialled, ...done });
  };
  const ask = async (next: Step, id: string, answered: Promise<boolean>): Promise<void> => {
    // What comes meanwhile is kept.
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
        else if (proved && admission.isFull?.(proved.id)) refuse(CLOSE.FULL, '', full(proved.id));
        else proceed(next);
      } catch (error) {
        if (error instanceof IdTaken) refuse(CLOSE.ID_TAKEN, '', idTaken(self.id));
        else if (error instanceof HandshakeFailed) fail(error.message, error);
        else failUnforeseen(error);
      }
    },
    binary: () => {
      // A stranger's protocol violation is no secret to it, so it is told, as at any other time.
      const text = 'the handshake failed: a binary message came';
      refuse(CLOSE.BAD_FRAME, 'binary message', new NetError('UNAUTHENTICATED', text));
    },
    closed: (code) => {
      if (end()) outcome.failed(endedBy(code));
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

function full(id: string): NetError {
  const text = `${JSON.stringify(id)} was turned away: this peer has as many peers as it takes (limits.peers)`;
  return new NetError('UNAUTHENTICATED', text, { peer: id });
}

/** Nothing is proved by a code: whoever answers a dial may close it with any. */
function endedBy(code: number): NetError {
  if (code === CLOSE.HANDSHAKE) {
    const text = `the other side ended the handshake (${code}); it has another secret, or is no peer`;
    return new NetError('UNAUTHENTICATED', text, { cause: new HandshakeFailed(text) });
  }
  if (code === CLOSE.FULL) {
    const text = `the other side closed the connection (${code}): it has as many peers as it takes (limits.peers)`;
    return new NetError('UNAUTHENTICATED', text);
  }
  // This says nothing of the secret: a dial that was not needed any more ends like this, too.
  return new NetError('UNAUTHENTICATED', `the connection closed during the handshake (${code})`);
}
