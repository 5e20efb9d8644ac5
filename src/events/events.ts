import type { EventsCounters } from '../presence/set/peer-info.ts';
import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../base/time/clock.ts';
import type { EventsFrame } from '../wire/frames.ts';
import { contained } from '../base/contained.ts';
import type { Remedy } from '../base/contained.ts';
import { CrossingLinks } from '../connection/crossing.ts';
import { Interests } from './interests.ts';
import type { InterestsInput } from './interests.ts';
import type { Link, PeerRecord } from '../connection/link/link.ts';
import { LiveSnapshot } from '../base/process/live-snapshot.ts';
import type { EventsMessage } from './messages.ts';
import { Topics } from './topics.ts';
import type { TopicsInput } from './topics.ts';

/**
 * The actor for events: those that this peer emits, and those that it wants from others.
 *
 * `emit` is not a message to the actor but a call to `topics`, in the same way as links are called. It has to refuse a
 * payload that cannot be carried, and it returns the number of subscribers.
 */

export interface EventsInput extends TopicsInput, InterestsInput {
  clock: Clock;
}

export type EventsLogic = ActorLogic<LiveSnapshot<EventsCounters>, EventsMessage, undefined>;
export type EventsRef = ActorRefFrom<EventsLogic>;

export function createEventsLogic(input: EventsInput): { logic: EventsLogic; topics: Topics } {
  const events = new Events(input);
  const logic: EventsLogic = {
    getInitialSnapshot: ({ self }) => {
      events.wantLink = (record) => self.system.get('discovery')?.send({ type: 'link.wanted', record });
      events.overdue = (link) => self.send({ type: 'wait.over', link });
      return events.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      events.receive(message);
      return snapshot;
    },
  };
  const remedy: Remedy<EventsMessage> = (error, message) => {
    if ('link' in message) message.link.fail(error);
    else input.log.unforeseen('in the events', error);
  };
  return { logic: contained(logic, remedy), topics: events.topics };
}

class Events {
  readonly snapshot = new LiveSnapshot<EventsCounters>({
    ...{ emitted: 0, sent: 0, queued: 0, dropped: 0, disconnected: 0 },
    ...{ subscriptions: 0, received: 0, gaps: 0 },
  });
  readonly topics: Topics;
  overdue: (link: Link) => void = () => {};
  /** Called when a subscription waits for a peer that is present and not linked. */
  wantLink: (record: PeerRecord) => void = () => {};

  readonly #interests: Interests;
  readonly #crossing: CrossingLinks;

  constructor(input: EventsInput) {
    const { context: counters } = this.snapshot;
    this.topics = new Topics(input, counters);
    this.#interests = new Interests(input, counters, (record) => this.wantLink(record));
    this.#crossing = new CrossingLinks(
      input.clock,
      (link, frames) => this.#take(link, frames),
      (link) => this.overdue(link),
    );
  }

  receive(message: EventsMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'frames.received':
        this.#crossing.frames(message.link, message.frames);
        break;
      case 'event.wanted':
        this.#interests.want(message.name, message.peer);
        break;
      case 'event.unwanted':
        this.#interests.unwant(message.name, message.peer);
        break;
      case 'event.forgotten':
        this.#interests.forget(message.name);
        break;
      case 'event.drain':
        this.topics.whenDrained(message.drained);
        break;
      case 'link.opened':
        this.#crossing.opened(message.link);
        this.#interests.opened(message.link);
        this.topics.pump(message.link.record);
        break;
      case 'link.drained':
        this.topics.pump(message.link.record);
        break;
      case 'link.left':
        this.#crossing.left(message.link);
        break;
      case 'wait.over':
        this.#crossing.release(message.link);
        break;
      case 'link.closed':
        this.#crossing.closed(message.link);
        this.#interests.closed(message.link);
        break;
      case 'peer.joined':
        this.#interests.joined(message.record);
        break;
      case 'peer.left':
        this.#interests.left(message.record, message.why);
        this.topics.left(message.record);
        break;
      case 'xstate.stop':
        this.#crossing.stop();
        this.topics.stop();
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #take(link: Link, frames: readonly EventsFrame[]): void {
    for (const frame of frames) {
      switch (frame.type) {
        case 'event':
          this.#interests.happened(link, frame);
          break;
        case 'subscribe':
          this.topics.subscribe(link, frame);
          break;
        case 'subscribed':
          this.#interests.subscribed(link, frame);
          break;
        case 'unsubscribe':
          this.topics.unsubscribe(link, frame);
          break;
      }
    }
  }
}
