import type { Life } from '../../transport/nats/opening.ts';
import type { Station } from '../../transport/nats/station.ts';
import type { Word } from './hello.ts';
import type { Lives } from './lives.ts';

/**
 * How often a peer asks for its neighbours on the ring, in ms. Three others ask for each peer, at different times, so a death is
 * noticed after 100 ms on average. Most of what a peer at NATS costs while nothing happens are these questions.
 */
const ASK = 300;

/** Neighbours that it asks for. Each peer is asked for by as many others, so a death is seen even if some of them die, too. */
const NEIGHBOURS = 3;

/** Peers that are not announced are on no ring. A peer asks for those that it has links to, once in so many turns. */
const SELDOM = 3;

/** Told by a server where the account imports it: a connection has ended. */
const DISCONNECT = '$SYS.ACCOUNT.*.DISCONNECT';

/** The reason in it if the other side has closed the connection, as a process does that ends in any way. */
const HUNG_UP = 'Client Closed';

const NOTHING = Buffer.alloc(0);

/** Notices that peers die: by asking the server for a few of them, and by what the server tells of its own accord. */
export class Watch {
  readonly #station: Station;
  readonly #lives: Lives;
  readonly #say: (word: Word) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #stopHearing: () => void;
  #open: (() => void)[] = [];
  #turns = 0;

  constructor(station: Station, lives: Lives, say: (word: Word) => void) {
    this.#station = station;
    this.#lives = lives;
    this.#say = say;
    this.#timer = setInterval(() => this.#ask(), ASK).unref();
    this.#stopHearing = station.bus.subscribe(DISCONNECT, ({ data }) => this.#disconnected(data));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopHearing();
    this.#close();
  }

  #ask(): void {
    const { questions, subjects, self } = this.#station;
    this.#close();
    this.#turns += 1;
    this.#open = this.#lives
      .after(self, NEIGHBOURS)
      .map((life) => questions.ask(subjects.life(life), NOTHING, { nobody: () => this.#doubt(life) }));
    if (this.#turns % SELDOM > 0) return;
    for (const life of this.#station.linked()) if (!this.#lives.has(life)) this.#station.ask(life);
  }

  #close(): void {
    for (const close of this.#open) close();
    this.#open = [];
  }

  /** Everybody asks at once, so that all know at the same time. */
  #doubt({ id, incarnation }: Life): void {
    if (this.#station.examine({ id, incarnation })) this.#say({ type: 'doubt', id, incarnation });
  }

  #disconnected(data: Uint8Array): void {
    const event = readDisconnect(data);
    const life = event && this.#lives.connectedAs(event.server, event.client);
    if (!life) return;
    if (event.reason === HUNG_UP) this.#station.hungUp(life);
    else this.#station.examine(life);
  }
}

/** Anybody of the account can publish such a message, so it is only a reason to ask. */
function readDisconnect(data: Uint8Array): { server: string; client: number; reason: string } | undefined {
  try {
    const event = JSON.parse(Buffer.from(data).toString('utf8')) as {
      server?: { id?: unknown };
      client?: { id?: unknown };
      reason?: unknown;
    } | null;
    const [server, client] = [event?.server?.id, event?.client?.id];
    if (typeof server !== 'string' || typeof client !== 'number') return undefined;
    return { server, client, reason: String(event?.reason) };
  } catch {
    return undefined;
  }
}
