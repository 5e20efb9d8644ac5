import { encodeFrame } from '../wire/codec.ts';
import type { Frame, UnreadableFrame } from '../wire/frames.ts';
import type { Rights } from '../wire/handshake/pass.ts';
import { readPassedOn } from '../wire/unread/read-passed-on.ts';
import type { Link } from './link/link.ts';

/** Takes the frames of a message, one by one. */
export interface FrameTaker {
  frame(frame: Frame | UnreadableFrame): void;
}

/**
 * Lets through the frames that a guest may send. What it may not do has the effect that it has where nothing is there. Requests are
 * the business of the dispatcher, which looks for their functions.
 */
export class GuestFrames implements FrameTaker {
  readonly #link: Link;
  readonly #rights: Rights;
  readonly #next: FrameTaker;

  constructor(link: Link, rights: Rights, next: FrameTaker) {
    this.#link = link;
    this.#rights = rights;
    this.#next = next;
  }

  frame(frame: Frame | UnreadableFrame): void {
    switch (frame.type) {
      case 'request':
        // What is wrong with a request for a function in threads must have the effect that it has where no such function is.
        if (frame.passedOn && !this.#rights.mayCall(frame.tag)) this.#next.frame(readPassedOn(frame));
        else this.#next.frame(frame);
        break;
      case 'unreadable':
      case 'result':
      case 'error':
      case 'cancel':
      case 'next':
      case 'complete':
      case 'credit':
      case 'goaway':
      case 'subscribed':
      case 'unsubscribe':
        this.#next.frame(frame);
        break;
      case 'subscribe':
        if (this.#rights.mayHear(frame.name)) this.#next.frame(frame);
        else this.#link.send(encodeFrame({ type: 'subscribed', id: frame.id, sequence: 0 }));
        break;
      case 'load':
        if (this.#rights.mayConnect(frame.tag)) this.#next.frame(frame);
        break;
      case 'event':
        if (this.#rights.mayEmit(frame.name)) this.#next.frame(frame);
        break;
      case 'functions': {
        const offered = (tag: string): boolean => this.#rights.mayConnect(tag);
        const [added, removed] = [frame.added.filter(offered), frame.removed.filter(offered)];
        if (added.length + removed.length > 0) this.#next.frame({ type: 'functions', added, removed });
        break;
      }
      default:
        // It neither tells of others nor is told of them.
        break;
    }
  }
}
