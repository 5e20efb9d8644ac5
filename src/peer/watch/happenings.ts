import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { AnyActor } from 'xstate';

import type { GapMessage } from '../../events/event-message.ts';
import type { WatchedHappening } from '../../presence/set/peer-watch.ts';
import type { DiscoveryEmitted } from '../../presence/messages.ts';
import type { WatchInput } from './watch-input.ts';

/** What is kept between two messages. */
const MOST = 100;

const GAPS = 'app-net:event:gap';

/** Collects what happens to a watched peer: joins, leaves and missed events. */
export class Happenings {
  readonly #stop: () => void;
  #happened: WatchedHappening[] = [];

  constructor({ id: own, actor }: WatchInput) {
    const followed = (actor.system.get('discovery') as AnyActor).on('*', (event) => {
      const emitted = event as DiscoveryEmitted;
      if (emitted.type !== 'peer.joined' && emitted.type !== 'peer.left') return;
      const { id, name, group, evidence } = emitted.record;
      const who = { at: Date.now(), id, name, group };
      if (emitted.type === 'peer.joined') this.#add({ type: 'join', ...who });
      else this.#add({ type: 'leave', ...who, why: emitted.why, evidence: evidence?.text ?? '' });
    });
    const gap = (message: unknown): void => {
      const { local, peer, name: event, missed } = message as GapMessage;
      if (local !== own) return;
      const { id, name } = peer;
      this.#add({ type: 'gap', at: Date.now(), id, name, event, ...(missed !== undefined && { missed }) });
    };
    subscribe(GAPS, gap);
    this.#stop = () => {
      followed.unsubscribe();
      unsubscribe(GAPS, gap);
    };
  }

  /** What has happened since the last time. */
  take(): WatchedHappening[] {
    const happened = this.#happened;
    this.#happened = [];
    return happened;
  }

  stop(): void {
    this.#stop();
  }

  #add(happening: WatchedHappening): void {
    if (this.#happened.length < MOST) this.#happened.push(happening);
  }
}
