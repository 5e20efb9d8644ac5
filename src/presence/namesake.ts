import { nanoid } from 'nanoid';
import type { AnyActorRef } from 'xstate';

import { afterAwake } from '../base/awake.ts';
import type { Clock } from '../base/clock.ts';
import type { Hint } from '../providers/hint.ts';
import type { Attachment } from '../providers/network.ts';
import { dialInTurn } from '../connection/dial/dialing.ts';
import { dialHandshake } from '../connection/dial/handshaking.ts';
import type { HandshakeDependencies } from '../connection/dial/handshaking.ts';
import { idTaken } from '../connection/id-taken.ts';
import type { IsTaken } from '../connection/id-taken.ts';
import type { PeerRecord } from '../connection/link.ts';
import { proveAnywhere } from '../connection/dial/proving.ts';
import type { Proving } from '../connection/dial/proving.ts';

/**
 * Two processes with one id. The one that is there stays: it is asked whether it is alive, and if it is the newcomer is
 * turned away and told why. Otherwise each would replace the other on every peer, again and again.
 */

/** How long the one that is there has to answer, in ms of time awake. */
const ANSWER_TIME = 1_000;

/** Between two looks at what it has sent, in ms. */
const LOOK = 50;

/** Asks those this peer is connected to. */
export function takenAmong(system: AnyActorRef['system'], clock: Clock): IsTaken {
  return (id, incarnation) => {
    const connection = system.get(`connection:${id}`) as AnyActorRef | undefined;
    const { record } = (connection?.getSnapshot().context ?? {}) as { record?: PeerRecord };
    if (!record?.link || record.incarnation === incarnation) return false;
    return answers(record, clock);
  };
}

function answers(record: PeerRecord, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const { socket } = record.link!;
    const before = socket.received;
    let heard = false;
    let timer: unknown;
    const decide = (alive: boolean): void => {
      stop();
      clock.clearTimeout(timer);
      resolve(alive);
    };
    const stop = afterAwake(clock, ANSWER_TIME, () => decide(false));
    const look = (): void => {
      // What a process that has died had sent before may arrive as well, but then its end comes right behind.
      if (record.left || record.link?.socket !== socket) decide(false);
      else if (heard) decide(true);
      else {
        heard = socket.received !== before;
        timer = clock.setTimeout(look, LOOK);
      }
    };
    timer = clock.setTimeout(look, LOOK);
    socket.ping();
  });
}

/**
 * Asks whoever is announced under this peer's own id, before it announces itself.
 * @param time how long it has to answer, in ms of time awake
 * @throws NetError ID_TAKEN
 */
export async function refuseNamesake(
  { transport, providers }: Attachment,
  dependencies: HandshakeDependencies,
  time: number,
): Promise<void> {
  const { self } = dependencies;
  for (const provider of providers) {
    // One after the other: mostly there is one provider to ask, and nobody to be found.
    const hint = await provider.announced?.(self.id);
    if (!hint || hint.incarnation === self.incarnation) continue;
    // Under another id, since nobody would talk to somebody with its own.
    const stranger = { ...dependencies, self: { ...self, id: nanoid(), incarnation: nanoid() } };
    if (await isThere(hint, transport, stranger, time)) throw idTaken(self.id, hint.pid);
  }
}

function isThere(
  { id, addresses }: Hint,
  transport: Attachment['transport'],
  dependencies: HandshakeDependencies,
  time: number,
): Promise<boolean> {
  const { clock, self } = dependencies;
  return new Promise((resolve) => {
    const controller = new AbortController();
    let stopHandshake = (): void => {};
    const decide = (alive: boolean): void => {
      controller.abort();
      stop();
      stopHandshake();
      resolve(alive);
    };
    const stop = afterAwake(clock, time, () => decide(false));
    const options = { transport, addresses, largestMessage: self.limits.message, clock };
    dialInTurn(options, controller.signal)
      .then((dialled) => {
        const prove: Proving['prove'] = (socket, outcome) =>
          dialHandshake(socket, id, dependencies, outcome, { onlyToKnow: true });
        const outcome = { done: () => decide(true), failed: () => decide(false) };
        if (controller.signal.aborted) dialled.socket.terminate();
        else stopHandshake = proveAnywhere({ ...options, dialled, prove }, outcome);
      })
      .catch(() => decide(false));
  });
}
