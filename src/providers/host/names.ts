/** Peers of which only the names of their files are known: those that nobody has asked for, and those whose file is to be read. */
export class Names {
  readonly #unread = new Set<string>();
  readonly #asked = new Set<string>();

  add(id: string): void {
    this.#unread.add(id);
  }

  delete(id: string): void {
    this.#unread.delete(id);
    this.#asked.delete(id);
  }

  /** Notes that the file of this one is to be read. */
  ask(id: string): void {
    if (this.#unread.delete(id)) this.#asked.add(id);
  }

  /** Those that nobody has asked for, and no more than this. */
  unread(most = Infinity): string[] {
    const ids: string[] = [];
    for (const id of this.#unread) {
      if (ids.length >= most) break;
      ids.push(id);
    }
    return ids;
  }

  /** Call when the file is about to be looked at. @returns whether somebody has asked for it */
  take(id: string): boolean {
    return this.#asked.delete(id);
  }
}
