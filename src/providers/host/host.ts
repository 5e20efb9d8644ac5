import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../base/clock.ts';
import { isLoopback } from '../../transport/address.ts';
import type { Address } from '../../transport/address.ts';
import { unawaited } from '../../base/unforeseen.ts';
import { announcedHint } from './announced-hint.ts';
import { readAnnouncement, SUFFIX } from './announcement-file.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { inTime } from './in-time.ts';
import { Looks } from './looks.ts';
import { OwnFile } from './own-file.ts';
import { ownPlace, shareNetwork } from './place.ts';
import type { Announcement, Provider, ProviderListener } from '../provider.ts';
import type { Hint } from '../hint.ts';
import { openRuntimeDirectory, SECRET_NAME } from './runtime-directory.ts';
import { isDead, isDraft, removeAnnouncement, removeStale } from './stale-files.ts';

/** Between two looks at the whole directory, in ms. Watches fail on some mounts, and can run out. */
const RESCAN = 2_000;

/** A peer's file younger than this is left alone after a refused dial: the peer may only just be starting. In ms. */
const GRACE = 2_000;

/** Before a secret that was removed is put back, in ms. */
const PUT_BACK = 100;

/** Files that are listed. Nobody has so many peers; with more, watches still tell of those who come. */
const MOST_FILES = 16_384;

/** Files passed over before that each look at the directory looks at once more: watches do not work everywhere. */
const AGAIN = 64;

/** Peers told of between two looks of which nobody knows where they run. Each may cost a dial in vain. */
const MOST_UNPLACED = 64;

/** How long a peer is not dialled again that nobody answered for and that may live all the same, in ms. */
const IN_VAIN = 5 * 60_000;

/** How long the announcement may take to be taken back, in ms, where the file system does not answer any more. */
const WITHDRAWAL = 2_000;

/** For what is told of an error that nobody foresaw. */
const LOOKING = 'in the runtime directory';

/** What this provider is called in discovery. */
export const HOST = 'host';

/** How the directory is: what tells it from another one of the same name, and what is wrong with what else is in it. */
export interface Condition {
  identity: string;
  fault?: Error | undefined;
}

export interface HostOptions {
  directory: string;
  clock: Clock;
  /**
   * Makes the directory, and what belongs into it, where that is missing. Rejects when it cannot be used. Default:
   * makes the directory alone.
   */
  upkeep?: () => Promise<Condition>;
  /** Whether this peer goes to an address. Default: only to those of loopback. */
  reaches?: (address: Address) => boolean;
}

/** Finds the peers of this user that use the same runtime directory: each has a small file in it. */
export class HostProvider implements Provider {
  readonly name = HOST;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #upkeep: () => Promise<Condition>;
  readonly #reaches: (address: Address) => boolean;
  readonly #looks = new Looks((name) => this.#look(name));
  readonly #watch: DirectoryWatch;
  #self: Announcement | undefined;
  /** Undefined for a peer that is not announced. */
  #own: OwnFile | undefined;
  #listener: ProviderListener | undefined;
  #rescan: unknown;
  #putBack: unknown;
  #stopped = false;
  #isTending = false;
  #isLooking = false;
  /** What the listener was told last of what is wrong. */
  #fault: string | undefined;
  /** Incarnation by id: what the listener was told. */
  readonly #told = new Map<string, string>();
  /** Names of files that lead to no peer, the one looked at last behind the others. */
  readonly #passedOver = new Set<string>();
  /** Peers told of since the last look at the directory that do not say where they run. */
  #unplaced = 0;
  /** When incarnations were dialled in vain that nothing proves dead, on the clock. */
  readonly #inVain = new Map<string, number>();

  constructor({ directory, clock, upkeep, reaches }: HostOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#upkeep = upkeep ?? (async () => ({ identity: await openRuntimeDirectory(directory) }));
    this.#watch = new DirectoryWatch(directory, clock, (name) => this.#changed(name));
    this.#reaches = reaches ?? (({ host }) => isLoopback(host));
  }

