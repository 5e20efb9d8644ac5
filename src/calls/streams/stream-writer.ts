import { FIRST_BYTES, FIRST_CREDIT } from '../../wire/frames.ts';
import type { SourceStep } from './stream-source.ts';

/**
 * A stream waits while more than this many bytes are written to its connection and not yet taken by the network. It is
 * well below `limits.buffered`, so that a stream that nobody reads leaves room for the calls beside it.
 */
const STREAM_BUFFER = 1024 * 1024;

/** The part of a link that the writer of a stream needs. */
export interface WriterLink {
  /** More bytes are written than allowed: nothing more is sent for now. */
  readonly congested: boolean;
  readonly socket: { readonly bufferedAmount: number };
  whenDrained(callback: () => void): void;
  /** Closes the link after an unexpected error. */
  fail(error: unknown): void;
}

/** The part of a source that the writer of a stream needs. */
export interface WriterSource {
  /** @throws the error of the source */
  next(): Promise<SourceStep>;
  /** Ends it, and waits for nothing. Never throws. */
  end(): void;
}

/** The part of its owner that the writer of a stream needs. */
export interface WriterOwner {
  /** Sends a value. @returns the size of its frame @throws for a value that cannot be sent */
  next(value: unknown): number;
  /** The source has ended. @throws for a value that cannot be sent */
  complete(value: unknown): void;
  /** The source failed. @throws for an error that cannot be sent */
  failed(error: unknown): void;
  /** A value, or the error of the source, could not be sent. The source has been ended. */
  refused(error: unknown): void;
  /** Runs a step of the user's code in its context. */
  run<T>(step: () => T): T;
  /** The stream was ended from outside. */
  ended(): void;
}

/**
 * The sending end of a stream. It takes a value from its source only when the reader has given credit and the network
 * takes data. So a slow reader holds up the source and does not fill memory.
 */
export class StreamWriter {
  readonly #link: WriterLink;
  readonly #source: WriterSource;
  readonly #owner: WriterOwner;
  readonly #next = (): Promise<SourceStep> => this.#source.next();
  /** Values that the reader has room for. */
  #values = FIRST_CREDIT;
  /** Bytes that the reader has room for. Below zero after a value that was larger than the rest. */
  #bytes = FIRST_BYTES;
  #pumping = false;
  /** Nothing is sent any more. */
  #over = false;

  constructor(link: WriterLink, source: WriterSource, owner: WriterOwner) {
    this.#link = link;
    this.#source = source;
    this.#owner = owner;
  }

  /** Continues with the stream while there is room. */
  start(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    this.#pump().catch(this.#broke);
  }

  readonly #again = (): void => this.start();

  /** From the reader: room for this many more values and bytes. */
  credit(values: number, bytes: number): void {
    this.#values += values;
    this.#bytes += bytes;
    this.start();
  }

  /** Ends the source, as `break` does. Nobody waits for its `finally`, so it keeps no place. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#endSource();
    this.#owner.ended();
  }

  /** Sends nothing more, and leaves the source as it is: another writer may have it. */
  leave(): void {
    this.#over = true;
  }

  /** An error that cannot be sent as the failure of the stream is reported as a value that cannot be sent. */
  readonly #broke = (error: unknown): void => {
    this.#over = true;
    this.#endSource();
    try {
      this.#owner.refused(error);
    } catch (unforeseen) {
      this.#link.fail(unforeseen);
    }
  };

  #hasRoom(): boolean {
    return !this.#over && this.#values > 0 && this.#bytes > 0;
  }

  async #pump(): Promise<void> {
    while (this.#hasRoom()) {
      if (this.#link.socket.bufferedAmount > STREAM_BUFFER) {
        this.#link.whenDrained(this.#again);
        break;
      }
      let step: SourceStep;
      try {
        // The values of a stream are taken one after the other.
        // oxlint-disable-next-line no-await-in-loop
        step = await this.#owner.run(this.#next);
      } catch (error) {
        // oxlint-disable-next-line no-await-in-loop
        while (this.#link.congested) await this.#drained();
        if (this.#over) return;
        this.#over = true;
        this.#endSource();
        this.#owner.failed(error);
        return;
      }
      // Other streams have written while this one waited for its value. Now this stream waits for them.
      // oxlint-disable-next-line no-await-in-loop
      while (this.#link.congested) await this.#drained();
      if (this.#over) return;
      if (step.done) {
        this.#over = true;
        this.#owner.complete(step.value);
      } else {
        this.#values -= 1;
        this.#bytes -= this.#owner.next(step.value);
      }
    }
    // This runs in the same turn as the last check, so that no credit can come in between and find it pumping.
    this.#pumping = false;
  }

  /** Checks again after the wait, in the same turn as the next send: many streams may have waited. */
  #drained(): Promise<void> {
    return new Promise((resolve) => this.#link.whenDrained(resolve));
  }

  #endSource(): void {
    this.#owner.run(() => this.#source.end());
  }
}
