/* Compile-only: that this file compiles is the test; `types.spec.ts` runs the compiler. */
import { connect, current, remote, use } from '../../src/index.ts';
import type { CallContext, HookedCall, Remote, RemotePeer } from '../../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

declare const peer: RemotePeer;

// --- an async generator is the same there
const tail = connect(async function* tail(file: string): AsyncGenerator<string, number> {
  yield file;
  return 1;
});
is<
  Equal<
    Remote<(file: string) => AsyncGenerator<string, number>>,
    (file: string) => AsyncGenerator<string, number>
  >
>();
for await (const line of tail.on(peer)('app.log')) line.toUpperCase();
for await (const line of tail('app.log')) line.toUpperCase();
const step: IteratorResult<string, number> = await tail.on(peer)('app.log').next();
// @ts-expect-error a wrong argument
tail.on(peer)(5);
// @ts-expect-error its values are strings
for await (const line of tail.on(peer)('app.log')) line.toFixed();

// --- other streams arrive as an async generator, at once or in a promise
const bytes = connect('bytes', () => ReadableStream.from([1, 2]));
for await (const n of bytes.on(peer)()) n satisfies number;
const list = connect('list', (_: number): AsyncIterable<string> => tail('x'));
is<Equal<ReturnType<ReturnType<typeof list.on>>, AsyncGenerator<string, unknown, void>>>();
const later = connect('later', async (): Promise<AsyncIterable<string>> => tail('x'));
for await (const line of await later.on(peer)()) line.toUpperCase();
// @ts-expect-error it is a promise of a stream
for await (const line of later.on(peer)()) String(line);
// @ts-expect-error what arrives is no ReadableStream
bytes.on(peer)().getReader();

// --- arguments may be streams
const sum = connect('sum', async (numbers: AsyncIterable<number>) => {
  let all = 0;
  for await (const n of numbers) all += n;
  return all;
});
const total: number = await sum.on(peer)(ReadableStream.from([1, 2]));
// @ts-expect-error values of the wrong type
await sum.on(peer)(ReadableStream.from(['one']));

// --- without the code, and without types
const far = remote<typeof tail>('log.tail');
for await (const line of far.on('an id')('app.log')) line.toUpperCase();
for await (const value of peer.stream('log.tail', ['app.log'])) {
  // @ts-expect-error nothing is known of it
  value.toUpperCase();
}

// --- the context of a call
const context: CallContext = current();
const { caller, signal, deadline } = current();
caller?.name.toUpperCase();
// @ts-expect-error nobody calls when a function is called plainly
void caller.name;
is<Equal<typeof signal, AbortSignal>>();
deadline.toFixed();
// @ts-expect-error it is only there to be read
context.deadline = 5;

// --- hooks
const off: () => void = use(async (call, next) => {
  is<Equal<typeof call, HookedCall>>();
  if (call.direction === 'incoming') call.peer.name.toUpperCase();
  return next();
});
// @ts-expect-error a side that does not exist
use((call, next) => (call.direction === 'both' ? undefined : next()));
// @ts-expect-error no function
use({ before() {} });

void [step, total, off];
