/** What happened in a step, kept as it was; text is made of it only for people. */
export interface Step {
  /** When, in ms. */
  readonly at: number;
  readonly kind: 'timer' | 'message' | 'wire' | 'fault' | 'peer' | 'story';
  /** The process in which it happened; empty: the story. */
  readonly who: string;
  /** Whom it came from. */
  readonly from?: string;
  readonly text: string;
}

/** Steps that are kept of one run. A story of minutes has fewer. */
const MOST_STEPS = 500_000;

/** The stacks of errors name lines of Node's own code, which differ from version to version. */
const STACKS = /"stack":"(?:[^"\\]|\\.)*"/g;

const PRIME = 0x01000193;
const clockBits = new Float64Array(1);
const clockWords = new Uint32Array(clockBits.buffer);

/** The steps of one run as a number: two runs with the same one did the same at the same times. */
export class Trace {
  /** The steps, if they are kept. */
  readonly steps: Step[] = [];
  /** The number after each step, if they are kept. */
  readonly hashes: number[] = [];
  readonly #isKept: boolean;
  #hash = 0x811c9dc5;
  #second = 0x9747b28c;
  count = 0;

  /** @param isKept whether somebody is going to read the steps */
  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  /** The trace as a text of 16 hexadecimal digits. */
  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#hash) + hex(this.#second);
  }

  add(at: number, kind: Step['kind'], who: string, text: string, from = ''): void {
    this.count += 1;
    clockBits[0] = at;
    this.#mix(clockWords[0]!);
    this.#mix(clockWords[1]!);
    this.#mixText(who);
    this.#mixText(text.includes('"stack"') ? text.replace(STACKS, '') : text);
    if (!this.#isKept || this.steps.length >= MOST_STEPS) return;
    this.steps.push({ at, kind, who, from, text });
    this.hashes.push(this.#hash);
  }

  #mix(word: number): void {
    this.#hash = Math.imul(this.#hash ^ word, PRIME);
    this.#second = Math.imul(this.#second ^ word ^ (this.#hash >>> 15), 0x85ebca6b);
  }

  #mixText(text: string): void {
    const { length } = text;
    let hash = this.#hash ^ length;
    for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
    this.#hash = hash;
    this.#second = Math.imul(this.#second ^ hash, 0x85ebca6b);
  }
}
