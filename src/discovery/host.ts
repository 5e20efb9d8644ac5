import { unlinkSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../clock.ts';
import { announcementText, readAnnouncement, readAnnouncementSync, SUFFIX } from './announcement-file.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { ownPlace, shareNetwork } from './place.ts';
import type { Announcement, Hint, Provider, ProviderListener } from './provider.ts';

/** Between two looks at the whole directory, in ms. Watches fail on some mounts, and can run out. */
const RESCAN = 2_000;

/** A peer's file younger than this is left alone after a refused dial: the peer may only just be starting. In ms. */
const GRACE = 2_000;

/** What this provider is called in discovery. */
export const HOST = 'host';

/** Finds the peers of this user on this host: one small file a peer in the runtime directory. */
export class HostProvider implements Provider {
  readonly name = HOST;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #restore: () => Promise<void>;
  #self: Announcement | undefined;
  #listener: ProviderListener | undefined;
  #watcher: FSWatcher | undefined;
  #rescan: unknown;
  #announcing: Promise<void> | undefined;
  #stopped = false;
  /** Incarnation by id: what the listener was told. */
  readonly #told = new Map<string, string>();

  /** @param restore makes the directory and what belongs into it anew, after somebody removed it */
  constructor(directory: string, clock: Clock, restore: () => Promise<void> = () => Promise.resolve()) {
    this.#directory = directory;
    this.#clock = clock;
    this.#restore = restore;
  }

  async start(self: Announcement, listener: ProviderListener): Promise<void> {
    this.#self = self;
    this.#listener = listener;
    if (this.#stopped) return;
    this.#watch();
    // Announced before the first look: of two peers that start at once, each may miss the other's file only
    // by having written its own first, so at least one of them sees the other.
    if (self.addresses.length > 0) this.#announcing = this.#announce();
    await this.#announcing;
    listener.announced?.();
    await this.#scan();
    if (this.#stopped) return;
    listener.scanned();
    this.#scheduleRescan();
  }

  announced(id: string): Promise<Hint | undefined> {
    return readAnnouncement(this.#path(id));
  }

  failed(hint: Hint, refused: boolean): void {
    void this.#lookAgain(hint, refused);
  }

  async stop(): Promise<void> {
    this.#close();
    await this.#announcing?.catch(() => {});
    if (!this.#self) return;
    const path = this.#path(this.#self.id);
    // The next life of this peer may have announced itself under the same name.
    const announced = await readAnnouncement(path);
    if (announced?.incarnation === this.#self.incarnation) await unlink(path).catch(() => {});
  }

  stopNow(): void {
    this.#close();
    try {
      const path = this.#path(this.#self!.id);
      if (readAnnouncementSync(path)?.incarnation === this.#self!.incarnation) unlinkSync(path);
    } catch {
      // Never announced, or gone already.
    }
  }

  #close(): void {
    this.#stopped = true;
    this.#listener = undefined;
    this.#watcher?.close();
    this.#clock.clearTimeout(this.#rescan);
  }

  #path(id: string): string {
    return join(this.#directory, `${id}${SUFFIX}`);
  }

  /** Renamed into place, so that nobody reads half a file. */
  async #announce(): Promise<void> {
    const self = this.#self!;
    const draft = join(this.#directory, `.${self.id}.${self.incarnation}.draft`);
    await writeFile(draft, announcementText(self), { mode: 0o600 });
    await rename(draft, this.#path(self.id));
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#directory, { persistent: false }, (_, name) => {
        if (name?.endsWith(SUFFIX)) void this.#look(name);
      });
      // Too many watches, or a mount that has none: the rescan still finds everybody.
      this.#watcher.on('error', () => {});
    } catch {
      this.#watcher = undefined;
    }
  }

  #scheduleRescan(): void {
    if (!this.#listener) return;
    this.#rescan = this.#clock.setTimeout(() => {
      void this.#scan().then(() => this.#scheduleRescan());
    }, RESCAN);
  }

  async #scan(): Promise<void> {
    const before = [...this.#told.keys()].map((id) => `${id}${SUFFIX}`);
    const names = await readdir(this.#directory).catch(() => undefined);
    const peers = (names ?? []).filter((name) => name.endsWith(SUFFIX));
    const known = new Set(before);
    const listed = new Set(peers);
    // Only what differs is looked at: a hundred peers would otherwise read ten thousand files every two seconds. A
    // file that is known and has a new content is told of by the watch, or found when its old peer is dialled.
    const differing = [
      ...peers.filter((name) => !known.has(name)),
      ...before.filter((name) => !listed.has(name)),
    ];
    await Promise.all(differing.map((name) => this.#look(name)));
    const { id, addresses } = this.#self!;
    if (!this.#listener || addresses.length === 0 || listed.has(`${id}${SUFFIX}`)) return;
    await this.#announceAgain(names === undefined).catch(() => {});
  }

  /** Somebody tidied up the temporary directory: our file, or everything. */
  async #announceAgain(everything: boolean): Promise<void> {
    await this.#restore();
    if (everything) {
      this.#watcher?.close();
      this.#watch();
    }
    await this.#announce();
  }

  async #look(name: string): Promise<void> {
    const id = name.slice(0, -SUFFIX.length);
    if (id === this.#self!.id) return;
    const announced = await readAnnouncement(join(this.#directory, name));
    if (announced?.id !== id || !this.#isOfThisWorld(announced)) {
      this.#forget(id);
      return;
    }
    const { world: _, from: __, ...hint } = announced;
    if (this.#listener && this.#told.get(id) !== hint.incarnation) {
      this.#told.set(id, hint.incarnation);
      this.#listener.found(hint);
    }
  }

  /** A peer with another secret would be dialled in vain, again and again, and would dial in vain. */
  #isOfThisWorld({ world }: FoundAnnouncement): boolean {
    return world === undefined || world === this.#self!.world();
  }

  #forget(id: string): void {
    const incarnation = this.#told.get(id);
    if (incarnation === undefined) return;
    this.#told.delete(id);
    this.#listener?.lost(id, incarnation);
  }

  /** Perhaps the peer has begun a new life; or it died, and its file has to be removed for it. */
  async #lookAgain(hint: Hint, refused: boolean): Promise<void> {
    const path = this.#path(hint.id);
    try {
      const { mtimeMs } = await stat(path);
      const now = await readAnnouncement(path);
      // The file's own time is the system's, so it is compared with the system's, not with the injected clock.
      if (now?.incarnation !== hint.incarnation) await this.#look(`${hint.id}${SUFFIX}`);
      else if (refused && shareNetwork(now.from, ownPlace()) && Date.now() - mtimeMs > GRACE)
        await unlink(path);
    } catch {
      // Another peer removed it first.
    }
  }
}
