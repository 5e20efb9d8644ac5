/**
 * The snapshot of an actor whose state changes with every call. It is one object for the whole life of the actor, so that a
 * message allocates nothing. Its numbers keep changing: read them when you need them.
 */
export class LiveSnapshot<Counters extends object> {
  status: 'active' | 'stopped' = 'active';
  readonly output = undefined;
  readonly error = undefined;
  readonly context: Counters;

  constructor(context: Counters) {
    this.context = context;
  }
}
