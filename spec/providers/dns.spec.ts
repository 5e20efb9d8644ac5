import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { DnsProvider } from '../../src/providers/dns.ts';
import type { NameSeed, Names } from '../../src/providers/dns.ts';
import { hintAt, keyOf } from '../../src/providers/hint.ts';
import type { ProviderListener } from '../../src/providers/provider.ts';
import type { Hint } from '../../src/providers/hint.ts';
import { DnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';

const workers: NameSeed = { kind: 'addresses', name: 'workers.example', port: 4000 };
const services: NameSeed = { kind: 'services', name: '_app-net._tcp.example' };

class Heard implements ProviderListener {
  readonly all: string[] = [];
  reason: Error | undefined;
  found(hint: Hint): void {
    this.all.push(`+${keyOf(hint)}`);
  }
  lost(key: string): void {
    this.all.push(`-${key}`);
  }
  scanned(): void {
    this.all.push('scanned');
  }
  degraded(reason: Error | undefined): void {
    this.reason = reason;
  }
}

describe('the DNS provider', () => {
  let server: DnsServer;
  let clock: SimulatedClock;
  let heard: Heard;
  const started: DnsProvider[] = [];

  beforeEach(async () => {
    server = await new DnsServer().start();
    clock = new SimulatedClock();
    heard = new Heard();
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((provider) => provider.stop()));
    await server.stop();
  });

  async function start(seeds: NameSeed[], names: Names = server.names()): Promise<DnsProvider> {
    const provider = new DnsProvider(seeds, clock, () => 0.5, counted(names));
    started.push(provider);
    await provider.start(undefined, heard);
    return provider;
  }

  /** Questions that are not answered yet. */
  let open = 0;

  function counted(names: Names): Names {
    const count =
      <T>(ask: (name: string) => Promise<T>) =>
      (name: string) => {
        open += 1;
        return ask(name).finally(() => (open -= 1));
      };
    const { resolve4, resolve6, resolveSrv, lookup, cancel } = names;
    return {
      resolve4: count(resolve4),
      resolve6: count(resolve6),
      resolveSrv: count(resolveSrv),
      lookup: count(lookup),
      cancel,
    };
  }

  const allAnswered = async (): Promise<void> => {
    await eventually(() => open === 0);
    // The work that follows from the last answer is done by then.
    await new Promise((resolve) => setImmediate(resolve));
    if (open > 0) await allAnswered();
  };

  /** The next question of each name, and its answer. */
  async function poll(): Promise<void> {
    clock.increment(10_000);
    expect(open).to.be.greaterThan(0);
    await allAnswered();
  }

  it('hints at every address of a name, of both families', async () => {
    server.a('workers.example', '10.0.0.1', '10.0.0.2', 'fd00::1');
    await start([workers]);
    expect(heard.all.slice(0, -1)).to.have.members(['+10.0.0.1:4000', '+10.0.0.2:4000', '+[fd00::1]:4000']);
    expect(heard.all.at(-1)).to.equal('scanned');
    expect(heard.reason).to.equal(undefined);
  });

  it('hints at every target of a service, which remains a name', async () => {
    server.srv('_app-net._tcp.example', ['a.example', 4000], ['B.example', 4001], ['.', 0]);
    await start([services]);
    expect(heard.all).to.have.members(['+a.example:4000', '+b.example:4001', 'scanned']);
  });

  it('asks repeatedly, and reports changes', async () => {
    server.a('workers.example', '10.0.0.1', '10.0.0.2');
    await start([workers]);
    heard.all.length = 0;
    server.a('workers.example', '10.0.0.2', '10.0.0.3');
    await poll();
    expect(heard.all).to.have.members(['-10.0.0.1:4000', '+10.0.0.3:4000']);
    heard.all.length = 0;
    await poll();
    expect(heard.all).to.deep.equal([]);
  });

  it('does not lose an address that another name still has', async () => {
    server.a('workers.example', '10.0.0.1');
    server.a('others.example', '10.0.0.1');
    await start([workers, { kind: 'addresses', name: 'others.example', port: 4000 }]);
    expect(heard.all).to.deep.equal(['+10.0.0.1:4000', 'scanned']);
    heard.all.length = 0;
    server.zone.delete('others.example');
    await poll();
    expect(heard.all).to.deep.equal([]);
    expect(heard.reason?.message).to.equal('others.example: the DNS has no such name');
  });

  it('keeps its addresses while the server fails or is silent, reports that, and withdraws the report', async () => {
    server.a('workers.example', '10.0.0.1');
    await start([workers]);
    heard.all.length = 0;
    for (const mood of ['broken', 'silent'] as const) {
      server.mood = mood;
      await poll();
      expect(heard.all, mood).to.deep.equal([]);
      expect(heard.reason?.message, mood).to.match(/^workers\.example: E(SERVFAIL|TIMEOUT)$/);
      server.mood = 'well';
      await poll();
      expect(heard.reason, mood).to.equal(undefined);
    }
  });

  it('starts without a server, and finds addresses once there is one', async () => {
    server.mood = 'silent';
    await start([workers]);
    expect(heard.all).to.deep.equal(['scanned']);
    expect(heard.reason?.message).to.equal('workers.example: ETIMEOUT');
    server.mood = 'well';
    server.a('workers.example', '10.0.0.1');
    await poll();
    expect(heard.all).to.deep.equal(['scanned', '+10.0.0.1:4000']);
  });

  it('does not treat half an answer as complete', async () => {
    server.a('workers.example', '10.0.0.1', 'fd00::1');
    const names = server.names();
    const servfail = Object.assign(new Error('no'), { code: 'ESERVFAIL' });
    let broken = false;
    await start([workers], {
      ...names,
      resolve6: (name) => (broken ? Promise.reject(servfail) : names.resolve6(name)),
    });
    broken = true;
    heard.all.length = 0;
    server.a('workers.example', '10.0.0.2');
    await poll();
    expect(heard.all).to.deep.equal(['+10.0.0.2:4000']);
    expect(heard.reason?.message).to.equal('workers.example: ESERVFAIL');
  });

  it('asks the system for a name that the server does not know', async () => {
    await start([workers], server.names({ 'workers.example': ['10.0.0.9'] }));
    expect(heard.all).to.deep.equal(['+10.0.0.9:4000', 'scanned']);
    expect(heard.reason).to.equal(undefined);
  });

  it('asks sooner after a failed dial, but not after each', async () => {
    server.a('workers.example', '10.0.0.1');
    const provider = await start([workers]);
    for (let count = 0; count < 100; count += 1) provider.failed(hintAt({ host: '10.0.0.1', port: 4000 }));
    const { length } = server.asked;
    clock.increment(600);
    await allAnswered();
    expect(server.asked.length).to.equal(length + 2);
    provider.failed(hintAt({ host: '192.168.0.1', port: 4000 }));
    clock.increment(600);
    expect(server.asked.length).to.equal(length + 2);
  });

  it('asks nothing more after it was stopped', async () => {
    server.a('workers.example', '10.0.0.1');
    const provider = await start([workers]);
    await provider.stop();
    const { length } = server.asked;
    clock.increment(100_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.asked).to.have.length(length);
  });

  it('can be stopped during a question', async () => {
    server.mood = 'silent';
    const provider = new DnsProvider([workers], clock, () => 0.5, server.names());
    const starting = provider.start(undefined, heard);
    await eventually(() => server.asked.length > 0);
    await provider.stop();
    await starting;
    expect(heard.all).to.deep.equal([]);
  });
});
