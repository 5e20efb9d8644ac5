/* Compile-only: that this file compiles is the test; `types.spec.ts` runs the compiler. */
import { connect, remote } from '../../src/index.ts';
import type { MapResult, PeerResult, RemotePeer, Results } from '../../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

const double = connect('double', (x: number) => x * 2);
const resize = connect('resize', async (image: Uint8Array, width: number, note?: string) =>
  note ? [width] : [image.length],
);
const now = connect('now', () => 1);
const sum = connect('sum', (...numbers: number[]) => numbers.length);
const maybe = connect('maybe', (x: number, digits?: number) => x.toFixed(digits));
const lines = connect('lines', async function* (file: string) {
  yield file;
});

// --- any
const one: number = await double.any()(1);
await double.any({ group: 'gpu' }, { deadline: 5, signal: AbortSignal.timeout(5), wait: true })(1);
is<
  Equal<
    ReturnType<typeof resize.any>,
    typeof resize extends (...args: infer A) => infer R ? (...args: A) => R : never
  >
>();
// @ts-expect-error a wrong argument
await double.any()('1');
// @ts-expect-error a selector that does not exist
double.any({ gruop: 'x' });
// @ts-expect-error an option that does not exist
double.any({}, { retries: 3 });

// --- all
const all = double.all({ group: '*' }, { deadline: 5 })(1);
is<Equal<typeof all, Results<PeerResult<number>>>>();
for await (const result of all) {
  is<Equal<typeof result.peer, RemotePeer>>();
  if (result.status === 'fulfilled') result.value.toFixed();
  // @ts-expect-error only a fulfilled one has a value
  else result.value.toFixed();
}
// @ts-expect-error a wrong argument
double.all()('1');
// @ts-expect-error nobody waits here
double.all({}, { wait: true });
// @ts-expect-error not for functions that stream
lines.all()('x');

// --- map: one input is one argument …
for await (const result of double.map([1, 2], { concurrency: 4, ordered: true, select: { hub: true } })) {
  is<Equal<typeof result.index, number>>();
  const input: number = result.input;
  if (result.status === 'fulfilled') is<Equal<typeof result.value, number>>();
  else result.reason;
  void input;
}
double.map(new Set([1]));
double.map(
  (function* () {
    yield 1;
  })(),
);
double.map(
  (async function* () {
    yield 1;
  })(),
);
maybe.map([1]);
sum.map([1]);
// @ts-expect-error wrong inputs
double.map(['1']);
// @ts-expect-error no inputs
double.map(5);
// @ts-expect-error an option that does not exist
double.map([1], { parallel: 4 });
// @ts-expect-error the function needs more than an image
resize.map([new Uint8Array(1)]);
// @ts-expect-error the function takes nothing
now.map([1]);
// What the compiler prints for both, in one line: the type of the parameter.
type NoArgs =
  'This function does not take one argument. Say what to call it with: map(inputs, { args: (input) => [...] })';
is<Equal<Parameters<typeof resize.map>[0], NoArgs>>();
is<Equal<Parameters<typeof now.map>[0], NoArgs>>();
// @ts-expect-error not for functions that stream
lines.map(['x']);
// @ts-expect-error not for functions that stream
lines.all();
// What the compiler prints for both.
is<Equal<typeof lines.map, 'map() cannot read several streams in one loop. Read each one: fn.any()(...)'>>();
is<
  Equal<typeof lines.all, 'all() cannot read several streams in one loop. Read each peer: fn.on(peer)(...)'>
>();

// --- … or `args` makes the arguments
declare const images: AsyncIterable<{ name: string; bytes: Uint8Array }>;
const resized = resize.map(images, {
  args: ({ bytes }, index) => [bytes, index],
  onProgress: ({ done, total }) => done / (total ?? 1),
});
is<Equal<typeof resized, Results<MapResult<{ name: string; bytes: Uint8Array }, number[]>>>>();
now.map([1, 2, 3], { args: () => [] });
double.map(['1'], { args: (text) => [Number(text)] });
// @ts-expect-error the arguments are wrong
resize.map(images, { args: ({ name }) => [name, 1] });
// @ts-expect-error one is missing
resize.map(images, { args: ({ bytes }) => [bytes] });

// --- a function that only others have
const far = remote<typeof double>('double', { idempotent: true });
await far.any()(1);
far.map([1]);
// Without a type it takes anything.
const untyped: Promise<unknown> = remote('double').any()(1, 'two');
await untyped;
connect('twice', (x: number) => x, { idempotent: true });
// @ts-expect-error an option that does not exist
remote<typeof double>('double', { replace: true });

export const used = [one, resized];
