import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { HOST } from '../provider.ts';
import type { Clock } from '../../base/time/clock.ts';
import { isLoopback } from '../../transport/address.ts';
import type { Address } from '../../transport/address.ts';
import { unawaited } from '../../base/unforeseen.ts';
import { isPeerId } from '../../wire/shapes.ts';
import { announcedHint } from './announced-hint.ts';
import { readAnnouncement, SUFFIX } from './announcement-file.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { inTime } from './in-time.ts';
import { exists, listAnnouncements } from './listing.ts';
import { Looks } from './looks.ts';
import { Names } from './names.ts';
import { OwnFile } from './own-file.ts';
import { ownPlace, shareNetwork } from './place.ts';
import type { Condition, HostOptions } from './host-options.ts';
import { isForged, isOfWorld } from './own-world.ts';
import type { Announcement, Provider, ProviderListener } from '../provider.ts';
import type { Hint } from '../hint.ts';
import { openRuntimeDirectory, SECRET_NAME } from './runtime-directory.ts';
import { isDead, removeAnnouncement, removeStale } from './stale-files.ts';

/**
 * Time between two scans of the whole directory, in ms. Scans are needed because watches fail on some mounts, and can run out.
 */
const RESCAN = 2_000;

/** The same while the watch works and the directory is crowded, in ms: to list five hundred names takes some time, too. */
const RESCAN_OF_MANY = 10_000;

/** A file younger than this, in ms, is kept after a refused dial: its peer may just be starting. */
const GRACE = 2_000;

/** Pause before a removed secret is put back, in ms. */
const PUT_BACK = 100;

/** Files without a usable peer that each scan checks again: watches do not work everywhere. */
const AGAIN = 64;

/**
 * With more announcements than this, only their names are reported, and a file is read when its peer is to be dialled. Otherwise
 * five hundred peers that start at once would read 250,000 files.
 */
const FEW = 16;

/** If a file that was asked for leads to no peer, so many others are read at once: perhaps most of them are left-overs. */
const AHEAD = 16;

/** Peers without a known place that are reported between two scans, at most. Each may cost a dial in vain. */
const MOST_UNPLACED = 64;

/** A peer that did not answer, but may still be alive, is not dialled again for this long, in ms. */
const IN_VAIN = 5 * 60_000;

/** How long to wait for the announcement to be withdrawn, in ms, if the file system no longer answers. */
const WITHDRAWAL = 2_000;

/** Where it happened, in reports of unexpected errors. */
const LOOKING = 'in the runtime directory';

