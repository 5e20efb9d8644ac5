import { SimulatedClock } from 'xstate';

import { Browser } from '../../src/providers/mdns/browser.ts';
import type { Sighting } from '../../src/providers/mdns/browser.ts';
import { readPacket } from '../../src/providers/mdns/packet.ts';
import type { Packet, Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';
import { elapse, linkOf } from './multicast.ts';

export const SECOND = 1_000;
export const own = ownRecords({ id: 'me', incarnation: 'mine-1' }, 4000, ['10.0.0.1']);
export const other = { address: '10.0.0.2', port: 5353 };

export const recordsOf = (id: string, ...hosts: string[]): Resource[] => {
  const records = ownRecords({ id, incarnation: `${id}-1` }, 4000, hosts);
  return [records.pointer, records.location, records.description, ...records.addresses];
};

export const response = (...answers: Resource[]): Packet => {
  return { kind: 'response', id: 0, truncated: false, questions: [], answers, additionals: [] };
};

export const endpointOf = (id: string): string => `${id}-1.${SERVICE}`;

/** A browser on a clock of its own. Its questions and reports are kept. */
export class ObservedBrowser {
  readonly clock = new SimulatedClock();
  /** Questions to everybody. */
  readonly asked: { at: number; packet: Packet }[] = [];
  /** Questions whose answer is meant for this browser alone. */
  readonly personal: Packet[] = [];
  readonly seen = new Map<string, Sighting>();
  /** Every report, in order. */
  readonly reports: [string, Sighting | undefined][] = [];
  browser = this.#make(0);

  /** Replaces the browser by a new one. */
  restart(random = 0): Browser {
    this.browser.close();
    this.browser = this.#make(random);
    return this.browser;
  }

  /** Lets time pass. The browser ticks every second, as in the provider. */
  readonly live = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await elapse(this.clock, SECOND);
      this.browser.tick();
    }
  };

  readonly times = (): number[] => this.asked.map(({ at }) => at);
  readonly ids = (): string[] => [...this.seen.values()].map(({ id }) => id);

  #make(random: number): Browser {
    return new Browser({
      link: linkOf('10.0.0.1/24', 'fe80::1/64', 'fd00::1/64'),
      own: own.pointer,
      clock: this.clock,
      random: () => random,
      send: (bytes) => {
        const packet = readPacket(bytes)!;
        if (packet.questions.some(({ unicast }) => unicast)) this.personal.push(packet);
        else this.asked.push({ at: this.clock.now(), packet });
      },
      sighted: (endpoint, sighting) => {
        this.reports.push([endpoint, sighting]);
        if (sighting) this.seen.set(endpoint, sighting);
        else this.seen.delete(endpoint);
      },
    });
  }
}
