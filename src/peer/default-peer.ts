import { callSite, formatCallSite } from '../base/call-site.ts';
import { alike } from '../base/alike.ts';
import type { Evidence } from '../connection/link/evidence.ts';
import type { RemoteOptions } from '../functions/connect-arguments.ts';
import type { Connect, FunctionRecord } from '../functions/connect-types.ts';
import type { RemoteFunction } from '../functions/connected.ts';
import { NetEvent } from '../events/event.ts';
import { NetError } from '../base/errors.ts';
import { resolveOptions } from './options/options.ts';
import { outsideThread, threadHome } from '../base/process/thread-home.ts';
import { warnInTests } from './in-tests.ts';
import { checkStopOptions } from './stop-on.ts';
import type { ServeOptions, StopOptions } from './stop-on.ts';
import type { Hook } from '../calls/hooks.ts';
import type { PeerOptions } from './options/options.ts';
import { Peer } from './peer.ts';
import { Peers } from '../presence/set/peers.ts';
import type { AnyFunction, UntypedFunction } from '../base/function-types.ts';
import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { Selector } from '../presence/set/selector.ts';
import { messageOf } from '../base/text.ts';

/** The default peer of this process: made and started by the first use of anything below but `configure`. */
let standard: Peer | undefined;
let configured: PeerOptions = {};
/** The first use of the default peer: what was used, and where, if that is known. */
let firstUse = '';

/** @param by the function that was called, or the name of what was used */
function defaultPeer(by: ((...args: never[]) => unknown) | string): Peer {
  if (!standard) {
    firstUse = typeof by === 'string' ? by : `${by.name}() at ${formatCallSite(callSite(by))}`;
    const settings = resolveOptions(configured, process.env);
    standard = new Peer(settings, false);
    // A thread of a pool has no peer of its own: it only runs functions.
    if (threadHome()) return standard;
    warnInTests(standard, settings);
    // Nobody may be waiting for the start. Without this warning, a peer that never started would be hard to notice.
    standard.start().catch((error: unknown) => {
      if (error instanceof NetError && error.code === 'STOPPED') return;
      const text = messageOf(error);
      process.emitWarning(`the default peer could not start: ${text}`, 'AppNetWarning');
    });
  }
  return standard;
}

/**
 * Sets the options of the default peer. Call it before the first use of the default peer. Imports run first, so put the
 * call into a module of its own, and import that module before those that call `connect`. If you call it more than once,
 * later options replace earlier ones. Once the default peer is in use, options are accepted only if they are the same.
 * @throws Error for other options when the default peer is already in use, which names the first use; TypeError that names
 *   an unknown or invalid option; NetError INSECURE for options that would open the peer to strangers
 *
 * @example
 * configure({ name: 'render-1', group: 'gpu' });
 */
export function configure(options: PeerOptions): void {
  resolveOptions(options, process.env);
  if (standard) refuseOthers(options);
  else configured = { ...configured, ...options };
}

/** @throws Error for an option that is not the one in use */
function refuseOthers(options: PeerOptions): void {
  const names = (Object.keys(options) as (keyof PeerOptions)[]).filter(
    (name) => !alike(options[name], configured[name]),
  );
  if (names.length === 0) return;
  throw new Error(
    `configure() comes too late for ${names.join(', ')}: the default peer is in use since ${firstUse}. Imports run first, so ` +
      'call configure() in a module of its own, and import that module before those that use the default peer. In a test run, ' +
      'each test file imports it first',
  );
}

/**
 * Lets other peers call functions of this process. It takes a function, an object of functions, or decorates a static
 * method; the type `Connect` describes each form.
 * @throws Error when another function has the tag; TypeError for a function that cannot be connected
 *
 * @example
 * const multiply = connect(function multiply(a: number, b: number) {
 *   return a * b;
 * });
 * multiply(5, 10); // here
 * await multiply.on(peer)(5, 10); // on another peer
 */
export const connect: Connect = ((...args: unknown[]) =>
  defaultPeer(connect).register(args, callSite(connect))) as Connect;

/**
 * Stops sharing a function, or each function of an object: other peers can no longer call it. Returns whether any of them
 * was connected.
 *
 * @example
 * disconnect(multiply);
 */
export function disconnect(what: AnyFunction | FunctionRecord): boolean {
  return defaultPeer(disconnect).disconnect(what);
}

