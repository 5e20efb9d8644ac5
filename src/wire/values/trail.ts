import { types } from 'node:util';

import { isError } from './error-classes.ts';
import { joinPath } from './meta.ts';

/** Stands for an object of the frame's that is around a value, and is not named in messages. */
export const WRAPPER: object = Object.freeze({});

/** The way from a frame down to the value in hand: what contains it, and under which key. */
export class Trail {
  readonly #name: string;
  /** From the outside in. */
  readonly #containers: object[] = [];
  /** First the field of the frame, then the key in each container. */
  readonly #keys: (string | number)[];

  /** @param name what the value in the frame's `field` is called in messages */
  constructor(field: string, name: string) {
    this.#name = name;
    this.#keys = [field];
  }

  /** How many containers there are around the value in hand. */
  get depth(): number {
    return this.#containers.length;
  }

  has(container: object): boolean {
    return this.#containers.includes(container);
  }

  enter(container: object): void {
    this.#containers.push(container);
    this.#keys.push('');
  }

  /** The value in hand is the one under `key` in the innermost container. */
  at(key: string | number): void {
    this.#keys[this.#keys.length - 1] = key;
  }

  leave(): void {
    this.leaveTo(this.depth - 1);
  }

  leaveTo(depth: number): void {
    this.#containers.length = depth;
    this.#keys.length = depth + 1;
  }

  /** The path as `meta` has it; without a base from the frame on, with one from the container at that depth. */
  path(base: number | undefined): string {
    return joinPath(this.#keys, base === undefined ? 0 : base + 1);
  }

  /** The path as one would write it in code. */
  toString(): string {
    let text = this.#name;
    for (const [index, container] of this.#containers.entries()) {
      const key = this.#keys[index + 1]!;
      if (container === WRAPPER) continue;
      if (types.isMap(container)) text += `.entries()[${key}]`;
      else if (types.isSet(container)) text += `.values()[${key}]`;
      else if (typeof key === 'number') text += `[${key}]`;
      else if (!isError(container) || key !== 'properties') text += property(key);
    }
    return text;
  }
}

/** Characters of a key that are shown. */
const LONGEST_KEY = 128;

function property(key: string): string {
  const short = key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key;
  return /^[A-Za-z_$][\w$]*$/.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
}