  async start(self: Announcement, listener: ProviderListener): Promise<void> {
    this.#self = self;
    this.#listener = listener;
    if (this.#stopped) return;
    if (self.addresses.length > 0) this.#own = new OwnFile(this.#directory, self, this.#clock);
    await this.#round(() => this.#listener?.announced?.());
    if (this.#stopped) return;
    listener.scanned();
    this.#scheduleRescan();
  }

  async announced(id: string): Promise<Hint | undefined> {
    const announced = await readAnnouncement(join(this.#directory, `${id}${SUFFIX}`));
    return announced && announcedHint(announced, this.#reaches);
  }

  failed(hint: Hint, refused: boolean): void {
    unawaited(LOOKING, this.#lookAgain(hint, refused));
  }

  async stop(): Promise<void> {
    this.#close();
    if (this.#own) await inTime(WITHDRAWAL, 'the runtime directory', this.#own.withdraw()).catch(() => {});
  }

  stopNow(): void {
    this.#close();
    this.#own?.withdrawNow();
  }

  #close(): void {
    this.#stopped = true;
    this.#listener = undefined;
    this.#watch.close();
    this.#looks.stop();
    this.#clock.clearTimeout(this.#rescan);
    this.#clock.clearTimeout(this.#putBack);
  }

  #scheduleRescan(): void {
    if (this.#stopped) return;
    this.#rescan = this.#clock.setTimeout(() => {
      unawaited(LOOKING, this.#round());
      this.#scheduleRescan();
    }, RESCAN);
  }

  /**
   * Sees to the directory, to the own file and to those of the others. Each step that fails is told of, and taken again
   * with the next round: a disk that is full has room again some day, and a directory gets its rights back.
   * @param announced called when others can find this peer, before it looks for them
   */
  async #round(announced?: () => void): Promise<void> {
    // A file system that does not answer is not asked again and again.
    if (this.#isTending) return;
    this.#isTending = true;
    const faults: Error[] = [];
    const attempt = (step: () => Promise<void>): Promise<boolean> =>
      step().then(
        () => true,
        (error: Error) => (faults.push(error), false),
      );
    const isUsable = await attempt(async () => {
      const { identity, fault } = await this.#upkeep();
      if (fault) faults.push(fault);
      if (!this.#stopped) this.#watch.follow(identity);
    });
    this.#isTending = false;
    // Thousands of files take their time, and the directory has to be there meanwhile, with the secret in it.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      if (isUsable && !this.#stopped) {
        // Announced before the first look: of two peers that start at once, each may miss the other's file only
        // by having written its own first, so at least one of them sees the other.
        const isRefreshed = this.#own?.isDue === true && (await attempt(() => this.#own!.write()));
        if (isRefreshed || !this.#own) announced?.();
        await attempt(() => this.#lookAround(isRefreshed));
      }
    } finally {
      this.#isLooking = false;
    }
    this.#tell(faults[0]);
  }

  /** @param isRefreshed whether the own file has just been written anew */
  async #lookAround(isRefreshed: boolean): Promise<void> {
    this.#unplaced = 0;
    const longAgo = this.#clock.now() - IN_VAIN;
    for (const [incarnation, at] of this.#inVain) if (at <= longAgo) this.#inVain.delete(incarnation);
    const before = [...this.#told.keys()].map((id) => `${id}${SUFFIX}`);
    const { peers, drafts } = await this.#list();
    for (const name of this.#passedOver) if (!peers.has(name)) this.#passedOver.delete(name);
    const known = new Set(before);
    // Only what differs is looked at: a hundred peers would otherwise read ten thousand files every two seconds. A
    // file that is known and has a new content is told of by the watch, or found when its old peer is dialled.
    const differing = [
      ...[...peers].filter((name) => !known.has(name) && !this.#passedOver.has(name)),
      ...before.filter((name) => !peers.has(name)),
      ...[...this.#passedOver].slice(0, AGAIN),
    ];
    await Promise.all(differing.map((name) => this.#looks.at(name)));
    if (!this.#own || this.#stopped) return;
    // Somebody tidied up the temporary directory: our file, or everything.
    if (!peers.has(this.#own.name)) await this.#own.write();
    if (isRefreshed) {
      peers.delete(this.#own.name);
      await removeStale(this.#directory, [...peers, ...drafts], await this.#own.modified());
    }
  }

  async #list(): Promise<{ peers: Set<string>; drafts: string[] }> {
    const peers = new Set<string>();
    const drafts: string[] = [];
    let count = 0;
    for await (const { name } of await opendir(this.#directory, { bufferSize: 256 })) {
      if (name.endsWith(SUFFIX)) peers.add(name);
      else if (isDraft(name)) drafts.push(name);
      if ((count += 1) === MOST_FILES) break;
    }
    return { peers, drafts };
  }

  #tell(fault: Error | undefined): void {
    if (fault?.message === this.#fault) return;
    this.#fault = fault?.message;
    this.#listener?.degraded(fault);
  }

  #changed(name: string): void {
    if (name.endsWith(SUFFIX)) unawaited(LOOKING, this.#looks.at(name));
    if (name !== SECRET_NAME) return;
    // A moment later: a directory that is being removed as a whole should be gone before it is made again.
    this.#clock.clearTimeout(this.#putBack);
    this.#putBack = this.#clock.setTimeout(() => {
      // What is wrong is told of with the next round.
      this.#upkeep().catch(() => {});
    }, PUT_BACK);
  }

  async #look(name: string): Promise<void> {
    const id = name.slice(0, -SUFFIX.length);
    if (id === this.#self!.id) return;
    const announced = await readAnnouncement(join(this.#directory, name));
    if (this.#stopped) return;
    if (announced?.id === id && isDead(announced)) {
      removeAnnouncement(this.#directory, name, announced.incarnation);
    } else if (announced?.id === id && this.#isOfThisWorld(announced) && !this.#isForged(announced)) {
      const hint = announcedHint(announced, this.#reaches);
      if (hint && !this.#inVain.has(hint.incarnation) && this.#find(hint, announced.from !== undefined)) {
        this.#passedOver.delete(name);
        return;
      }
    }
    this.#passOver(name, id);
  }

  /** @returns whether the listener knows of the peer */
  #find(hint: Hint, isPlaced: boolean): boolean {
    if (this.#told.get(hint.id) === hint.incarnation) return true;
    if (!isPlaced && (this.#unplaced += 1) > MOST_UNPLACED) return false;
    this.#told.set(hint.id, hint.incarnation);
    this.#listener?.found(hint);
    return true;
  }

  #passOver(name: string, id: string): void {
    this.#passedOver.delete(name);
    this.#passedOver.add(name);
    const incarnation = this.#told.get(id);
    if (incarnation === undefined) return;
    this.#told.delete(id);
    this.#listener?.lost(id, incarnation);
  }

  /** A peer with another secret would be dialled in vain, again and again, and would dial in vain. */
  #isOfThisWorld({ world }: FoundAnnouncement): boolean {
    return world === undefined || world === this.#self!.world();
  }

  /** One without tags counts, too: only this user can write here. It may be of a client in another language. */
  #isForged(announced: FoundAnnouncement): boolean {
    const { tags } = this.#self!;
    const tagged = [...announced.addresses, ...(announced.beyond ?? [])].filter(
      ({ tag }) => tag !== undefined,
    );
    if (!tags || tagged.every((address) => tags.isRight(announced, address))) return false;
    this.#listener?.dropped?.(new Map([[announced.id, { count: 1, address: announced.addresses[0]! }]]));
    return true;
  }

  /** Perhaps the peer has begun a new life; or it died, and its file has to be removed for it. */
  async #lookAgain({ id, incarnation }: Hint, refused: boolean): Promise<void> {
    const name = `${id}${SUFFIX}`;
    const path = join(this.#directory, name);
    const announced = await readAnnouncement(path);
    if (this.#stopped) return;
    if (announced?.incarnation !== incarnation || isDead(announced)) {
      await this.#looks.at(name);
      return;
    }
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    // The file's own time is the system's, so it is compared with the system's, not with the injected clock.
    if (!refused || modified === undefined || Date.now() - modified <= GRACE) return;
    if (shareNetwork(announced.from, ownPlace())) removeAnnouncement(this.#directory, name, incarnation);
    else this.#inVain.set(incarnation, this.#clock.now());
    await this.#looks.at(name);
  }
}
