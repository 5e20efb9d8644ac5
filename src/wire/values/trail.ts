import { isMap, isSet } from '../engine.ts';
import { isError } from './error-classes.ts';
import { joinPath } from './meta.ts';

/** Stands for an object of the frame that contains a value. Messages do not name it. */
export const WRAPPER: object = Object.freeze({});

/** The path from a frame down to the current value: the containers around it, and the key in each. */
export class Trail {
  readonly #name: string;
  /** From the outside in. */
  readonly #containers: object[] = [];
  /** First the field of the frame, then the key in each container. */
  readonly #keys: (string | number)[];

  /** @param name the name, in messages, of the value in the frame's `field` */
  constructor(field: string, name: string) {
    this.#name = name;
    this.#keys = [field];
  }

  /** How many containers are around the current value. */
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

  /** The current value is the one under `key` in the innermost container. */
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

  /** The path in the form of `meta`: from the frame, or, with `base`, from the container at that depth. */
  path(base: number | undefined): string {
    return joinPath(this.#keys, base === undefined ? 0 : base + 1);
  }

  /** The path as you would write it in code. */
  toString(): string {
    let text = this.#name;
    for (const [index, container] of this.#containers.entries()) {
      const key = this.#keys[index + 1]!;
      if (container === WRAPPER) continue;
      if (isMap(container)) text += `.entries()[${key}]`;
      else if (isSet(container)) text += `.values()[${key}]`;
      else if (typeof key === 'number') text += `[${key}]`;
      else if (!isError(container) || key !== 'properties') text += property(key);
    }
    return text;
  }
}

/** Characters of a key that messages show. */
const LONGEST_KEY = 128;

function property(key: string): string {
  const short = key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key;
  return /^[A-Za-z_$][\w$]*$/.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
}
