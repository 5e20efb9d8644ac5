import { openBox, sealBox } from '../../transport/nats/box.ts';
import type { Life } from '../../transport/nats/opening.ts';
import type { Station } from '../../transport/nats/station.ts';
import { natsAddress } from '../../transport/nats/subjects.ts';
import type { Hint } from '../hint.ts';
import type { Announcement, Provider, ProviderListener } from '../provider.ts';
import { NATS } from '../provider.ts';
import { readWord, writeWord } from './hello.ts';
import type { Hello, Word } from './hello.ts';
import { Lives } from './lives.ts';
import { Search } from './search.ts';
import { Watch } from './watch.ts';

/** How long a namesake may take to answer, in ms. Usually nobody listens, and the server says so at once. */
const ANSWER_TIME = 1_000;

/** Time between two announcements, in ms, with as many peers as `FEW`; with more peers, longer. Each hears a few a second. */
const AGAIN = 10_000;
const FEW = 20;

/**
 * Announcements on a subject of the broker. A peer announces itself when it starts, when it has connected again, and now and then,
 * since a message may be lost. A hint is withdrawn when its peer says goodbye, or when the server says that nobody is there.
 */
export class NatsProvider implements Provider {
  readonly name = NATS;
  readonly #station: Station;
  readonly #lives = new Lives();
  readonly #stops: (() => void)[] = [];
  #self: Announcement | undefined;
  #listener: ProviderListener | undefined;
  #version = 0;
  #timer: NodeJS.Timeout | undefined;
  #problem: Error | undefined;
  #endUse = (): void => {};

  constructor(station: Station) {
    this.#station = station;
  }

  async start(self: Announcement, listener: ProviderListener): Promise<void> {
    const { bus, subjects } = this.#station;
    this.#self = self;
    this.#listener = listener;
    this.#endUse = this.#station.use();
    const watch = new Watch(this.#station, this.#lives, (word) => this.#say(subjects.hello, word));
    this.#station.whenOver = (life) => this.#forget(life);
    const search = new Search(this.#station, (subject, data) => this.#heard(subject, data));
    let searchedIn: unknown;
    const begin = (): void => {
      if (!bus.epoch || bus.epoch === searchedIn) return;
      searchedIn = bus.epoch;
      this.#announce();
      search.ask();
    };
    this.#stops.push(
      bus.subscribe(subjects.hello, ({ subject, data }) => this.#heard(subject, data)),
      bus.onChange(() => {
        this.#tellProblem();
        begin();
      }),
      () => search.stop(),
      () => watch.stop(),
      () => clearTimeout(this.#timer),
    );
    // Before it says or asks anything: of two peers that start at once, one then hears the other in any case.
    if (this.#isAnnounced) {
      this.#stops.push(
        bus.subscribe(subjects.everybody, ({ subject, data }) => this.#heard(subject, data)),
        bus.subscribe(subjects.who(self.id), ({ reply }) => {
          if (reply) this.#say(reply, this.#hello());
        }),
      );
      this.#announceAgain();
    }
    begin();
    await bus.settled().catch(() => {});
    listener.announced?.();
    this.#tellProblem();
    // Without a connection there is nothing to wait for now.
    if (bus.epoch) await search.done;
    listener.scanned();
  }

  failed({ id, incarnation }: Hint, refused: boolean): void {
    if (refused) this.#forget({ id, incarnation });
  }

  announced(id: string): Promise<Hint | undefined> {
    const { bus, questions, subjects, relay } = this.#station;
    if (!bus.epoch) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (hint: Hint | undefined): void => {
        close();
        clearTimeout(timer);
        resolve(hint);
      };
      const timer = setTimeout(() => end(undefined), ANSWER_TIME).unref();
      const close = questions.ask(subjects.who(id), Buffer.alloc(0), {
        nobody: () => end(undefined),
        answered: ({ subject, data }) => {
          const content = openBox(relay(), subject, data);
          const word = content && readWord(content);
          if (word?.type === 'hello' && word.id === id) end(hintAt(word));
        },
      });
    });
  }

  stop(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#end();
    // There is no later: the process exits.
    this.#station.bus.flush();
  }

  #end(): void {
    if (!this.#listener) return;
    const { id, incarnation } = this.#station.self;
    if (this.#isAnnounced) this.#say(this.#station.subjects.hello, { type: 'bye', id, incarnation });
    this.#listener = undefined;
    this.#station.whenOver = undefined;
    for (const stop of this.#stops.splice(0)) stop();
    this.#endUse();
  }

  /** A peer without an address only searches. */
  get #isAnnounced(): boolean {
    return (this.#self?.addresses.length ?? 0) > 0;
  }

  #announce(): void {
    if (this.#isAnnounced) this.#say(this.#station.subjects.hello, this.#hello());
  }

  #announceAgain(): void {
    const pause = AGAIN * Math.max(1, this.#lives.size / FEW) * (0.5 + Math.random());
    this.#timer = setTimeout(() => {
      this.#announce();
      this.#announceAgain();
    }, pause).unref();
  }

  #hello(): Hello {
    const { self, bus } = this.#station;
    this.#version += 1;
    const { server = '', client = 0 } = bus.epoch ?? {};
    return { type: 'hello', ...self, version: this.#version, server, client };
  }

  #say(subject: string, word: Word): void {
    this.#station.bus.publish(subject, sealBox(this.#station.relay(), subject, writeWord(word)));
  }

  #heard(subject: string, box: Uint8Array): void {
    const { relay, self } = this.#station;
    const content = openBox(relay(), subject, box);
    const word = content && readWord(content);
    if (!word || !this.#listener) return;
    if (word.type === 'who') {
      if (this.#isAnnounced) this.#say(word.reply, this.#hello());
    } else if (word.incarnation === self.incarnation) {
      // Our own, or a doubt about us. An announcement says best that we are here.
      if (word.type === 'doubt') this.#announce();
    } else if (word.type === 'hello') {
      if (this.#lives.note(word)) {
        this.#station.isBack(word);
        this.#listener.found(hintAt(word));
      }
    } else if (word.type === 'bye') {
      this.#forget(word);
    } else {
      this.#station.examine(word);
    }
  }

  #forget(life: Life): void {
    if (!this.#lives.forget(life)) return;
    this.#listener?.lost(life.id, life.incarnation);
    // The hint at another life of the same peer was replaced by this one.
    const other = this.#lives.other(life);
    if (other) this.#listener?.found(hintAt(other));
  }

  #tellProblem(): void {
    const { problem } = this.#station.bus;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#listener?.degraded(problem);
  }
}

function hintAt({ id, incarnation }: Life): Hint {
  return { id, incarnation, addresses: [natsAddress({ id, incarnation })] };
}