/**
 * Adds a hook that wraps every call of the default peer from now on: calls that it makes and calls that it runs for
 * others. The hook that was added first is the outermost. Returns a function that removes the hook.
 * @throws TypeError for a hook that is not a function
 *
 * @example
 * use(async (call, next) => {
 *   const start = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     console.log(call.direction, call.tag, performance.now() - start);
 *   }
 * });
 */
export function use(hook: Hook): () => void {
  return defaultPeer(use).use(hook);
}

/**
 * Returns a function that only other peers have, made from its type and its tag.
 * @throws TypeError for a tag that is not a string of 1 to 1,024 characters, or a wrong option
 *
 * @example
 * const multiply = remote<(a: number, b: number) => number>('math.multiply');
 * await multiply.on(peer)(2, 3);
 */
export function remote<F extends AnyFunction = UntypedFunction>(
  tag: string,
  options: RemoteOptions = {},
): RemoteFunction<F> {
  return defaultPeer(remote).remote<F>(tag, options);
}

/**
 * Waits until the first search for peers is over, and resolves with the selected peers. Default: the peers of your own group.
 * @throws TypeError for an invalid selector; the error that kept the default peer from starting
 *
 * @example
 * for (const peer of await getPeers()) console.log(await square.on(peer)(5));
 */
export function getPeers(selector: Selector = {}): Promise<RemotePeer[]> {
  return defaultPeer(getPeers).getPeers(selector);
}

/**
 * Returns why the peer with this id is considered alive, suspect or gone, or how the search for it went; undefined for an
 * unknown id. In a template string it becomes words.
 *
 * @example
 * console.log(`${evidence('7f1dGx2kQm')}`); // silent 6.0 s, own lag 12 ms, redial refused
 */
export function evidence(id: string): Evidence | undefined {
  return defaultPeer(evidence).evidence(id);
}

/**
 * The live set of the other peers of your own group. `peers.of()` makes other sets.
 *
 * @example
 * peers.on('join', (peer) => console.log(`${peer.name} is here`));
 * await peers.ready('math.multiply', { min: 2 });
 */
export const peers: Peers = new Peers(() => defaultPeer('`peers`').events.source);

/**
 * Returns the event with this name, which peers can emit and subscribe to. An event goes only to other peers that
 * subscribe. The first use of the event starts the default peer; this call does not. The name `*` stands for every event.
 * @throws TypeError for a name that is not a string of 1 to 256 characters
 *
 * @example
 * export const done = event<{ id: string }>('job.done');
 * done.emit({ id: '42' });
 * done.subscribe(({ id }, { peer }) => console.log(`${peer.name} has done ${id}`), { from: { group: 'gpu' } });
 */
export function event<T = unknown>(name: string): NetEvent<T> {
  return new NetEvent<T>(name, () => outsideThread(defaultPeer(`the event ${name}`).events));
}

/**
 * Returns what the default peer has done, in numbers. It counts calls from the first time that somebody asks, here or from another
 * peer. `metricsText()` turns the numbers into text for Prometheus.
 *
 * @example
 * console.log(metricsText(metrics()));
 */
export function metrics(): PeerMetrics {
  return defaultPeer(metrics).metrics();
}

/**
 * Starts the default peer if necessary, and keeps this process alive as a peer until it is killed or the peer is stopped.
 * With `stopOn` a signal stops the peer: it takes no more calls, answers those that run, and then `serve()` resolves.
 * @throws the error that kept the peer from starting, or the error that it died of; TypeError for a name in `stopOn`
 *   that is not the name of a signal
 *
 * @example
 * connect('math.multiply', (a: number, b: number) => a * b);
 * await serve({ stopOn: ['SIGTERM', 'SIGINT'] });
 */
export function serve(options: ServeOptions = {}): Promise<void> {
  return defaultPeer(serve).serve(options);
}

/**
 * Stops the default peer: it takes no more calls, answers those that run, and leaves the network. Does nothing if the
 * default peer was never used. A second `stop()` waits for the first one.
 *
 * The default peer of this process then stays stopped. Calls, `getPeers()`, `peers.ready()` and `serve()` fail with
 * `STOPPED`. `connect()` still returns a function that you can call in this process. To go on as a peer, use
 * `createPeer()`.
 * @throws TypeError for an option that does not exist
 *
 * @example
 * await stop();
 */
export async function stop(options: StopOptions = {}): Promise<void> {
  checkStopOptions(options);
  await standard?.stop(options);
}
