import { NetError } from '../base/errors.ts';
import { Dial } from './dial.ts';
import type { Ending } from './dial.ts';
import { Refused, introduce } from './handshake.ts';
import type { Introduced } from './handshake.ts';
import { PAGE_LIMITS } from './limits.ts';
import { readPass, toBase64 } from './pass.ts';
import type { Pass } from './pass.ts';
import type { PageState } from './states.ts';
import { Surroundings } from './surroundings.ts';

/** Bounds of the random pause before an attempt, in ms. The bound doubles with each failure, as for any peer. */
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

/** How often it is looked whether anything was heard, in ms. After two looks without, the server is asked. */
const LOOK = 10_000;

/** ms that the server has to answer when it is asked whether it is there. */
const PROBE = 5_000;

/** What the life of a page's connection tells the page. */
export interface LifeOwner {
  opened(session: Introduced, dial: Dial): void;
  /** The connection that was open has ended. */
  lost(ending: Ending, final: boolean): void;
  failed(error: unknown): void;
  state(state: PageState, before: PageState): void;
  /** Asks the server for a sign of life. */
  ping(): void;
  /** Says goodbye on the open connection. */
  goodbye(): void;
  functions(): string[];
}

/** The life of a page's connection: it connects, notices when the server is gone, and connects again. */
export class Life {
  state: PageState = 'waiting';
  /** Own id. It follows from the pass and the incarnation. */
  id = '';
  /** Why it is closed for good. */
  error: unknown;
  readonly #url: URL;
  readonly #given: string | (() => string | Promise<string>);
  readonly #owner: LifeOwner;
  readonly #surroundings: Surroundings;
  #pass: Pass | undefined;
  #incarnation = freshName();
  #generation = 0;
  #over = false;
  #dial: Dial | undefined;
  #wake: () => void = () => {};
  #heard = true;
  #silentLooks = 0;
  #looks: unknown;
  #probe: unknown;

  constructor(url: URL, given: string | (() => string | Promise<string>), owner: LifeOwner) {
    this.#url = url;
    this.#given = given;
    this.#owner = owner;
    if (typeof given === 'string') this.#pass = readPass(given);
    this.#surroundings = new Surroundings({
      back: () => this.#back(),
      hidden: () => this.#hide(),
    });
  }

  /** Lives until `stop`, or until it is clear that no attempt can succeed. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#over;) {
      try {
        await this.#once();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!this.#over) this.#failed(error);
      }
      this.#dial = undefined;
      this.#go('waiting');
      if (!this.#over) await this.#pause(failures);
    }
    this.#surroundings.leave();
    this.#go('closed');
  }

  /** Something arrived. */
  heard(): void {
    this.#heard = true;
    if (this.#probe === undefined) return;
    this.#endProbe();
    if (this.state === 'suspect') this.#go('open');
  }

  /** One side leaves. */
  drain(): void {
    if (this.state === 'open' || this.state === 'suspect') this.#go('draining');
  }

  /** Ends the connection, if there is one. Unless `stop` was called before, another one follows. */
  cut(reason: string, code?: number): void {
    this.#dial?.abort(reason, code);
  }

  /** No attempt follows. What is open stays open until `cut`. */
  stop(): void {
    this.#over = true;
    this.#wake();
    if (this.state === 'dialing' || this.state === 'authenticating') this.cut('the page is closed');
  }

  /** One connection, from its dial to its end. @throws if it does not come about */
  async #once(): Promise<void> {
    this.#go('dialing');
    const pass = await this.#nextPass();
    if (this.#over) return;
    const dial = new Dial(this.#url.href);
    this.#dial = dial;
    await dial.opened;
    this.#go('authenticating');
    const session = await introduce(dial, {
      pass,
      incarnation: this.#incarnation,
      generation: this.#generation,
      host: this.#url.host,
      limits: PAGE_LIMITS,
      functions: () => this.#owner.functions(),
    });
    dial.done();
    this.#generation += 1;
    this.id = session.id;
    this.#go('open');
    this.#heard = true;
    this.#silentLooks = 0;
    this.#looks = setInterval(() => this.#look(), LOOK);
    (this.#looks as Partial<NodeJS.Timeout>).unref?.();
    this.#owner.opened(session, dial);
    const ending = await dial.ended;
    clearInterval(this.#looks as number);
    this.#endProbe();
    if (dial.error instanceof Refused) this.#pass = undefined;
    const isFinal = this.#over || (!this.#pass && typeof this.#given === 'string');
    this.#owner.lost(ending, isFinal);
    if (isFinal && !this.#over) throw dial.error!;
  }

  async #nextPass(): Promise<Pass> {
    const given = this.#given;
    if (this.#pass && (typeof given === 'string' || this.#pass.expires > Date.now())) return this.#pass;
    // An own clock that is wrong must not keep a good pass from the server, so a fresh one is used as it is.
    return (this.#pass = readPass(typeof given === 'string' ? given : await given()));
  }

  #failed(error: unknown): void {
    let failure = error;
    if (error instanceof Refused) {
      this.#pass = undefined;
      failure = new NetError('UNAUTHENTICATED', error.message);
      if (typeof this.#given === 'string') this.#end(failure);
    }
    this.#owner.failed(failure);
  }

  #end(error: unknown): void {
    this.error = error;
    this.#over = true;
  }

  #go(state: PageState): void {
    const before = this.state;
    if (before === state) return;
    this.state = state;
    this.#owner.state(state, before);
  }

  /** Full jitter, so that the pages of a server that was restarted do not all come at once. */
  #pause(failures: number): Promise<void> {
    return new Promise((resolve) => {
      const most = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** failures);
      // A page in the cache of its browser waits until it is shown again.
      const timer = this.#surroundings.isHidden ? undefined : setTimeout(resolve, Math.random() * most);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The network or the page is back: now is the time to connect, or to look whether the connection still is one. */
  #back(): void {
    if (this.state === 'open') this.#doubt();
    else this.#wake();
  }

  #look(): void {
    this.#silentLooks = this.#heard ? 0 : this.#silentLooks + 1;
    this.#heard = false;
    if (this.#silentLooks >= 2 && this.state === 'open') this.#doubt();
  }

  #doubt(): void {
    this.#go('suspect');
    this.#ask();
  }

  #ask(): void {
    const asked = performance.now();
    this.#owner.ping();
    this.#probe = setTimeout(() => {
      // After a sleep of this page, the answer may wait behind this timer.
      if (performance.now() - asked > 2 * PROBE) this.#ask();
      else this.cut(`silent for ${PROBE / 1_000} s after a ping`);
    }, PROBE);
  }

  #endProbe(): void {
    clearTimeout(this.#probe as number);
    this.#probe = undefined;
  }

  /** The page goes away, or into the cache of its browser, which may keep it for ever. */
  #hide(): void {
    if (this.state === 'open' || this.state === 'suspect') this.#owner.goodbye();
    this.cut('the page was left', 1000);
    // Who has said goodbye comes back as a new life.
    this.#incarnation = freshName();
    this.#generation = 0;
  }
}

function freshName(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(12)));
}
