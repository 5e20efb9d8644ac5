/* Compile-only: that this file compiles is the test; `types.spec.ts` runs the compiler. */
import {
  connect,
  createPeer,
  current,
  event,
  getPeers,
  peers,
  registerError,
  remote,
  use,
} from '../../src/index.ts';
import type {
  Connected,
  NetErrorCode,
  PeerInfo,
  PeersChange,
  Received,
  Remote,
  RemotePeer,
} from '../../src/index.ts';
import { connectionMachine } from '../../src/connection/connection.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

declare const peer: RemotePeer;

// --- a synchronous function returns a promise there, and itself here
const multiply = connect(function multiply(a: number, b: number, note?: string) {
  return note ? a * b : a + b;
});
is<Equal<ReturnType<typeof multiply>, number>>();
const there = multiply.on(peer);
is<Equal<typeof there, (a: number, b: number, note?: string) => Promise<number>>>();
const product: number = await multiply.on(peer, { deadline: 500, signal: AbortSignal.timeout(1) })(5, 10);
is<Equal<typeof product, number>>();
await multiply.on('an id')(1, 2);

// @ts-expect-error a wrong argument
await multiply.on(peer)(5, 'ten');
// @ts-expect-error a missing argument
await multiply.on(peer)(5);
// @ts-expect-error one argument too many
await multiply.on(peer)(5, 10, 'note', 1);
// @ts-expect-error the result is a number
const text: string = await multiply.on(peer)(5, 10);
// @ts-expect-error no peer
multiply.on(7);
// @ts-expect-error an option that does not exist
multiply.on(peer, { timeout: 5 });
// @ts-expect-error call options do not sit among the arguments
await multiply(5, 10, { deadline: 5 });

// --- an async function is the same there: overloads, type parameters and parameter names survive
function find(by: 'id', id: number): Promise<{ id: number }>;
function find(by: 'name', name: string): Promise<{ name: string }>;
async function find(by: string, value: unknown): Promise<unknown> {
  return { [by]: value };
}
const found = connect(find);
is<Equal<Remote<typeof find>, typeof find>>();
is<Equal<Awaited<ReturnType<typeof byId>>, { id: number }>>();
const byId = (): Promise<{ id: number }> => found.on(peer)('id', 1);
const byName: { name: string } = await found.on(peer)('name', 'x');
// @ts-expect-error no overload takes these
await found.on(peer)('name', 1);

const first = connect(async function first<T>(list: T[]): Promise<T | undefined> {
  return list[0];
});
const head: number | undefined = await first.on(peer)([1, 2, 3]);
// @ts-expect-error the type parameter is inferred from the argument
const wrong: string | undefined = await first.on(peer)([1, 2, 3]);

// --- results that are a promise at times, anything, or never
const sometimes = connect('sometimes', (now: boolean): number | Promise<number> =>
  now ? 1 : Promise.resolve(1),
);
is<Equal<Remote<(now: boolean) => number | Promise<number>>, (now: boolean) => Promise<number>>>();
const one: number = await sometimes.on(peer)(true);
is<Equal<Remote<(x: number) => any>, (x: number) => Promise<any>>>();
is<Equal<Remote<() => never>, () => Promise<never>>>();
is<Equal<Remote<() => void>, () => Promise<void>>>();

// --- a function that only others have
const far = remote<typeof multiply>('math.multiply');
const answer: number = await far.on(peer)(1, 2);
// @ts-expect-error there is nothing to call here
far(1, 2);
// @ts-expect-error its arguments are checked, too
await far.on(peer)('1', 2);

// --- what connect takes
is<
  Equal<
    typeof multiply extends Connected<(a: number, b: number, note?: string) => number> ? true : false,
    true
  >
>();
connect('tag', (x: number) => x, { replace: true });
// @ts-expect-error no function
connect({ a: 1 });
// @ts-expect-error an option that does not exist
connect(() => 1, { tag: 'x' });

// --- the set of peers
for (const each of await getPeers({ group: ['a', 'b'], hub: true, has: multiply, scope: 'host' }))
  each.functions.at(0);
