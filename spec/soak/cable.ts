import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { Lan } from '../support/lan.ts';
import type { LanHost } from '../support/lan-host.ts';
import type { TestProcess } from '../support/processes.ts';

const TELLING = `
  import { peers, serve } from 'app-net';
  const tell = (line) => console.log(JSON.stringify({ ...line, at: Date.now() }));
  peers.on('join', (peer) => tell({ type: 'join', name: peer.name }));
  peers.on('leave', (peer, why, evidence) => tell({ type: 'leave', name: peer.name, why, evidence: String(evidence) }));
  await serve();
`;

interface Told {
  type: 'join' | 'leave';
  name: string;
  why?: string;
  evidence?: string;
  at: number;
}

/** Times in ms, the longest of all pairs. */
export interface Break {
  leave: number;
  rejoin: number;
  evidence: string;
}

/** Peers on the hosts of a LAN, one a host, that know each other. */
export class CabledPeers {
  readonly lan: Lan;
  readonly hosts: LanHost[] = [];
  readonly #peers: TestProcess[] = [];

  private constructor(lan: Lan) {
    this.lan = lan;
  }

  static async start(count: number): Promise<CabledPeers> {
    const all = new CabledPeers(await Lan.open());
    const secret = makeSecret();
    for (let number = 0; number < count; number += 1) {
      // One after the other: each makes interfaces of the same namespace.
      all.hosts.push(await all.lan.host(`h${number}`));
    }
    for (const host of all.hosts) {
      const env = { APP_NET_LAN: '1', APP_NET_SECRET: secret, APP_NET_NAME: host.name };
      all.#peers.push(await host.start(TELLING, { env }));
    }
    await eventually(() => all.#peers.every((peer) => told(peer, 'join').length === count - 1), 60_000);
    return all;
  }

  async close(): Promise<void> {
    await this.lan.close();
  }

  /**
   * Breaks the LAN into these parts, waits until everybody has seen everybody of the other parts leave, heals it
   * and waits until everybody is back.
   * @param outage how long it stays broken after that, in ms
   */
  async break(parts: LanHost[][], how: () => Promise<void>, outage: number): Promise<Break> {
    const part = (host: LanHost): number => parts.findIndex((each) => each.includes(host));
    const pairs = this.hosts.flatMap((host, index) =>
      this.hosts
        .filter((other) => part(other) !== part(host))
        .map((other) => [this.#peers[index]!, other.name] as const),
    );
    const since = (peer: TestProcess, type: Told['type'], name: string, from: number): Told[] =>
      told(peer, type).filter((line) => line.name === name && line.at > from);
    const wait = async (type: Told['type'], from: number): Promise<Told[]> => {
      await eventually(() => pairs.every(([peer, name]) => since(peer, type, name, from).length > 0), 40_000);
      return pairs.map(([peer, name]) => since(peer, type, name, from)[0]!);
    };
    const began = Date.now();
    await how();
    const leaves = await wait('leave', began);
    await new Promise((resolve) => setTimeout(resolve, outage));
    const healed = Date.now();
    await this.lan.heal();
    const joins = await wait('join', healed);
    // Long enough for a second one.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const peer of this.#peers) {
      const index = this.#peers.indexOf(peer);
      for (const other of this.hosts) {
        const apart = part(other) === part(this.hosts[index]!) ? 0 : 1;
        expect(since(peer, 'leave', other.name, began), `leaves of ${other.name}`).to.have.length(apart);
        expect(since(peer, 'join', other.name, began), `joins of ${other.name}`).to.have.length(apart);
      }
    }
    return {
      leave: Math.max(...leaves.map(({ at }) => at)) - began,
      rejoin: Math.max(...joins.map(({ at }) => at)) - healed,
      evidence: leaves[0]!.evidence!,
    };
  }
}

function told(of: TestProcess, type: Told['type']): Told[] {
  return (of.lines as Told[]).filter((line) => line.type === type);
}
