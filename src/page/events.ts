import { NetError } from '../base/errors.ts';
import { NO_META } from '../wire/beside.ts';
import type { CallMeta } from '../wire/beside.ts';
import type { EventFrame, EventsFrame } from '../wire/frames.ts';
import { PAGE_LIMITS } from './limits.ts';
import { besideOf } from './codec/beside.ts';
import { encodeWithValue } from './codec/frames.ts';
import type { PageLink } from './link.ts';
import type { PageGap, PageHub, PageListener } from './page-event.ts';
import type { PagePeer } from './page-types.ts';
import { whyUnsendable } from './streams.ts';

const EVERY_EVENT = '*';

/** How many names of emitted events keep their sequence. */
const MOST_NAMES = 4_096;

/** A name that the page is subscribed to. */
class Interest {
  readonly listeners = new Set<PageListener>();
  /** Id of the newest subscribe frame on the present link; 0 while there is none. */
  asked = 0;
  /** Whether it was answered. */
  answered = false;
  /** Sequence of the newest event that was received, or may have been, of each name. */
  readonly last = new Map<string, number>();
  /** Whether it was ever answered. */
  known = false;
  /** What the next event is told. */
  gap: PageGap | undefined;
}

/** The events of a page, both ways. */
export class PageSubscriptions implements PageHub {
  readonly #interests = new Map<string, Interest>();
  /** Names of events of the page that the server wants. */
  readonly #wanted = new Set<string>();
  /** By name: the sequence of the newest event of the page. */
  readonly #sequences = new Map<string, number>();
  #emitted = 0;
  #newest = 0;
  #link: PageLink | undefined;
  #server: PagePeer | undefined;
  #incarnation = '';

  /** @param incarnation the life of the server */
  opened(link: PageLink, server: PagePeer, incarnation: string): void {
    const isNew = this.#incarnation !== '' && this.#incarnation !== incarnation;
    this.#link = link;
    this.#server = server;
    this.#incarnation = incarnation;
    for (const interest of this.#interests.values()) {
      if (isNew && interest.known) {
        interest.last.clear();
        this.#missed(interest, { missed: undefined, why: 'restarted' });
      }
    }
    this.#ask();
  }

  lost(): void {
    this.#link = undefined;
    this.#wanted.clear();
    for (const interest of this.#interests.values()) {
      interest.asked = 0;
      interest.answered = false;
    }
  }

  received(frame: EventsFrame): void {
    switch (frame.type) {
      case 'event':
        this.#happened(frame, frame.name);
        this.#happened(frame, EVERY_EVENT);
        break;
      case 'subscribed':
        for (const [name, interest] of this.#interests) {
          if (interest.asked === frame.id) this.#answered(interest, name, frame.sequence);
        }
        break;
      case 'subscribe':
        this.#wanted.add(frame.name);
        this.#send({
          type: 'subscribed',
          id: frame.id,
          sequence: frame.name === EVERY_EVENT ? 0 : this.#sequenceOf(frame.name),
        });
        break;
      case 'unsubscribe':
        this.#wanted.delete(frame.name);
    }
  }

  listen(name: string, listener: PageListener): () => void {
    const interest = this.#interests.get(name) ?? new Interest();
    this.#interests.set(name, interest);
    interest.listeners.add(listener);
    this.#ask();
    return () => {
      if (!interest.listeners.delete(listener) || interest.listeners.size > 0) return;
      this.#interests.delete(name);
      if (interest.asked > 0) this.#send({ type: 'unsubscribe', name });
      this.#ask();
    };
  }

  emit(name: string, payload: unknown, meta: CallMeta | undefined): boolean {
    const link = this.#link;
    const most = link?.limits.message ?? PAGE_LIMITS.message;
    const sequence = this.#sequenceOf(name) + 1;
    let frame;
    try {
      const head = `{"type":"event","name":${JSON.stringify(name)},"sequence":${sequence}${besideOf(meta)}`;
      frame = encodeWithValue(head, payload, 'payload', most);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      const { code, why, cause } = whyUnsendable(error, most, 'it is');
      throw new NetError(code, `the event ${JSON.stringify(name)} cannot be emitted: ${why}`, { cause });
    }
    this.#emitted += 1;
    this.#sequences.delete(name);
    this.#sequences.set(name, sequence);
    const [oldest] = this.#sequences.keys();
    if (this.#sequences.size > MOST_NAMES) this.#sequences.delete(oldest!);
    const isWanted = this.#wanted.has(name) || this.#wanted.has(EVERY_EVENT);
    // The server notices from the sequence that one is missing.
    if (isWanted && !link!.congested) link!.send(frame);
    return isWanted;
  }

  /** A name that was forgotten had at most as many events as there were in all. */
  #sequenceOf(name: string): number {
    return this.#sequences.get(name) ?? this.#emitted;
  }

  /** Subscribes to what the page is not subscribed to, as far as the server allows. */
  #ask(): void {
    const most = this.#link?.limits.subscriptions ?? 0;
    let room = most;
    for (const { asked } of this.#interests.values()) if (asked > 0) room -= 1;
    for (const [name, interest] of this.#interests) {
      if (interest.asked > 0 || room <= 0) continue;
      room -= 1;
      this.#newest += 1;
      interest.asked = this.#newest;
      this.#send({ type: 'subscribe', id: interest.asked, name });
    }
  }

  #answered(interest: Interest, name: string, sequence: number): void {
    const last = interest.last.get(name);
    interest.answered = true;
    if (name !== EVERY_EVENT) {
      if (last !== undefined && sequence > last) {
        this.#missed(interest, { missed: sequence - last, why: 'disconnected' });
      }
      interest.last.set(name, Math.max(sequence, last ?? 0));
    }
    interest.known = true;
  }

  #happened(event: EventFrame, of: string): void {
    const interest = this.#interests.get(of);
    if (!interest || interest.asked === 0) return;
    const { name, sequence, value: payload, headers: meta = NO_META } = event;
    const last = interest.last.get(name) ?? (of === EVERY_EVENT ? sequence - 1 : undefined);
    // It belongs to an earlier subscription to the same name.
    if (last === undefined || sequence <= last) return;
    if (sequence > last + 1) {
      const why = interest.answered && interest.last.has(name) ? 'slow' : 'disconnected';
      this.#missed(interest, { missed: sequence - last - 1, why });
    }
    interest.last.set(name, sequence);
    if (interest.last.size > MOST_NAMES) interest.last.delete(interest.last.keys().next().value!);
    const received = { name, payload, peer: this.#server!, sequence, gap: interest.gap, meta };
    interest.gap = undefined;
    for (const listener of interest.listeners) listener.take(received);
  }

  #missed(interest: Interest, gap: PageGap): void {
    interest.gap ??= gap;
    for (const listener of interest.listeners) listener.missed(gap);
  }

  #send(frame: EventsFrame): void {
    this.#link?.tell(frame);
  }
}
