import type { AnyFunction, Remote } from '../base/function-types.ts';
import type { CallMeta } from '../wire/beside.ts';

/** What users of a page are given, and what they may ask for. */

/**
 * Options of `connectPage`.
 *
 * @example
 * const net = await connectPage('wss://app.example/net', {
 *   pass: async () => (await fetch('/pass', { method: 'POST' })).text(),
 *   deadline: 5_000,
 * });
 */
export interface ConnectPageOptions {
  /**
   * The text that `peer.pass()` returned on the server; or a function that gets one. The function is called for the first
   * connection, and again whenever the pass has expired or the server refuses it.
   */
  pass: string | (() => string | Promise<string>);
  /**
   * How long a call may take that sets no deadline of its own, in ms, and how long `connectPage` tries to connect. Default:
   * 30,000, as for any peer.
   */
  deadline?: number | undefined;
  /** Ends the attempts to connect when it aborts: `connectPage` rejects with its reason. Later it has no effect. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of one call.
 *
 * @example
 * const there = net.remote<typeof resize>('img.resize@1');
 * await there.with({ deadline: 500, signal: AbortSignal.timeout(400) })(image, 200);
 */
export interface PageCallOptions {
  /**
   * How long the call may take, in ms, including the wait for a connection. For a stream: how long the stream may keep its reader
   * waiting. Default: the `deadline` of `connectPage`.
   */
  deadline?: number | undefined;
  /** Cancels the call when it aborts: the call rejects at once with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** A small object that travels with the call: plain JSON values, at most 4,096 characters of JSON. */
  meta?: CallMeta | undefined;
}

/**
 * A function of the server, as `remote` of a page returns it. A function that returns a stream can be iterated at once.
 *
 * @example
 * const there: PageRemote<typeof resize> = net.remote('img.resize@1');
 * await there(image, 200);
 */
export type PageRemote<F extends AnyFunction> = Remote<F> & {
  /** The name of the function on the wire. */
  readonly tag: string;
  /**
   * The same function with options for each call.
   * @throws TypeError for wrong options
   */
  with(options: PageCallOptions): Remote<F>;
};

/**
 * The server, as a page sees it while it is connected.
 *
 * @example
 * const [server] = net.peers;
 * if (server?.has('img.resize@1')) await net.remote('img.resize@1')();
 */
export interface PagePeer {
  /** Its identity. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  /** The group it belongs to. */
  readonly group: string;
  /** Tags of the functions that it has and that the page may call. */
  readonly functions: readonly string[];
  /** Returns whether it has a function with this tag that the page may call. */
  has(tag: string): boolean;
}

/**
 * The call that a function of a page runs for, as `net.current()` returns it.
 *
 * @example
 * net.connect('page.ask', async (question: string) => {
 *   const { signal } = net.current()!; // before the first await
 *   return (await fetch(`/answers?${question}`, { signal })).text();
 * });
 */
export interface PageCallContext {
  /** The peer that called. */
  readonly caller: PagePeer;
  /** The tag of the function. */
  readonly tag: string;
  /** Aborted when the caller cancels the call or is lost, or when the deadline has passed. Its reason is a NetError. */
  readonly signal: AbortSignal;
  /** How much longer the caller waits, in ms; Infinity when there is no limit. */
  readonly deadline: number;
  /** The small object that came with the call; `{}` when none came. */
  readonly meta: CallMeta;
}

/**
 * How a connection of a page ended.
 *
 * @example
 * net.on('close', ({ code, final }: PageClose) => console.log(final ? 'closed' : `lost (${code}), connects again`));
 */
export interface PageClose {
  /** The close code of the WebSocket: `docs/protocol.md` lists them. 1006 means that the connection broke. */
  readonly code: number;
  /** Why, for people. */
  readonly reason: string;
  /** Whether the page does not connect again. */
  readonly final: boolean;
}

/**
 * What `net.on` tells of, by name, with the arguments of the listener.
 *
 * @example
 * const off = net.on('state', (state, before) => console.log(before, '→', state));
 */
export interface PageEvents {
  /** A connection is open: the first one and each later one. */
  open: [server: PagePeer];
  /** A connection that was open has ended, or the page is closed. */
  close: [how: PageClose];
  /** An attempt to connect failed: the error says why. The page tries again, unless it closes. */
  failed: [error: Error];
  /** The state has changed. */
  state: [state: import('./states.ts').PageState, before: import('./states.ts').PageState];
}
