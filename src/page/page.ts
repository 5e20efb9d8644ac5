import { NetError } from '../base/errors.ts';
import type { AnyFunction, UntypedFunction } from '../base/function-types.ts';
import { refuseUnknown } from '../base/option-checks.ts';
import { messageOf } from '../base/text.ts';
import { LONGEST_TAG } from '../wire/shapes.ts';
import { Callee } from './callee.ts';
import { Unreachable } from './dial.ts';
import type { Dial, Ending } from './dial.ts';
import { PageSubscriptions } from './events.ts';
import type { Introduced } from './handshake.ts';
import { Life } from './life.ts';
import type { LifeOwner } from './life.ts';
import { OutgoingCalls, pageClock } from './outgoing.ts';
import { PageEvent, throwLater } from './page-event.ts';
import type { ConnectPageOptions, PageCallContext, PageEvents, PagePeer, PageRemote } from './page-types.ts';
import { remoteOf } from './remote.ts';
import { Session } from './session.ts';
import type { PageState } from './states.ts';

/** ms that calls under way may take when the page closes. */
const DRAIN_TIME = 5_000;

/** How often it is looked whether the last call has settled, in ms. */
const DRAIN_LOOK = 10;

type Listener = (...args: unknown[]) => unknown;

/**
 * A web page as a peer with one connection, to the server that let it in. `connectPage` makes it. It connects again by itself
 * whenever the connection is lost.
 *
 * @example
 * await using net = await connectPage('wss://app.example/net', { pass });
 * const small = await net.remote<typeof resize>('img.resize@1')(image, 200);
 */
