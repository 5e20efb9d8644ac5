import { Refused } from './handshake.ts';
import type { Talk } from './handshake.ts';
import { openSocket } from './socket.ts';
import type { PageSocket } from './socket.ts';

/** ms that an attempt to connect may take: a browser alone would wait for minutes. */
const LONGEST_DIAL = 10_000;

/** How a connection has ended. */
export interface Ending {
  code: number;
  reason: string;
}

/** There is no connection, and another attempt may succeed. */
export class Unreachable extends Error {}

/** The server refused the pass, or a handshake with it. */
const HANDSHAKE = 4401;

/** A socket during the handshake. The messages of the server wait here until they are asked for. */
export class Dial implements Talk {
  readonly socket: PageSocket;
  /** Resolves when the socket is open. */
  readonly opened: Promise<void>;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<Ending>;
  /** Why there is no connection any more. */
  error: Error | undefined;
  readonly #url: string;
  readonly #timer: unknown;
  #messages: string[] = [];
  #wake: () => void = () => {};
  #end!: (ending: Ending) => void;

  /** @throws what the engine throws for a URL that it does not open */
  constructor(url: string) {
    this.#url = url;
    const socket = openSocket(url);
    this.socket = socket;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#timer = setTimeout(() => this.abort(`no answer within ${LONGEST_DIAL / 1_000} s`), LONGEST_DIAL);
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      this.#wake = () => reject(this.error!);
    });
    socket.onerror = () => {};
    socket.onmessage = ({ data }) => {
      this.#messages.push(String(data));
      this.#wake();
    };
    socket.onclose = ({ code, reason }) => this.#over({ code, reason });
  }

  send(text: string): void {
    this.socket.send(text);
  }

  async next(): Promise<string> {
    if (this.#messages.length === 0 && !this.error)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    const message = this.#messages.shift();
    if (message === undefined) throw this.error!;
    return message;
  }

  /** The handshake is done. */
  done(): void {
    clearTimeout(this.#timer as number);
  }

  /** Ends the connection now: the close of a dead connection could take a while. */
  abort(reason: string, code?: number): void {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(code, reason.slice(0, 100));
    } catch {
      // It is not open yet, or closed already.
    }
    this.#over({ code: code ?? 1006, reason });
  }

  #over(ending: Ending): void {
    this.done();
    const { code, reason } = ending;
    const why = reason || `code ${code}`;
    this.error ??=
      code === HANDSHAKE
        ? new Refused(
            'the server refused the pass: it is expired, revoked, changed, or not for the origin of this page',
          )
        : new Unreachable(`cannot reach ${this.#url} (${why})`);
    this.#end(ending);
    this.#wake();
  }
}
