import type { AnyActorLogic, AnyActorRef, EventFromLogic } from 'xstate';

/**
 * Does what is still to be done after a message made its actor throw: tells of it, and ends what the message was about. When it
 * throws itself, the actor dies, and the peer with it.
 */
export type Remedy<Message> = (error: unknown, message: Message, self: AnyActorRef) => void;

/**
 * The net under an actor. Without it whatever a message makes it throw would end the actor, its parent, and so the whole peer.
 * It is the second layer: each place where foreign values come in is guarded for what it is, and this catches what was not
 * foreseen there. One `try` around the message, which costs nothing.
 */
export function contained<Logic extends AnyActorLogic>(
  logic: Logic,
  remedy: Remedy<EventFromLogic<Logic>>,
): Logic {
  const transition: Logic['transition'] = (snapshot, message, scope) => {
    try {
      return logic.transition(snapshot, message, scope) as unknown;
    } catch (error) {
      remedy(error, message as EventFromLogic<Logic>, scope.self as AnyActorRef);
      return snapshot as unknown;
    }
  };
  // Everything else stays as it is: a machine is an object of a class, with methods.
  return Object.create(logic, { transition: { value: transition } }) as Logic;
}
