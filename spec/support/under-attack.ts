import type { Server } from 'node:net';

import { expect } from 'chai';
import type { InspectionEvent } from 'xstate';

import type { Peer } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { Attacker } from './attacker.ts';
import { needOwnAddress, ownAddress } from './own-address.ts';
import { portOf, Stage } from './peers.ts';
import { withoutMulticast } from './without-multicast.ts';

/** Every application frame of an attacker contains this text, so that a parser of such a frame parses it. */
export const MARK = 'attack-7f3a';
export const REQUEST = `{"type":"request","id":1,"tag":"function of the victim","args":["${MARK}"]}`;
export const UNUSUAL = `{"type":"functions","added":["${MARK}"],"removed":[]}`;

const { parse } = JSON;

/** A peer on the network and an attacker beside it, new for each test. `nothingGotIn` checks the outcome of an attack. */
export class UnderAttack {
  /** An address of this host that is not loopback. */
  readonly own = ownAddress()!;
  readonly secret = makeSecret();
  readonly stage = new Stage();
  /** Every text with the mark that was parsed. The reader of handshakes is left out: it takes no frame for a message. */
  readonly parsed: string[] = [];
  /** Events that tell an actor of frames. */
  readonly frames: InspectionEvent[] = [];
  attacker!: Attacker;
  victim!: Peer;
  #runs = 0;

  /** Sets the hooks of the `describe` that it is called in. */
  setHooks(begun: (attack: { attacker: Attacker; victim: Peer; port: number }) => void): void {
    before(function () {
      needOwnAddress(this);
    });
    beforeEach(async () => {
      this.parsed.length = 0;
      this.frames.length = 0;
      this.#runs = 0;
      JSON.parse = ((text: string, ...rest: []) => {
        if (text.includes(MARK) && !/handshake-messages/.test(new Error().stack!)) this.parsed.push(text);
        return parse(text, ...rest) as unknown;
      }) as typeof JSON.parse;
      this.attacker = new Attacker(this.own);
      this.victim = await this.start('victim');
      begun({ attacker: this.attacker, victim: this.victim, port: portOf(this.victim) });
    });
    afterEach(async () => {
      JSON.parse = parse;
      await this.attacker?.stop();
      await this.stage.clear();
    });
  }

  readonly start = async (name: string, seeds: string[] = [], secret = this.secret): Promise<Peer> => {
    const inspect = (event: InspectionEvent): void => {
      if (event.type !== '@xstate.event') return;
      if (/^frames?\.received$/.test(event.event.type)) this.frames.push(event);
    };
    const network = withoutMulticast(await this.stage.folder());
    const peer = this.stage.make({ name, group: 'g-secret', lan: true, secret, network, seeds, inspect });
    peer.connect('function of the victim', (): number => (this.#runs += 1));
    return peer.start();
  };

  /** After every attack: nobody joined, nothing ran, and no frame got as far as the codec. */
  readonly nothingGotIn = (...peers: Peer[]): void => {
    for (const peer of [this.victim, ...peers]) {
      expect([...peer.peers.of({ group: '*' })]).to.deep.equal([]);
      const { running, settled } = peer.actor.system.get('dispatcher').getSnapshot().context;
      expect({ running, settled }).to.deep.equal({ running: 0, settled: 0 });
    }
    expect(this.frames).to.deep.equal([]);
    expect(this.parsed).to.deep.equal([]);
    expect(this.#runs).to.equal(0);
  };

  readonly listening = async (server: Server): Promise<void> => {
    await new Promise<void>((resolve) => server.listen(0, this.own, resolve));
  };
}

/** The peer that an attacker claims to be. */
export const someone = {
  id: 'someone',
  incarnation: 'one',
  limits: { message: 1_000_000, calls: 10 },
  describe: () => ({ name: 's', group: 'main', hub: false, pid: 1, host: 'h', functions: [] }),
};

export function helloOf(id: string): string {
  const nonce = Buffer.alloc(32, id).toString('base64url');
  const limits = { message: 65_536, calls: 1 };
  return JSON.stringify({ type: 'hello', versions: [1], id, incarnation: id, nonce, to: '', limits });
}

/** The number of dials of this peer that failed. */
export function failuresOf(peer: Peer): number {
  const { candidates } = peer.actor.system.get('discovery').getSnapshot().context as {
    candidates: Map<string, { failures: number }>;
  };
  return [...candidates.values()].reduce((sum, { failures }) => sum + failures, 0);
}

/** The type of a frame, read past the watched `JSON.parse`. */
export const typeOf = (text: string): unknown => (parse(text) as { type: unknown }).type;
