import { unlinkSync } from 'node:fs';
import { rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../base/time/clock.ts';
import { announcementText, readAnnouncement, readAnnouncementSync, SUFFIX } from './announcement-file.ts';
import { exists } from './listing.ts';
import type { Announcement } from '../provider.ts';

/**
 * How often the file is rewritten, in ms. A peer in another container or on another host has no other way to see that this peer
 * is alive; see `stale-files.ts`.
 */
const REFRESH = 5 * 60_000;

/** The file of this peer in the runtime directory. */
export class OwnFile {
  readonly name: string;
  readonly #directory: string;
  readonly #self: Announcement;
  readonly #clock: Clock;
  #writing: Promise<void> | undefined;
  #writtenAt: number | undefined;
  #withdrawn = false;

  constructor(directory: string, self: Announcement, clock: Clock) {
    this.name = `${self.id}${SUFFIX}`;
    this.#directory = directory;
    this.#self = self;
    this.#clock = clock;
  }

  /** Whether the file was never written, or so long ago that others may soon think that this peer is dead. */
  get isDue(): boolean {
    return this.#writtenAt === undefined || this.#clock.now() - this.#writtenAt >= REFRESH;
  }

  /** Writes the file, so that others find this peer. @throws Error that says why they cannot */
  async write(): Promise<void> {
    if (this.#withdrawn) return;
    this.#writing = this.#replace();
    await this.#writing;
    this.#writtenAt = this.#clock.now();
  }

  /** Somebody may have cleaned up the temporary directory: writes the file again if it is missing. @throws what `write` throws */
  async keep(): Promise<void> {
    if (!(await exists(this.#path))) await this.write();
  }

  /**
   * When the file was written, in ms, by the clock of the file system; on a network, that is the clock of another host. -Infinity
   * if somebody has removed the file.
   */
  async modified(): Promise<number> {
    const stats = await stat(this.#path).catch(() => undefined);
    return stats?.mtimeMs ?? -Infinity;
  }

  /** Never rejects. */
  async withdraw(): Promise<void> {
    this.#withdrawn = true;
    await this.#writing?.catch(() => {});
    const announced = await readAnnouncement(this.#path);
    if (this.#isMine(announced)) await unlink(this.#path).catch(() => {});
  }

  /** The same, synchronously. */
  withdrawNow(): void {
    this.#withdrawn = true;
    try {
      if (this.#isMine(readAnnouncementSync(this.#path))) unlinkSync(this.#path);
    } catch {
      // The file was never written, or is already gone.
    }
  }

  get #path(): string {
    return join(this.#directory, this.name);
  }

  /** The next life of this peer may have announced itself under the same name. */
  #isMine(announced: { incarnation: string } | undefined): boolean {
    return announced?.incarnation === this.#self.incarnation;
  }

  /** Writes a draft and renames it, so that nobody reads half a file. */
  async #replace(): Promise<void> {
    const announced = this.#writtenAt === undefined ? undefined : await readAnnouncement(this.#path);
    if (announced && !this.#isMine(announced)) return;
    const draft = join(this.#directory, `.${this.#self.id}.${this.#self.incarnation}.draft`);
    try {
      await writeFile(draft, announcementText(this.#self), { mode: 0o600 });
      await rename(draft, this.#path);
    } catch (cause) {
      // A full disk leaves an empty draft behind.
      await unlink(draft).catch(() => {});
      const { message, code } = cause as NodeJS.ErrnoException;
      const text = `this peer cannot announce itself in ${this.#directory}, where others look for it: ${message}`;
      throw Object.assign(new Error(text, { cause }), { code });
    }
  }
}
