import type { FunctionsFrame } from '../wire/frames.ts';
import type { PagePeer } from './page-types.ts';

/** The server, in one of its lives. */
export class Server implements PagePeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly #functions: Set<string>;

  constructor(id: string, name: string, group: string, functions: readonly string[]) {
    this.id = id;
    this.name = name;
    this.group = group;
    this.#functions = new Set(functions);
  }

  get functions(): readonly string[] {
    return [...this.#functions];
  }

  has(tag: string): boolean {
    return this.#functions.has(tag);
  }

  change({ added, removed }: FunctionsFrame): void {
    for (const tag of added) this.#functions.add(tag);
    for (const tag of removed) this.#functions.delete(tag);
  }
}