export class PageNet implements AsyncDisposable {
  readonly #url: URL;
  readonly #deadline: number;
  readonly #life: Life;
  readonly #outgoing = new OutgoingCalls();
  readonly #callee = new Callee();
  readonly #events = new PageSubscriptions();
  readonly #listeners = new Map<string, Set<Listener>>();
  #session: Session | undefined;
  #ran: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use `connectPage()`. */
  constructor(url: URL, pass: ConnectPageOptions['pass'], deadline: number) {
    this.#url = url;
    this.#deadline = deadline;
    const owner: LifeOwner = {
      opened: (introduced, dial) => this.#opened(introduced, dial),
      lost: (ending, final) => this.#lost(ending, final),
      failed: (error) => this.#failed(error),
      state: (state, before) => this.#tell('state', state, before),
      ping: () => {
        this.#outgoing.call('net.ping', [], this.#deadline, undefined, '').catch(() => {});
      },
      goodbye: () => this.#session?.goaway(),
      functions: () => [...this.#callee.functions.keys()],
    };
    this.#life = new Life(url, pass, owner);
  }

  /** The id by which the server knows this page. It changes with the pass; `''` before the first connection. */
  get id(): string {
    return this.#life.id;
  }

  /** The state of the connection. `docs/states.md` explains them. */
  get state(): PageState {
    return this.#life.state;
  }

  /**
   * The peers that the page sees: the server while there is a connection, else none. It reaches others through functions of the
   * server.
   */
  get peers(): readonly PagePeer[] {
    return this.#session ? [this.#session.server] : [];
  }

  /**
   * Returns a function of the server by its tag. Import its type from the server's code with `import type`, so that none of that
   * code gets into the page. A call waits for a connection, within its deadline.
   * @throws TypeError for a tag that is not a string of 1 to 1,024 characters. A call rejects with the error that the function
   *   threw, or with a NetError
   *
   * @example
   * const small = await net.remote<typeof resize>('img.resize@1')(image, 200);
   * await net.remote<typeof resize>('img.resize@1').with({ deadline: 500 })(image, 200);
   */
  remote<F extends AnyFunction = UntypedFunction>(tag: string): PageRemote<F> {
    checkTag(tag);
    return remoteOf<F>(this.#outgoing, tag, this.#deadline);
  }

  /**
   * Lets the server call a function of this page, as far as the pass `offers` it. Returns a function that disconnects it.
   * @throws TypeError for a wrong tag, or anything but a function; Error when another function has the tag
   *
   * @example
   * net.connect('page.notify', (text: string) => console.log(text));
   */
  connect(tag: string, fn: AnyFunction): () => void {
    checkTag(tag);
    const { functions } = this.#callee;
    if (typeof fn !== 'function') throw new TypeError('fn must be a function');
    if (tag.startsWith('net.'))
      throw new TypeError('connect: tags that begin with net. belong to the library');
    if (functions.has(tag) && functions.get(tag) !== fn) {
      throw new Error(
        `connect: another function is connected as ${JSON.stringify(tag)}; disconnect it first`,
      );
    }
    functions.set(tag, fn);
    this.#session?.tellFunctions();
    return () => {
      if (functions.get(tag) !== fn) return;
      functions.delete(tag);
      this.#session?.tellFunctions();
    };
  }

  /**
   * Returns an event by its name, 1 to 256 characters. `*` stands for every event that the pass lets the page hear.
   * @throws TypeError for a wrong name
   *
   * @example
   * net.event<{ id: string }>('job.done').subscribe(({ id }) => console.log(id));
   */
  event<T = unknown>(name: string): PageEvent<T> {
    return new PageEvent<T>(name, this.#events);
  }

  /**
   * The call that a function of this page runs for, up to its first `await`: a page cannot follow it any further. Undefined outside
   * of such a call.
   *
   * @example
   * net.connect('page.ask', (question: string) => `${net.current()?.caller.name} asks: ${question}`);
   */
  current(): PageCallContext | undefined {
    return this.#callee.current;
  }

  /**
   * Calls the listener whenever this happens. Returns a function that ends it.
   * @throws TypeError for an unknown name, or anything but a function
   *
   * @example
   * net.on('close', ({ reason, final }) => console.log(reason, final ? '' : 'connecting again'));
   */
  on<Name extends keyof PageEvents>(
    name: Name,
    listener: (...args: PageEvents[Name]) => unknown,
  ): () => void {
    refuseUnknown('event', { [name]: true }, { open: true, close: true, failed: true, state: true });
    if (typeof listener !== 'function') throw new TypeError('listener must be a function');
    const listeners = this.#listeners.get(name) ?? new Set<Listener>();
    // The same function may be given twice.
    const own = (...args: unknown[]): unknown => listener(...(args as PageEvents[Name]));
    this.#listeners.set(name, listeners.add(own));
    return () => listeners.delete(own);
  }

  /**
   * Leaves: says goodbye, lets calls under way finish for up to 5 s, and closes the connection. Calls that wait, and later ones,
   * fail with NetError STOPPED. Never rejects.
   *
   * @example
   * await net.close();
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** The same as `close()`, so that `await using` works. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal Resolves with the first connection.
   * @throws NetError NOT_SENT, UNAUTHENTICATED; what `pass` threw; the signal's reason
   */
  start(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      let last: Error | undefined;
      const late = (): void => reject(this.#noConnection(last));
      const timer = this.#deadline < Infinity ? pageClock.setTimeout(late, this.#deadline) : undefined;
      const aborted = (): void => reject(signal!.reason as Error);
      this.on('open', () => {
        pageClock.clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      this.on('failed', (error) => {
        last = error;
        if (!(error instanceof Unreachable)) reject(error);
      });
      signal?.addEventListener('abort', aborted);
      if (signal?.aborted) aborted();
      else this.#ran = this.#life.run();
    });
  }

  #noConnection(cause: Error | undefined): NetError {
    const text = `no connection to ${this.#url.href} within ${this.#deadline} ms`;
    return new NetError('NOT_SENT', cause ? `${text}: ${cause.message}` : text, { cause });
  }

  #opened(introduced: Introduced, dial: Dial): void {
    this.#outgoing.trouble = '';
    const parts = { outgoing: this.#outgoing, callee: this.#callee, events: this.#events };
    this.#session = new Session(introduced, dial, parts, this.#life);
    this.#tell('open', this.#session.server);
  }

  #lost({ code, reason }: Ending, final: boolean): void {
    const session = this.#session;
    this.#session = undefined;
    session?.lost();
    this.#outgoing.trouble = reason || `the connection was lost (code ${code})`;
    this.#tell('close', { code, reason, final });
  }

  #failed(error: unknown): void {
    this.#outgoing.trouble = messageOf(error);
    if (this.#life.error !== undefined) this.#outgoing.stop(this.#life.error as NetError);
    this.#tell('failed', error);
  }

  async #close(): Promise<void> {
    this.#outgoing.stop(new NetError('STOPPED', 'this page is closed; call connectPage() again'));
    this.#life.stop();
    const session = this.#session;
    if (session) {
      this.#life.drain();
      session.goaway();
      const until = performance.now() + DRAIN_TIME;
      while (this.#session === session && !session.isIdle && performance.now() < until) {
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK));
      }
      session.link.flush();
      this.#life.cut('the page is closed', 1000);
    }
    await this.#ran;
  }

  #tell<Name extends keyof PageEvents>(name: Name, ...args: PageEvents[Name] | unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(...args);
      } catch (error) {
        throwLater(error);
      }
    }
  }
}

function checkTag(tag: unknown): void {
  if (typeof tag !== 'string' || tag === '' || tag.length > LONGEST_TAG)
    throw new TypeError(`tag must be a string of 1 to ${LONGEST_TAG} characters`);
}
