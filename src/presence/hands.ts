import type { AnyActorRef } from 'xstate';

import type { ProviderMessage } from './provider.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import type { ToCaller, ToEvents } from '../connection/messages.ts';
import type { DiscoveryEmitted, DiscoveryMessage, FromDiscovery } from './messages.ts';

/** What a step of discovery may do, in the order of its calls. */
export interface Hands {
  emit(event: DiscoveryEmitted): void;
  toPeer(message: FromDiscovery): void;
  /** To the actor of the calls, some of which may wait for a link. */
  toCaller(message: ToCaller): void;
  /** To the actor of the events. */
  toEvents(message: ToEvents): void;
  /** To the provider with this name. */
  toProvider(name: string, message: ProviderMessage): void;
  /** To the connection to this peer, if there is one. */
  toConnection(id: string, message: { type: 'dial.stop' | 'direct.due' }): void;
  /** To discovery itself. */
  later(message: DiscoveryMessage, id: string, delay: number): void;
}

/** As much of XState's `enqueue` as is needed here. */
export interface Enqueue {
  emit(event: DiscoveryEmitted): void;
  sendTo(target: AnyActorRef | string, message: { type: string }): void;
  raise(message: DiscoveryMessage, options: { id: string; delay: number }): void;
}

export function handsOf({ peer }: DiscoveryContext, enqueue: unknown, system: AnyActorRef['system']): Hands {
  const step = enqueue as Enqueue;
  const sendTo = (name: string, message: ToCaller | ToEvents): void => {
    const actor = system.get(name) as AnyActorRef | undefined;
    if (actor) step.sendTo(actor, message);
  };
  return {
    emit: (event) => step.emit(event),
    toPeer: (message) => step.sendTo(peer, message),
    toCaller: (message) => sendTo('caller', message),
    toEvents: (message) => sendTo('events', message),
    toProvider: (name, message) => step.sendTo(name, message),
    toConnection: (id, message) => {
      const connection = system.get(`connection:${id}`) as AnyActorRef | undefined;
      if (connection) step.sendTo(connection, message);
    },
    later: (message, id, delay) => step.raise(message, { id, delay }),
  };
}
