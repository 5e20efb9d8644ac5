import type { AnyActorLogic, AnyActorRef, EventFromLogic } from 'xstate';

/**
 * Cleans up after a message made its actor throw: it reports the error and ends what the message was about. If the remedy itself
 * throws, the actor dies, and the peer dies with it.
 */
export type Remedy<Message> = (error: unknown, message: Message, self: AnyActorRef) => void;

/**
 * The safety net under an actor. Without it, an error thrown while a message is handled would end the actor, its parent, and so
 * the whole peer. It is the second layer of defence: each place that takes foreign values has a guard of its own, and the net
 * catches the errors that those guards did not expect. It is one `try` around each message, which costs nothing.
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
  // Wrap with a prototype, not with a spread: a machine is an instance of a class, and a spread would lose its methods.
  return Object.create(logic, { transition: { value: transition } }) as Logic;
}
