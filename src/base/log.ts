import { NetError } from './errors.ts';
import { readableTag } from './tag.ts';
import { stackOf, warnOfUnforeseen } from './unforeseen.ts';
import { peerLine } from './peer-line.ts';
import { messageOf, printable } from './text.ts';
import type { Named } from './peer-line.ts';

/**
 * The log of a running peer: one line for each change of state, none for a call. Every sentence of the log is in this file.
 * The actors only report what happened.
 */

/**
 * Where the lines of the log go: `console`, a pino logger, or any object with these four methods.
 *
 * @example
 * const logger: Logger = console;
 * configure({ logger, logLevel: 'info' });
 */
export interface Logger {
  /** Takes a line about a connection. */
  debug(line: string): unknown;
  /** Takes a line about a peer that came or went, or about this peer. */
  info(line: string): unknown;
  /** Takes a line about something that needs attention. */
  warn(line: string): unknown;
  /** Takes a line about something that failed. */
  error(line: string): unknown;
}

/**
 * The least severe lines that are written. `debug` adds every connection, `info` peers that come and go. `silent` writes
 * nothing.
 *
 * @example
 * const level: LogLevel = process.argv.includes('-v') ? 'debug' : 'warn';
 * configure({ logLevel: level });
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** From the least severe on. Keys of a record, so that one that is missing does not compile. */
export const LOG_LEVELS = Object.keys({
  debug: true,
  info: true,
  warn: true,
  error: true,
  silent: true,
} satisfies Record<LogLevel, true>) as readonly LogLevel[];

type Told = Exclude<LogLevel, 'silent'>;

/** Characters of one line that come from another program. */
const LONGEST_DETAIL = 300;

/** Characters of a stack. The error message in it can have any length. */
const LONGEST_STACK = 4_000;

/** Functions (or peers) of another program that one line names, and characters of each name. */
const MOST_TAGS = 5;
const LONGEST_TAG = 100;

/** The fields of another peer that lines show. */
export interface LoggedPeer extends Named {
  readonly group: string;
  readonly pid: number;
  readonly host: string;
  readonly functions: { readonly size: number };
  readonly evidence: { readonly text: string } | undefined;
}

/** Turns the reports of one peer's actors into lines. */
export class Log {
  readonly #logger: Logger;
  readonly #least: number;
  /** The name of this peer, at the beginning of each line. */
  readonly #own: string;
  #broken = false;

  /** @param name the peer whose log it is */
  constructor(logger: Logger, least: LogLevel, name: string) {
    this.#logger = logger;
    this.#least = LOG_LEVELS.indexOf(least);
    this.#own = escaped(name, 64);
  }