await getPeers({ where: (each) => each.functions.length > 1 });
// @ts-expect-error a selector that does not exist
await getPeers({ groups: 'a' });
// @ts-expect-error a scope that does not exist
await getPeers({ scope: 'here' });
// @ts-expect-error a promise is no answer
await getPeers({ where: async (each) => each.hub });
// @ts-expect-error a function that was never connected
await getPeers({ has: () => 1 });
// @ts-expect-error a label is there or not
peers.of({ hub: 'yes' });
peers.on('leave', (left, why) => {
  is<Equal<typeof left, RemotePeer>>();
  is<Equal<typeof why, 'stopped' | 'lost' | 'replaced' | 'unreachable'>>();
});
// @ts-expect-error an event that does not exist
peers.on('left', () => {});
for await (const change of peers.watch()) {
  is<Equal<typeof change, PeersChange>>();
  if (change.type === 'leave') change.why.toUpperCase();
}
const ready: RemotePeer[] = await peers.ready(multiply, { min: 2 });
await peers.ready({ group: 'gpu', has: multiply }, { min: 2 });
// @ts-expect-error a selector that does not exist
await peers.ready({ tags: 'x' });
// @ts-expect-error the set changes by itself only
peer.name = 'x';

// --- what every peer answers
const told: PeerInfo = await peer.info({ deadline: 500 });
const lag: number = told.loop.lag;
const roundTrip: number = await peer.ping();

// --- events
const done = event<{ id: string }>('job.done');
const toldTo: number = done.emit({ id: '1' });
// @ts-expect-error a payload of another type
done.emit({ id: 1 });
// @ts-expect-error no payload
done.emit();
event<void>('ping').emit();
const subscription = done.subscribe(
  (payload, received) => {
    is<Equal<typeof payload, { id: string }>>();
    is<Equal<typeof received, Received<{ id: string }>>>();
    is<Equal<typeof received.peer, RemotePeer>>();
    received.gap?.missed?.toFixed();
  },
  { from: { group: 'gpu', has: multiply }, signal: AbortSignal.timeout(1) },
);
subscription.unsubscribe();
// @ts-expect-error a selector that does not exist
done.subscribe(() => {}, { from: { groups: 'a' } });
// @ts-expect-error an option that does not exist
done.stream({ size: 5 });
for await (const { payload } of done.stream({ from: { hub: true }, buffer: 5, overflow: 'throw' })) {
  is<Equal<typeof payload, { id: string }>>();
}
// Without a type, a payload may be anything, and has to be looked at.
event('any').emit(5);
event('any').subscribe((payload) => is<Equal<typeof payload, unknown>>());
const subscribers: RemotePeer[] = await done.ready({ min: 2 });

// --- the rest
createPeer({ name: 'x', limits: { calls: 5 } });
// @ts-expect-error an option that does not exist
createPeer({ title: 'x' });

// --- guests
const host = createPeer({ pages: { port: 4_000, path: '/net' } });
is<Equal<ReturnType<typeof host.pass>, Promise<string>>>();
void host.pass({
  may: [connect((a: number) => a), 'chat.*'],
  hear: ['job.*'],
  expires: '8h',
  origins: ['https://a.b'],
});
void host.pass({ expires: 1_000, name: 'till', offers: ['page.*'] });
// @ts-expect-error a number is no pattern
void host.pass({ may: [1] });
// @ts-expect-error an option that does not exist
void host.pass({ can: ['chat.*'] });
// @ts-expect-error a pass is a text
createPeer({ pass: Promise.resolve('') });
// @ts-expect-error a port is a number
createPeer({ pages: 4_000 });
is<Equal<typeof peer.guest, boolean>>();
registerError(class MyError extends Error {});
// @ts-expect-error no error
registerError(class NoError {});

// --- the machines: an event that does not exist, or lacks what it must carry
declare const connection: import('xstate').ActorRefFrom<typeof connectionMachine>;
connection.send({ type: 'connection.drain' });
// @ts-expect-error no such message
connection.send({ type: 'connection.explode' });
// @ts-expect-error a link is missing
connection.send({ type: 'link.closed' });

export const used = [
  product,
  text,
  byId,
  byName,
  head,
  wrong,
  one,
  answer,
  ready,
  lag,
  roundTrip,
  told,
  subscribers,
];

// meta: a small object with calls and events, and how calls end.
const withMeta = multiply.on(peer, { meta: { token: 'abc', deep: [1] } });
const metaResult: Promise<number> = withMeta(1, 2);
// @ts-expect-error a meta is an object
multiply.on(peer, { meta: 'abc' });
done.emit({ id: '1' }, { meta: { tenant: 'acme' } });
// @ts-expect-error there is no such option
done.emit({ id: '1' }, { mata: {} });
// @ts-expect-error what came with a call is only read
current().meta['token'] = 'abc';
use(async (call, next) => {
  call.meta['token'] = 'abc';
  const { ok, code }: { ok: boolean; code: NetErrorCode | undefined } = await call.finished;
  if (!ok) console.log(code);
  return next();
});
console.log(metaResult, current().trace?.['traceparent']);
