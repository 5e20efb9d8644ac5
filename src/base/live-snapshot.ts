/**
 * The snapshot of an actor whose state changes with every call: one object, the same for the actor's whole life,
 * so that a message allocates nothing. Read the numbers when you need them; they go on changing.
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
