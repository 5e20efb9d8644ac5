/* Compile-only: that this file compiles is the test; `types.spec.ts` runs the compiler. */
import { connect, connected, createPeer, disconnect, remote } from '../../src/index.ts';
import type { Connected, RemotePeer, Threaded } from '../../src/index.ts';
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

// --- a function that always throws
const sold = connect('sold', async (item: string) => {
  throw new Error(item);
});
const refused: Promise<never>[] = [sold.on(peer)('tea'), sold.any()('tea')];
// @ts-expect-error a wrong argument
refused.push(sold.on(peer)(5));

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

// --- threads
const heavy = connect('heavy', (n: number) => `${n}`, { threads: 'auto', kill: 500, queue: 10 });
is<Equal<typeof heavy, Threaded<(n: number) => string>>>();
const inThread: string = await heavy.thread({ deadline: 5 })(5);
const plainly: string = heavy(5);
for await (const each of connect(
  async function* up(to: number) {
    yield to;
  },
  { threads: 2 },
).thread()(3))
  each.toFixed();
const heavies = connect({ one: (n: number) => n, two: async (s: string) => s }, { prefix: 'h', threads: 2 });
const two: string = await heavies.two.thread()('a');
// @ts-expect-error a wrong argument
await heavy.thread()('5');
// @ts-expect-error not an option of a call
heavy.thread({ wait: true });
// @ts-expect-error a function that was connected without threads has none
connect('light', (n: number) => n, { concurrency: 2 }).thread();
// @ts-expect-error neither a number nor auto
connect('wrong', (n: number) => n, { threads: 'all' });
// @ts-expect-error no limit of Node's
connect('wrong', (n: number) => n, { threads: 1, resourceLimits: { heap: 5 } });
