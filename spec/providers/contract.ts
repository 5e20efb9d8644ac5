import { expect } from 'chai';

import { hintAt, keyOf } from '../../src/providers/hint.ts';
import type { Hint } from '../../src/providers/hint.ts';
import type { Announcement, Provider, ProviderListener } from '../../src/providers/provider.ts';
import { eventually } from '../support/eventually.ts';

/** Where the providers of one test find each other. */
export interface ProviderWorld {
  /** A new provider, as a peer with this announcement has it. */
  make: (self: Announcement) => Provider | Promise<Provider>;
  /** Lets time pass, for providers whose clock a test turns. */
  pass?: () => Promise<void>;
  /** The keys of the hints that are there from the start, for providers that do not announce. */
  there?: readonly string[];
  close?: () => Promise<unknown>;
}

const announcement = (id: string, life = 1): Announcement => ({
  id,
  incarnation: `${id}-${life}`,
  addresses: [{ host: '127.0.0.1', port: 4_000 }],
  pid: process.pid,
  world: () => 'ours',
});

/** What a provider has told, in order. */
class Heard implements ProviderListener {
  readonly all: string[] = [];
  /** What it tells of at present, by key. */
  readonly now = new Map<string, Hint>();
  readonly #provider: () => Provider;

  /** @param provider is asked for the hint of a peer that it only names, as discovery asks for one that it dials */
  constructor(provider: () => Provider) {
    this.#provider = provider;
  }

  found(hint: Hint): void {
    this.now.set(keyOf(hint), hint);
    this.all.push(`found ${keyOf(hint)}`);
  }
  named(id: string): void {
    this.#provider().wanted!(id);
  }
  lost(key: string, incarnation: string): void {
    if (this.now.get(key)?.incarnation === incarnation) this.now.delete(key);
    this.all.push(`lost ${key}`);
  }
  scanned(): void {
    this.all.push('scanned');
  }
  degraded(): void {}
}

/** The tests that every provider must pass. `make` gives a place where providers find each other, and nobody else. */
export function describeProvider(
  name: string,
  make: () => ProviderWorld | Promise<ProviderWorld>,
  { announces = true } = {},
): void {
  describe(`the ${name} provider, as any other`, () => {
    let world: ProviderWorld;
    const started: Provider[] = [];

    beforeEach(async () => {
      world = await make();
    });

    afterEach(async () => {
      await Promise.all(started.splice(0).map((provider) => provider.stop()));
      await world.close?.();
    });

    const until = (check: () => unknown): Promise<void> =>
      eventually(async () => {
        await world.pass?.();
        return check();
      });

    async function start(self: Announcement): Promise<{ provider: Provider; heard: Heard }> {
      const provider = await world.make(self);
      started.push(provider);
      const heard = new Heard(() => provider);
      const starting = provider.start(self, heard);
      await until(() => heard.all.includes('scanned'));
      await starting;
      return { provider, heard };
    }

    it('tells what is there, and once that this was all', async () => {
      if (announces) await start(announcement('a'));
      const { heard } = await start(announcement('b'));
      const there = world.there ?? ['a'];
      await until(() => there.every((key) => heard.now.has(key)));
      expect(heard.all.filter((each) => each === 'scanned')).to.have.length(1);
      if (!announces) expect(heard.all.at(-1)).to.equal('scanned');
    });

    it('tells hints that can be used: with a key, and addresses that can be dialled', async () => {
      if (announces) await start(announcement('a'));
      const { heard } = await start(announcement('b'));
      await until(() => heard.now.size > 0);
      for (const [key, hint] of heard.now) {
        expect(keyOf(hint)).to.equal(key);
        expect(hint.addresses).to.not.deep.equal([]);
        for (const { host, port } of hint.addresses) {
          expect(host).to.be.a('string').and.not.equal('');
          expect(port).to.satisfy(Number.isSafeInteger);
        }
        expect(hint.id === '' ? hint.incarnation : '').to.equal('');
      }
    });

    it('tells nothing once it is stopped', async () => {
      const { provider, heard } = await start(announcement('b'));
      await provider.stop();
      const before = [...heard.all];
      if (announces) {
        const other = await start(announcement('a'));
        const third = await start(announcement('c'));
        await until(() => third.heard.now.has('a') && other.heard.now.has('c'));
      }
      await world.pass?.();
      expect(heard.all).to.deep.equal(before);
    });

    it('can be stopped at any time, and again', async () => {
      const unused = await world.make(announcement('a'));
      await unused.stop();
      unused.stopNow();
      const { provider } = await start(announcement('b'));
      provider.stopNow();
      await provider.stop();
      await provider.stop();
    });

    it('takes whatever discovery says of hints that it never gave', async () => {
      const { provider, heard } = await start(announcement('b'));
      const strange = [
        { id: 'nobody', incarnation: 'nobody-1', addresses: [{ host: '127.0.0.1', port: 1 }] },
        hintAt({ host: '127.0.0.1', port: 1 }),
      ];
      for (const hint of strange) {
        provider.failed(hint, true);
        provider.failed(hint, false);
        provider.answered?.(hint);
      }
      provider.wanted?.('nobody');
      await world.pass?.();
      expect(heard.all.filter((each) => each.startsWith('found nobody'))).to.deep.equal([]);
    });

    if (!announces) return;

    it('tells of a peer that comes later and goes, and never of its own', async () => {
      const { heard } = await start(announcement('a'));
      const other = await start(announcement('b'));
      await until(() => heard.now.has('b') && other.heard.now.has('a'));
      expect(heard.now.get('b')!.incarnation).to.equal('b-1');
      await other.provider.stop();
      await until(() => !heard.now.has('b'));
      expect([...heard.now.keys(), ...other.heard.now.keys()]).to.deep.equal(['a']);
      expect(heard.all).to.not.include('found a');
      expect(other.heard.all).to.not.include('found b');
    });

    it('tells of the next life of a peer', async () => {
      const { heard } = await start(announcement('a'));
      const first = await start(announcement('b'));
      await until(() => heard.now.get('b')?.incarnation === 'b-1');
      await first.provider.stop();
      await start(announcement('b', 2));
      await until(() => heard.now.get('b')?.incarnation === 'b-2');
    });

    it('lets a peer search that announces nothing', async () => {
      const { heard } = await start(announcement('a'));
      const silent = await start({ ...announcement('b'), addresses: [] });
      await until(() => silent.heard.now.has('a'));
      const third = await start(announcement('c'));
      await until(() => heard.now.has('c') && third.heard.now.has('a'));
      expect([...heard.all, ...third.heard.all]).to.not.include('found b');
    });
  });
}
