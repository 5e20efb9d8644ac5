import { messageOf } from './text.ts';

/**
 * Whether the called function ran. It is `unknown` once the request may have left this process and no answer came.
 *
 * @example
 * function mayRepeat(ran: Ran) {
 *   return ran === 'no';
 * }
 */
export type Ran = 'no' | 'yes' | 'unknown';

/**
 * The ways in which a call itself can fail, as opposed to a function that threw. Each code says whether the function ran, and
 * whether the same call is worth another try, elsewhere or later. A failure that knows
 * more sets its own `ran` and `retriable`.
 */
const OUTCOMES = {
  /** No connection to the peer, and the request never left this process. */
  NOT_SENT: { ran: 'no', retriable: true },
  /** The peer is stopping and did not take the request. */
  REFUSED: { ran: 'no', retriable: true },
  /** Our queue is full, or a limit of the peer was reached. */
  OVERLOADED: { ran: 'no', retriable: true },
  /** The peer has no function with that tag; another may. */
  NO_SUCH_TAG: { ran: 'no', retriable: true },
  /** A value cannot be sent; the message names its path. */
  NOT_SERIALIZABLE: { ran: 'no', retriable: false },
  /** A message is larger than the receiver takes. */
  TOO_LARGE: { ran: 'no', retriable: false },
  /** The peer could not read the request. */
  BAD_REQUEST: { ran: 'no', retriable: false },
  /** The other side did not prove that it knows the secret. */
  UNAUTHENTICATED: { ran: 'no', retriable: false },
  /** Another process is alive and has the id of this peer. */
  ID_TAKEN: { ran: 'no', retriable: false },
  /** The given options, a file or a folder would open this peer to strangers. */
  INSECURE: { ran: 'no', retriable: false },
  /** No answer by the deadline. */
  DEADLINE_EXCEEDED: { ran: 'unknown', retriable: false },
  /** The connection was lost after the request was written to it. */
  CONNECTION_LOST: { ran: 'unknown', retriable: false },
  /** The worker thread that ran the function ended, or was ended. A call that no thread had begun says `ran: 'no'`. */
  THREAD_LOST: { ran: 'unknown', retriable: true },
  /** The caller cancelled the call. */
  CANCELLED: { ran: 'unknown', retriable: false },
  /** This peer is stopped. */
  STOPPED: { ran: 'no', retriable: false },
} as const satisfies Record<NetErrorCode, { ran: Ran; retriable: boolean }>;

/**
 * Why a call failed. `docs/errors.md` explains each code.
 *
 * @example
 * const worthAnotherTry: NetErrorCode[] = ['NOT_SENT', 'REFUSED', 'OVERLOADED'];
 */
export type NetErrorCode =
  | 'NOT_SENT'
  | 'REFUSED'
  | 'OVERLOADED'
  | 'NO_SUCH_TAG'
  | 'NOT_SERIALIZABLE'
  | 'TOO_LARGE'
  | 'BAD_REQUEST'
  | 'UNAUTHENTICATED'
  | 'ID_TAKEN'
  | 'INSECURE'
  | 'DEADLINE_EXCEEDED'
  | 'CONNECTION_LOST'
  | 'THREAD_LOST'
  | 'CANCELLED'
  | 'STOPPED';

export function isNetErrorCode(value: unknown): value is NetErrorCode {
  return typeof value === 'string' && Object.hasOwn(OUTCOMES, value);
}

/** Whether the function ran, for a failure that does not know more than its code. */
export function ranOf(code: NetErrorCode): Ran {
  return OUTCOMES[code].ran;
}

/** Shared by all copies of this library that a process has loaded. */
const BRAND = Symbol.for('app-net.NetError');

/**
 * The details of a `NetError` beside its code and message. You need it only to make such errors yourself.
 *
 * @example
 * throw new NetError('REFUSED', 'closed for maintenance', { tag: 'resize' });
 */
export interface NetErrorDetails {
  /** Whether the function ran. Default: what the code says. */
  ran?: Ran | undefined;
  /** Whether the call is worth another try. Default: what the code says if the function did not run, else false. */
  retriable?: boolean | undefined;
  /** Id of the peer that was called. */
  peer?: string | undefined;
  /** Tag of the function that was called. */
  tag?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * The failure of a call itself. An error that the called function threw arrives as its own class instead.
 *
 * @example
 * try {
 *   await resize.on(peer)(image, 200);
 * } catch (error) {
 *   if (error instanceof NetError && error.ran === 'no') await resize.any()(image, 200);
 *   else throw error;
 * }
 */
export class NetError extends Error {
  /** Why the call failed. */
  readonly code: NetErrorCode;
  /** Whether the function ran: `no`, `yes` or `unknown`. */
  readonly ran: Ran;
  /** Whether the same call is worth another try, elsewhere or later. Only if the function did not run. */
  readonly retriable: boolean;
  /** Id of the peer that was called. */
  readonly peer: string | undefined;
  /** Tag of the function that was called. */
  readonly tag: string | undefined;

  /** @param code why the call failed
   * @param message the text for people
   * @param details Default: `ran` and `retriable` follow from the code */
  constructor(code: NetErrorCode, message: string, details: NetErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.ran = details.ran ?? OUTCOMES[code].ran;
    this.retriable = details.retriable ?? (OUTCOMES[code].retriable && this.ran === 'no');
    this.peer = details.peer;
    this.tag = details.tag;
  }
}

// An error of another copy of this library in the process passes, too. This is not written in the class, since a bundler
// renames a class that names itself.
Object.defineProperty(NetError, Symbol.hasInstance, {
  value(this: unknown, value: unknown): boolean {
    if (this !== NetError) return Function.prototype[Symbol.hasInstance].call(this as typeof NetError, value);
    try {
      return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
    } catch {
      return false;
    }
  },
});

// On the prototype, as in the built-in errors, so that `name` is not listed among the own properties.
Object.defineProperty(NetError.prototype, 'name', { value: 'NetError', writable: true, configurable: true });
Object.defineProperty(NetError.prototype, BRAND, { value: true });

/** Whether this is `NetError.prototype`, of this copy of the library or of another one. */
export function isNetErrorPrototype(prototype: object): boolean {
  return Object.hasOwn(prototype, BRAND);
}

/** @param cause why the peer could not start; leave it out for a peer that was stopped */
export function stoppedError(cause?: unknown): NetError {
  if (cause === undefined) {
    return new NetError('STOPPED', 'this peer is stopped; make a new one with createPeer()');
  }
  const why = messageOf(cause);
  return new NetError('STOPPED', `this peer could not start: ${why}`, { cause });
}