  /** @param addresses in readable form */
  online(group: string, addresses: readonly string[]): void {
    this.#write('info', () => {
      const places = addresses.join(', ');
      return `is online in group ${quoted(group)}, ${places ? `listens at ${places}` : 'not announced'}`;
    });
  }

  stopping(): void {
    this.#write('info', () => 'is stopping');
  }

  stopped(): void {
    this.#write('info', () => 'is stopped');
  }

  failed(error: unknown): void {
    this.#write('error', () => `could not start: ${reason(error)}`);
  }

  /**
   * An unexpected error, that is, a bug. If nothing is logged, it becomes a warning of the process, so that a bug is never
   * silent.
   * @param doing where it happened: "in a call", "while it listened"
   */
  unforeseen(doing: string, error: unknown): void {
    if (this.#least > LOG_LEVELS.indexOf('error') || this.#broken) warnOfUnforeseen(doing, error);
    this.#write(
      'error',
      () => `unexpected error ${doing}. This is a bug of app-net; please report it: ${stack(error)}`,
    );
  }

  /**
   * The event loop did not turn for long. Other peers may have given this one up meanwhile.
   * @param tags the functions that were called: one of them was it
   */
  /** @param trace the id of the trace that one of the calls belongs to */
  blocked(ms: number, tags: readonly string[], trace: string | undefined): void {
    this.#write('warn', () => {
      const functions = tags.slice(0, MOST_TAGS).map((tag) => escaped(readableTag(tag), LONGEST_TAG));
      const by = functions.length === 0 ? 'what came from a peer' : functions.join(' or ');
      return `was blocked for ${(ms / 1_000).toFixed(1)} s by ${by}${trace === undefined ? '' : ` (trace ${trace})`}; connect functions that compute with the option threads`;
    });
  }

  /** The user's `inspect` threw, and is not called again. */
  inspectorThrew(error: unknown): void {
    const text = `the function of the option \`inspect\` threw, and is not called again: ${reason(error)}`;
    process.emitWarning(text, 'AppNetWarning');
    this.#write('error', () => text);
  }

  /** An actor died of an unexpected error, and the peer with it. */
  died(error: unknown): void {
    this.#write(
      'error',
      () => `died of an unexpected error. This is a bug of app-net; please report it: ${stack(error)}`,
    );
  }

  joined(record: LoggedPeer): void {
    this.#write('info', () => {
      const { group, pid, host, functions } = record;
      const has = functions.size === 1 ? '1 function' : `${functions.size} functions`;
      return `${peerLine(record)} joined: group ${quoted(group)}, process ${pid} on ${quoted(host)}, ${has}`;
    });
  }

  left(record: LoggedPeer, why: string): void {
    this.#write('info', () => {
      const because = why === 'lost' ? ` (${record.evidence?.text})` : '';
      return `${peerLine(record)} left: ${why}${because}`;
    });
  }

  functionsChanged(record: LoggedPeer, added: readonly string[], removed: readonly string[]): void {
    this.#write('debug', () => {
      const changes = [
        ...(added.length > 0 ? [`connected ${named(added)}`] : []),
        ...(removed.length > 0 ? [`disconnected ${named(removed)}`] : []),
      ];
      return `${peerLine(record)} ${changes.join(' and ') || 'changed no function'}`;
    });
  }

  /** @param dialled whether this side opened the connection */
  connectionOpened(record: LoggedPeer, dialled: boolean): void {
    this.#write('debug', () => `connection to ${peerLine(record)} opened from ${dialled ? 'here' : 'there'}`);
  }

  /** @param code the close code of the WebSocket; 1006 means that no close message came */
  connectionClosed(record: LoggedPeer, code: number): void {
    this.#write(
      'debug',
      () => `connection to ${peerLine(record)} closed: ${CODES.get(code) ?? 'for another reason'} (${code})`,
    );
  }

  /** The peer broke the protocol, so its connection is closed. */
  peerBroke(record: LoggedPeer, what: string): void {
    this.#write(
      'warn',
      () => `closed the connection to ${peerLine(record)}, because that peer broke the protocol: ${what}`,
    );
  }

  /**
   * A dial failed. A peer that is there and refuses us needs somebody's attention, so that is a warning, once. An address where
   * nobody answers is normal, and so are further attempts.
   * @param attempt 1 for the first
   */
  dialFailed(id: string, error: unknown, attempt: number): void {
    const refused = error instanceof NetError && error.code !== 'NOT_SENT';
    this.#write(
      refused && attempt === 1 ? 'warn' : 'debug',
      () => `could not connect to ${id} (attempt ${attempt}): ${reason(error)}`,
    );
  }

  /** A connection came in from somebody that did not prove to be a peer. */
  strangerRefused(error: unknown): void {
    this.#write('debug', () => `refused an incoming connection: ${reason(error)}`);
  }

  /** @param dropped true if the subscriber loses its oldest events; false if its connection was closed */
  subscriberSlow(record: LoggedPeer, dropped: boolean): void {
    this.#write('warn', () => {
      const what = dropped ? 'its oldest waiting events are dropped' : 'it is disconnected';
      return `${peerLine(record)} reads events more slowly than they are emitted: ${what}`;
    });
  }

  /** The peer accepts no more subscriptions. */
  subscriptionWaits(record: LoggedPeer, name: string): void {
    this.#write(
      'warn',
      () =>
        `${peerLine(record)} accepts no more subscriptions: the one to ${quoted(name)} waits until another ends`,
    );
  }

  /** A peer with another secret needs somebody's attention, so this is a warning, once. */
  hintsDropped(provider: string, whom: readonly string[]): void {
    this.#write('warn', () => {
      const few = whom.slice(0, MOST_TAGS).map((each) => escaped(each, LONGEST_TAG));
      const more = whom.length > few.length ? ` and ${whom.length - few.length} more` : '';
      return `ignored hints from ${provider} to ${few.join(', ')}${more}: made with another secret, or forged`;
    });
  }

  /**
   * This peer is alone, and others have another secret. Nobody sees that from the outside, so it is not silent when the log is.
   * @param sign of it, in words, and whether it is about the pass of this peer
   */
  otherSecret({ text, isPass }: { readonly text: string; readonly isPass: boolean }): void {
    // The log has said it already, of each.
    if (this.#least <= LOG_LEVELS.indexOf('warn') && !this.#broken) return;
    if (isPass) {
      warnOnce(
        `this peer is not let in: ${text}. Make a new pass with peer.pass() and give it to createPeer()`,
      );
      return;
    }
    warnOnce(
      `this peer is not seen by others that have another secret: ${text}. Give both the same APP_NET_SECRET_FILE or APP_NET_SECRET, or neither. ` +
        'npx app-net doctor says more',
    );
  }

  degraded(provider: string, error: unknown): void {
    this.#write('warn', () => `cannot find peers through ${provider}: ${reason(error)}`);
  }

  /** @param peers how many peers are announced there with another secret */
  secretMade(directory: string, peers: number): void {
    this.#write('warn', () => {
      const [who, they] = peers === 1 ? ['One peer is', 'it has'] : [`${peers} peers are`, 'they have'];
      return (
        `there was no secret in ${escaped(directory, LONGEST_DETAIL)}, so a new one was made. ${who} announced there: ` +
        `if ${they} the earlier secret, restart ${peers === 1 ? 'it' : 'them'}`
      );
    });
  }

  #write(level: Told, sentence: () => string): void {
    if (LOG_LEVELS.indexOf(level) < this.#least || this.#broken) return;
    try {
      this.#logger[level](`${this.#own}: ${sentence()}`);
    } catch (error) {
      // The logger is the user's. This peer must work whether or not its log can be written.
      this.#broken = true;
      process.emitWarning(`the logger threw, and is not called again: ${reason(error)}`, 'AppNetWarning');
    }
  }
}

