/* Compile-only: that this file compiles is the test; `types.spec.ts` runs the compiler. */
import { connect, connected, createPeer, disconnect, remote } from '../../src/index.ts';
import type { Connected, RemotePeer } from '../../src/index.ts';
import * as exported from '../../src/base/near.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

declare const peer: RemotePeer;

// --- methods
class Greeter {
  static greeting = 'hello';
  @connect() static greet(this: typeof Greeter, name: string): string {
    return `${this.greeting}, ${name}`;
  }
  @connect('greeter.ask', { idempotent: true }) static async ask(question: string): Promise<boolean> {
    return question.endsWith('?');
  }
  @connect() static async wait(this: typeof Greeter, ms: number): Promise<string> {
    return this.greeting + ms;
  }
  @connect({ replace: true }) static async *count(to: number): AsyncGenerator<number> {
    yield to;
  }
  // @ts-expect-error not static
  @connect() instance(): void {}
  // @ts-expect-error no method
  @connect() static field = 1;
  // @ts-expect-error an option that does not exist
  @connect({ static: true }) static other(): void {}
  // @ts-expect-error a decorator is made by a call
  @connect static bare(): void {}
}
Greeter.greet('you');
// @ts-expect-error a decorator changes no type …
Greeter.greet.on(peer);
// … but this is the same function with its type.
is<Equal<typeof ask, Connected<(question: string) => Promise<boolean>>>>();
const ask = connected(Greeter.ask);
const answer: boolean = await ask.on(peer)('really?');
for await (const each of connected(Greeter.count).on(peer)(5)) each.toFixed();
// `this` is not the caller's to give.
const waited: string = await connected(Greeter.wait).any()(5);
// @ts-expect-error a wrong argument
await ask.any()(5);
const far = remote<typeof Greeter.ask>('greeter.ask');
await far.any()('really?');

// --- objects of functions
const math = connect(
  { add: (x: number, y: number) => x + y, find: async <T>(list: T[]): Promise<T | undefined> => list[0] },
  { prefix: 'math', idempotent: true },
);
const sum: number = math.add(1, 2);
const there: number = await math.add.on(peer)(1, 2);
const found: string | undefined = await math.find.any()(['a']);
connect(exported);
disconnect(math);
disconnect(math.add);
await using own = createPeer();
own.connect(math, { prefix: 'm' }).add.tag.toUpperCase();
// @ts-expect-error there is no such function in it
math.subtract(1, 2);
// @ts-expect-error a property that is no function
connect({ add: (x: number) => x, pi: 3.14 });
// @ts-expect-error functions in an object within
connect({ geometry: { area: () => 1 } });
// @ts-expect-error an option that does not exist
connect({ add: (x: number) => x }, { tag: 'math' });

export const used = [waited, answer, sum, there, found];