/** Finds the peers of this user that use the same runtime directory. Each peer has a small file in it. */
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
  /** The problem that the listener was told last. */
  #fault: string | undefined;
  /** The peers that the listener knows: incarnation by id. The incarnation is empty if it knows only the name. */
  readonly #told = new Map<string, string>();
  /** The names among them. */
  readonly #names = new Names();
  #isCrowded = false;
  /** When the directory was last listed, on the clock. */
  #listedAt = -Infinity;
  /** Names of files that lead to no peer. The one checked last is at the end. */
  readonly #passedOver = new Set<string>();
  /** Peers without a known place that were reported since the last scan. */
  #unplaced = 0;
  /** By incarnation: when it was dialled in vain, on the clock. Nothing proves that these peers are dead. */
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

  wanted(id: string): void {
    if (this.#told.get(id) === '') this.#read([id]);
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
   * Takes care of the directory and of this peer's own file, and looks at the files of others. A step that fails is reported and
   * tried again in the next round: a full disk may get room again, and a directory may get its permissions back.
   * @param announced called when others can find this peer, before it looks for them
   */
  async #round(announced?: () => void): Promise<void> {
    // Do not pile up requests to a file system that does not answer.
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
    // A scan of thousands of files takes long, and the directory and its secret must be kept up meanwhile. So only the scan is
    // skipped.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      if (isUsable && !this.#stopped) {
        // Announce before the first scan. A peer misses the file of another that starts at the same time only if its own file was
        // there first, so at least one of the two sees the other.
        const isRefreshed = this.#own?.isDue === true && (await attempt(() => this.#own!.write()));
        if (isRefreshed || !this.#own) announced?.();
        await attempt(async () =>
          this.#isListingDue || isRefreshed ? this.#lookAround(isRefreshed) : this.#own?.keep(),
        );
      }
    } finally {
      this.#isLooking = false;
    }
    this.#tell(faults[0]);
  }

  get #isListingDue(): boolean {
    const pause = this.#isCrowded && this.#watch.isWatching ? RESCAN_OF_MANY : RESCAN;
    return this.#clock.now() - this.#listedAt >= pause;
  }

  /** @param isRefreshed whether this peer's own file has just been rewritten */
  async #lookAround(isRefreshed: boolean): Promise<void> {
    this.#unplaced = 0;
    this.#listedAt = this.#clock.now();
    const longAgo = this.#clock.now() - IN_VAIN;
    for (const [incarnation, at] of this.#inVain) if (at <= longAgo) this.#inVain.delete(incarnation);
    const before = [...this.#told.keys()].map((id) => `${id}${SUFFIX}`);
    const { peers, drafts } = await listAnnouncements(this.#directory);
    this.#isCrowded = peers.size > FEW;
    // Few are left, so they are read like any others.
    if (!this.#isCrowded) this.#read(this.#names.unread());
    for (const name of this.#passedOver) if (!peers.has(name)) this.#passedOver.delete(name);
    const known = new Set(before);
    // Read only the files that differ: otherwise a hundred peers would read ten thousand files every two seconds. New content in
    // a known file is reported by the watch, or noticed when its old peer is dialled.
    const differing = [
      ...[...peers].filter((name) => !known.has(name) && !this.#passedOver.has(name)),
      ...before.filter((name) => !peers.has(name)),
      ...[...this.#passedOver].slice(0, AGAIN),
    ];
    const unnamed = differing.filter((name) => !this.#isNamed(name));
    await Promise.all(unnamed.map((name) => this.#looks.at(name)));
    if (!this.#own || this.#stopped) return;
    const { name } = this.#own;
    if (!peers.has(name)) await this.#own.keep();
    if (isRefreshed)
      await removeStale(this.#directory, [...peers, ...drafts], name, await this.#own.modified());
  }

  #tell(fault: Error | undefined): void {
    if (fault?.message === this.#fault) return;
    this.#fault = fault?.message;
    this.#listener?.degraded(fault);
  }

  #changed(name: string): void {
    if (name.endsWith(SUFFIX) && !this.#isNamed(name)) unawaited(LOOKING, this.#looks.at(name));
    if (name !== SECRET_NAME) return;
    // Wait a moment: if the whole directory is being removed, it should be gone before it is created again.
    this.#clock.clearTimeout(this.#putBack);
    this.#putBack = this.#clock.setTimeout(() => {
      // The next round reports errors.
      this.#upkeep().catch(() => {});
    }, PUT_BACK);
  }

  async #look(name: string): Promise<void> {
    const id = name.slice(0, -SUFFIX.length);
    if (id === this.#self!.id) return;
    const path = join(this.#directory, name);
    const isAsked = this.#names.take(id);
    if (!isAsked && this.#told.get(id) === '') {
      // Its name is known, and its content does not matter yet.
      const isThere = await exists(path);
      if (!isThere && !this.#stopped) this.#passOver(name, id);
      return;
    }
    const announced = await readAnnouncement(path);
    if (this.#stopped) return;
    if (announced?.id === id && isDead(announced)) {
      removeAnnouncement(this.#directory, name, announced.incarnation);
    } else if (announced?.id === id && this.#isTrue(announced)) {
      const hint = announcedHint(announced, this.#reaches);
      if (hint && !this.#inVain.has(hint.incarnation) && this.#find(hint, announced.from !== undefined)) {
        this.#passedOver.delete(name);
        return;
      }
    }
    this.#passOver(name, id);
    if (isAsked) this.#read(this.#names.unread(AHEAD));
  }

  /** Looks at these files, also if only their names were known. */
  #read(ids: readonly string[]): void {
    for (const id of ids) {
      this.#names.ask(id);
      unawaited(LOOKING, this.#looks.at(`${id}${SUFFIX}`));
    }
  }

  /** In a crowded directory, the listener is told only that the file is there. @returns whether that was enough */
  #isNamed(name: string): boolean {
    const id = name.slice(0, -SUFFIX.length);
    if (!this.#isCrowded || this.#told.has(id) || this.#passedOver.has(name) || !isPeerId(id)) return false;
    if (id === this.#self!.id || this.#stopped) return true;
    this.#told.set(id, '');
    this.#names.add(id);
    this.#listener?.named?.(id);
    return true;
  }

  /** @returns whether the listener knows the peer */
  #find(hint: Hint, isPlaced: boolean): boolean {
    if (this.#told.get(hint.id) === hint.incarnation) return true;
    if (!isPlaced && (this.#unplaced += 1) > MOST_UNPLACED) return false;
    this.#told.set(hint.id, hint.incarnation);
    // Those that the watch reports before the next scan may be many.
    if (this.#told.size >= FEW) this.#isCrowded = true;
    this.#listener?.found(hint);
    return true;
  }

  #passOver(name: string, id: string): void {
    this.#passedOver.delete(name);
    this.#passedOver.add(name);
    const incarnation = this.#told.get(id);
    if (incarnation === undefined) return;
    this.#told.delete(id);
    this.#names.delete(id);
    this.#listener?.lost(id, incarnation);
  }

  /** @returns false for a lie, and for a peer with another secret. The listener is told of both */
  #isTrue(announced: FoundAnnouncement): boolean {
    if (isOfWorld(announced, this.#self!) && !isForged(announced, this.#self!)) return true;
    this.#listener?.dropped?.(new Map([[announced.id, { count: 1, address: announced.addresses[0]! }]]));
    return false;
  }

  /** The peer may have begun a new life. Or it died, and its file must be removed. */
  async #lookAgain({ id, incarnation }: Hint, refused: boolean): Promise<void> {
    const name = `${id}${SUFFIX}`;
    const path = join(this.#directory, name);
    const announced = await readAnnouncement(path);
    if (this.#stopped) return;
    if (announced?.incarnation !== incarnation || isDead(announced)) {
      this.#read([id]);
      return;
    }
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    // File times are in system time, so compare with system time, not with the injected clock.
    if (!refused || modified === undefined || Date.now() - modified <= GRACE) return;
    if (shareNetwork(announced.from, ownPlace())) removeAnnouncement(this.#directory, name, incarnation);
    else this.#inVain.set(incarnation, this.#clock.now());
    this.#read([id]);
  }
}