/** Writes nothing and costs nothing. */
export const silentLog = new Log({ debug() {}, info() {}, warn() {}, error() {} }, 'silent', '');

const line = (level: string) => (text: string) =>
  console.error(`${new Date().toISOString()} ${level.padEnd(5)} app-net ${text}`);

/** Lines for people, on stderr. */
const standardError: Logger = {
  debug: line('debug'),
  info: line('info'),
  warn: line('warn'),
  error: line('error'),
};

/** @param logger default: stderr */
export function createLog(logger: Logger | undefined, least: LogLevel, name: string): Log {
  return least === 'silent' ? silentLog : new Log(logger ?? standardError, least, name);
}

const CODES = new Map([
  [1000, 'no longer needed'],
  [1001, 'the other side stopped'],
  [1006, 'without a close message'],
  [1009, 'a message was too large'],
  [1011, 'an unexpected error'],
  [4400, 'a frame broke the protocol'],
  [4401, 'the pass has expired or was revoked'],
]);

function reason(error: unknown): string {
  return escaped(messageOf(error), LONGEST_DETAIL);
}

/** The stack, with its line breaks. */
function stack(error: unknown): string {
  const lines = stackOf(error).slice(0, LONGEST_STACK).split('\n');
  return lines.map((each) => printable(each)).join('\n');
}

function quoted(text: string): string {
  return printable(JSON.stringify(text.slice(0, 64)));
}

/** A few tags, in readable form. */
function named(tags: readonly string[]): string {
  const few = tags.slice(0, MOST_TAGS).map((tag) => escaped(readableTag(tag), LONGEST_TAG));
  return tags.length > few.length ? `${few.join(', ')} and ${tags.length - few.length} more` : few.join(', ');
}

/** On one line, and without characters that would move the cursor of a terminal. */
function escaped(text: string, longest: number): string {
  return printable(text.slice(0, longest));
}

let hasWarned = false;

/** Strangers can cause this warning, so a process gets it once. */
function warnOnce(text: string): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(text, 'AppNetWarning');
}
