import { NetError } from './errors.ts';
import { readableTag } from './tag.ts';
import { stackOf, warnOfUnforeseen } from './unforeseen.ts';
import { peerLine, printable } from './text.ts';
import type { Named } from './text.ts';

/**
 * What is written while a peer runs: one line for each change of state, none for a call. Every sentence is here; the
 * actors only tell what happened.
 */

/** Where lines go: `console`, a pino logger, or anything else that has these four. */
export interface Logger {
  debug(line: string): unknown;
  info(line: string): unknown;
  warn(line: string): unknown;
  error(line: string): unknown;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The least that is written. `debug` has every connection, `info` peers that come and go. */
export type LogLevel = (typeof LOG_LEVELS)[number];

type Told = Exclude<LogLevel, 'silent'>;

/** Characters of what another program said of itself, in one line. */
const LONGEST_DETAIL = 300;

/** Characters of a stack: a message in it may be of any length. */
const LONGEST_STACK = 4_000;

/** Of the functions of another program in one line, and characters of each. */
const MOST_TAGS = 5;
const LONGEST_TAG = 100;

/** Another peer, as far as lines tell of it. */
export interface LoggedPeer extends Named {
  readonly group: string;
  readonly pid: number;
  readonly host: string;
  readonly functions: { readonly size: number };
  readonly evidence: { readonly text: string } | undefined;
}

/** What the actors of one peer tell. */
export class Log {
  readonly #logger: Logger;
  readonly #least: number;
  /** How this peer is called at the beginning of each line. */
  readonly #own: string;
  #broken = false;

  /** @param name the peer whose log it is */
  constructor(logger: Logger, least: LogLevel, name: string) {
    this.#logger = logger;
    this.#least = LOG_LEVELS.indexOf(least);
    this.#own = escaped(name, 64);
  }

  /** @param addresses as people read them */
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
   * Nobody foresaw it. Where nothing is logged it is a warning of the process: a bug must not go unseen.
   * @param doing when it went wrong: "in a call", "while it listened"
   */
  unforeseen(doing: string, error: unknown): void {
    if (this.#least > LOG_LEVELS.indexOf('error') || this.#broken) warnOfUnforeseen(doing, error);
    this.#write('error', () => `something went wrong ${doing}. This is a bug of app-net: ${stack(error)}`);
  }

  /** The user's `inspect` threw, and gets nothing more. */
  inspectorThrew(error: unknown): void {
    const text = `\`inspect\` throws, and gets nothing more: ${reason(error)}`;
    process.emitWarning(text, 'AppNetWarning');
    this.#write('error', () => text);
  }

  /** An actor died of something that nobody foresaw, and the peer with it. */
  died(error: unknown): void {
    this.#write('error', () => `died of an error that nobody foresaw: ${stack(error)}`);
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

  /** @param dialled whether this side opened it */
  connectionOpened(record: LoggedPeer, dialled: boolean): void {
    this.#write('debug', () => `connection to ${peerLine(record)} opened from ${dialled ? 'here' : 'there'}`);
  }

  /** @param code the close code of the WebSocket; 1006 means without a word */
  connectionClosed(record: LoggedPeer, code: number): void {
    this.#write(
      'debug',
      () => `connection to ${peerLine(record)} closed: ${CODES.get(code) ?? 'for another reason'} (${code})`,
    );
  }

  /** It did what the protocol does not allow, and its connection is ended. */
  peerBroke(record: LoggedPeer, what: string): void {
    this.#write(
      'warn',
      () => `the connection to ${peerLine(record)} is ended, since it broke the protocol: ${what}`,
    );
  }

  /**
   * No connection came about. That a peer is there and does not let us in is for somebody to look at, and told once;
   * that nobody answers is usual, and so is the next attempt.
   * @param attempt 1 for the first
   */
  dialFailed(id: string, error: unknown, attempt: number): void {
    const refused = error instanceof NetError && error.code !== 'NOT_SENT';
    this.#write(
      refused && attempt === 1 ? 'warn' : 'debug',
      () => `no connection to ${id} (attempt ${attempt}): ${reason(error)}`,
    );
  }

