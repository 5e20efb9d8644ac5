import type { AnyActorRef } from 'xstate';

import { newId } from '../base/new-id.ts';
import { afterAwake } from '../base/time/awake.ts';
import type { Clock } from '../base/time/clock.ts';
import type { Hint } from '../providers/hint.ts';
import type { Attachment } from '../providers/network.ts';
import { dialInTurn } from '../connection/dial/dialing.ts';
import { dialHandshake } from '../connection/dial/handshaking.ts';
import type { HandshakeDependencies } from '../connection/dial/handshaking.ts';
import { idTaken } from '../connection/id-taken.ts';
import type { IsTaken } from '../connection/id-taken.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { proveAnywhere } from '../connection/dial/proving.ts';
import type { Proving } from '../connection/dial/proving.ts';

/**
 * Two processes with one id. The one that is there is asked whether it is alive. If it is, it keeps the id, and the newcomer is
 * refused and told why. Otherwise the two would replace each other on every peer, again and again.
 */

/** How long the process that is there may take to answer, in ms of time awake. */
const ANSWER_TIME = 1_000;

/** Time between two checks whether it has sent something, in ms. */
const LOOK = 50;

/** A check among the peers to which this peer is connected. */
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
      // Bytes that a process sent before it died may still arrive, but then the end of its connection follows at once.
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
 * Asks the process that is announced under this peer's own id whether it is alive, before this peer announces itself.
 * @param time how long that process may take to answer, in ms of time awake
 * @throws NetError ID_TAKEN
 */
export async function refuseNamesake(
  { transport, providers }: Attachment,
  dependencies: HandshakeDependencies,
  time: number,
): Promise<void> {
  const { self } = dependencies;
  for (const provider of providers) {
    // Ask one provider after the other: mostly there is only one, and it knows nobody.
    const hint = await provider.announced?.(self.id);
    if (!hint || hint.incarnation === self.incarnation) continue;
    // Use another id, because no peer talks to a peer with its own id.
    const stranger = { ...dependencies, self: { ...self, id: newId(), incarnation: newId() } };
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
