import type { NetworkInterfaceInfo } from 'node:os';

import { SimulatedClock } from 'xstate';

import type { Hint } from '../../src/providers/hint.ts';
import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import type { Announcement, ProviderListener } from '../../src/providers/provider.ts';
import { Segment } from './multicast.ts';

export const announcement = (id: string, port = 4000): Announcement => ({
  id,
  incarnation: `${id}-1`,
  addresses: [{ host: '127.0.0.1', port }],
  world: () => 'not to be said',
});

export class Heard implements ProviderListener {
  readonly all: string[] = [];
  readonly hints = new Map<string, Hint>();
  reason: Error | undefined;
  found(hint: Hint): void {
    this.hints.set(hint.id, hint);
    this.all.push(`found ${hint.id}`);
  }
  lost(id: string, incarnation: string): void {
    if (this.hints.get(id)?.incarnation === incarnation) this.hints.delete(id);
    this.all.push(`lost ${id}`);
  }
  scanned(): void {
    this.all.push('scanned');
  }
  degraded(reason: Error | undefined): void {
    this.reason = reason;
  }
  /** Where a peer is said to be: `10.0.0.1:4000`. */
  where(id: string): string[] {
    return this.hints.get(id)?.addresses.map(({ host, port }) => `${host}:${port}`) ?? [];
  }
}

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Providers on hosts of their own, on one segment and one clock. */
export class MdnsHosts {
  readonly clock = new SimulatedClock();
  readonly segment = new Segment(this.clock);
  readonly started: MdnsProvider[] = [];

  /** Starts a provider on a new host. The interfaces of the host can be changed afterwards. */
  readonly start = async (
    self: Announcement,
    interfaces: Interfaces,
    host = '::',
  ): Promise<{ provider: MdnsProvider; heard: Heard }> => {
    const provider = new MdnsProvider({
      host,
      clock: this.clock,
      random: () => 0.5,
      interfaces: () => interfaces,
      open: this.segment.open,
    });
    this.started.push(provider);
    const heard = new Heard();
    await provider.start(self, heard);
    return { provider, heard };
  };

  async stop(): Promise<void> {
    await Promise.all(this.started.splice(0).map((each) => each.stop()));
  }
}