  /** Somebody came and did not prove to be a peer. */
  strangerRefused(error: unknown): void {
    this.#write('debug', () => `turned somebody away: ${reason(error)}`);
  }

  /** @param dropped whether it goes on without the oldest events; else its connection was ended */
  subscriberSlow(record: LoggedPeer, dropped: boolean): void {
    this.#write('warn', () => {
      const what = dropped ? 'its oldest events are dropped' : 'it is disconnected';
      return `${peerLine(record)} does not take events as fast as they come: ${what}`;
    });
  }

  /** It takes no more subscriptions. */
  subscriptionWaits(record: LoggedPeer, name: string): void {
    this.#write(
      'warn',
      () => `the subscription to ${quoted(name)} at ${peerLine(record)} waits for room there`,
    );
  }

  /** That somebody is there and has another secret is for somebody to look at, and told once. */
  hintsDropped(provider: string, whom: readonly string[]): void {
    this.#write('warn', () => {
      const few = whom.slice(0, MOST_TAGS).map((each) => escaped(each, LONGEST_TAG));
      const more = whom.length > few.length ? ` and ${whom.length - few.length} more` : '';
      return `${provider} says that there is ${few.join(', ')}${more}, with another secret or as a lie: such hints are dropped`;
    });
  }

  degraded(provider: string, error: unknown): void {
    this.#write('warn', () => `cannot find peers by ${provider}: ${reason(error)}`);
  }

  /** @param peers how many are announced there that have another secret */
  secretMade(directory: string, peers: number): void {
    this.#write('warn', () => {
      const [who, they] = peers === 1 ? ['a peer is', 'it has'] : [`${peers} peers are`, 'they have'];
      return (
        `there was no secret in ${escaped(directory, LONGEST_DETAIL)}, and a new one was made; ${who} announced there: ` +
        `if ${they} the secret that was there before, restart ${peers === 1 ? 'it' : 'them'}`
      );
    });
  }

  #write(level: Told, sentence: () => string): void {
    if (LOG_LEVELS.indexOf(level) < this.#least || this.#broken) return;
    try {
      this.#logger[level](`${this.#own}: ${sentence()}`);
    } catch (error) {
      // Of the user's. What this peer does must not depend on whether somebody can write it down.
      this.#broken = true;
      process.emitWarning(`the logger throws, and gets nothing more: ${reason(error)}`, 'AppNetWarning');
    }
  }
}

/** Says nothing, and costs nothing. */
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
  [1000, 'done with it'],
  [1001, 'the other side stopped'],
  [1006, 'without a word'],
  [1009, 'a message was too large'],
  [1011, 'something unforeseen went wrong'],
  [4400, 'a frame was wrong'],
  [4401, 'the handshake failed'],
]);

function reason(error: unknown): string {
  return escaped(error instanceof Error ? error.message : String(error), LONGEST_DETAIL);
}

/** In as many lines as it has. */
function stack(error: unknown): string {
  const lines = stackOf(error).slice(0, LONGEST_STACK).split('\n');
  return lines.map((each) => printable(each)).join('\n');
}

function quoted(text: string): string {
  return printable(JSON.stringify(text.slice(0, 64)));
}

/** A few tags, as a person reads them. */
function named(tags: readonly string[]): string {
  const few = tags.slice(0, MOST_TAGS).map((tag) => escaped(readableTag(tag), LONGEST_TAG));
  return tags.length > few.length ? `${few.join(', ')} and ${tags.length - few.length} more` : few.join(', ');
}

/** In one line, and without anything that would move a terminal's cursor. */
function escaped(text: string, longest: number): string {
  return printable(text.slice(0, longest));
}
