import { inspect } from 'node:util';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { systemClock } from '../../src/base/time/clock.ts';
import { NetError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { milliseconds } from '../../src/base/option-checks.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import type { PeerOptions } from '../../src/peer/options/options.ts';

const resolve = (options: PeerOptions = {}, environment: NodeJS.ProcessEnv = {}) =>
  resolveOptions(options, environment);

describe('the options of a peer', () => {
  it('are all optional', () => {
    const { id, incarnation, name, hostname, process: own, ...rest } = resolve();
    expect([id, incarnation].every((each) => /^[\w-]{21}$/.test(each))).to.equal(true);
    expect(name).to.match(new RegExp(`.:${process.pid}$`));
    expect(hostname).to.be.a('string');
    expect(own.pid).to.equal(process.pid);
    expect(rest).to.deep.equal({
      group: 'main',
      hub: false,
      announce: true,
      lan: false,
      insecure: false,
      host: '127.0.0.1',
      hostNames: [],
      pages: undefined,
      pass: undefined,
      ports: [0, 0],
      secret: undefined,
      secretFile: undefined,
      tls: undefined,
      seeds: [],
      runtimeDir: undefined,
      deadline: 30_000,
      drainTime: 10_000,
      ping: 2_000,
      suspect: 6_000,
      stacks: true,
      parity: false,
      origins: [],
      slowSubscribers: 'drop',
      limits: {
        ...{ message: 16 * 1024 * 1024, calls: 1_024, streams: 256, running: 16_384 },
        ...{ queue: 65_536, buffered: 16_777_216, peers: 4_096, guests: 1_024 },
        ...{ subscriptions: 1_024, events: 16_777_216 },
      },
      log: silentLog,
      inspect: undefined,
      clock: systemClock,
      random: Math.random,
      network: undefined,
      nats: undefined,
      networks: undefined,
    });
  });

  it('make a new id and a new life each time', () => {
    const [a, b] = [resolve(), resolve()];
    expect(new Set([a.id, a.incarnation, b.id, b.incarnation]).size).to.equal(4);
  });

  it('come from the environment when the code does not set them', () => {
    const settings = resolve(
      {},
      {
        APP_NET_NAME: 'render-1',
        APP_NET_GROUP: 'gpu',
        APP_NET_IS_HUB: 'true',
        APP_NET_HOST: '::1',
        APP_NET_PORT: '4000',
        APP_NET_SECRET: 'correct horse battery',
        APP_NET_SECRET_FILE: '/run/secret',
        APP_NET_RUNTIME_DIR: '/run/app-net',
        APP_NET_PEERS: '127.0.0.1:4000, [::1]:4000,',
      },
    );
    expect(settings).to.deep.include({
      name: 'render-1',
      group: 'gpu',
      hub: true,
      host: '::1',
      ports: [4000, 4000],
      secretFile: '/run/secret',
      seeds: [
        { kind: 'address', address: { host: '127.0.0.1', port: 4000 } },
        { kind: 'address', address: { host: '::1', port: 4000 } },
      ],
      runtimeDir: '/run/app-net',
    });
    expect(settings.secret?.()).to.equal('correct horse battery');
  });

  it('in code win over the environment', () => {
    const environment = {
      APP_NET_NAME: 'e',
      APP_NET_GROUP: 'e',
      APP_NET_IS_HUB: '1',
      APP_NET_HOST: '127.0.0.2',
      APP_NET_PORT_RANGE: '1-2',
      APP_NET_SECRET: 'in the environment',
      APP_NET_SECRET_FILE: '/e',
      APP_NET_RUNTIME_DIR: '/e',
    };
    const options = { name: 'c', group: 'c', hub: false, host: '127.0.0.1' };
    const more = { port: 5, secret: 'a secret from code', secretFile: '/c', runtimeDir: '/c' };
    const settings = resolve({ ...options, ...more }, environment);
    expect(settings).to.deep.include({ ...options, ports: [5, 5], secretFile: '/c', runtimeDir: '/c' });
    expect(settings.secret?.()).to.equal('a secret from code');
  });

  it('treat an empty variable as not set', () => {
    const empty = {
      APP_NET_NAME: '',
      APP_NET_GROUP: '',
      APP_NET_HOST: '',
      APP_NET_PORT: '',
      APP_NET_PORT_RANGE: '',
      APP_NET_SECRET: '',
    };
    expect(resolve({}, empty)).to.deep.include({ group: 'main', host: '127.0.0.1', ports: [0, 0] });
    expect(resolve({}, empty).secret).to.equal(undefined);
  });

  it('treat undefined as not set', () => {
    const settings = resolve({ name: undefined, deadline: undefined, limits: undefined, port: undefined });
    expect(settings).to.deep.include({ deadline: 30_000, ports: [0, 0] });
  });

  it('keep the given clock', () => {
    const clock = new SimulatedClock();
    expect(resolve({ clock }).clock).to.equal(clock);
  });

  for (const [text, hub] of [
    ['1', true],
    ['true', true],
    ['TRUE', true],
    ['0', false],
    ['false', false],
    ['', false],
  ] as const) {
    it(`read APP_NET_IS_HUB=${text} as ${String(hub)}`, () => {
      expect(resolve({}, { APP_NET_IS_HUB: text }).hub).to.equal(hub);
    });
  }

  it('refuse an unknown name, and list the known ones', () => {
    expect(() => resolve({ gruop: 'x' } as PeerOptions)).to.throw(TypeError, /no option gruop; .*group/);
    expect(() => resolve(JSON.parse('{"__proto__":1}') as PeerOptions)).to.throw(TypeError, '__proto__');
    expect(() => resolve({ toString: 1 } as never)).to.throw(TypeError, 'toString');
  });

  it('refuse an unknown limit', () => {
    expect(() => resolve({ limits: { mesage: 65_536 } as never })).to.throw(TypeError, 'mesage');
  });

  for (const host of ['0.0.0.0', '::', '192.168.1.4', 'example.com', '127.0.0.1.example.com', '::1%eth0']) {
    it(`refuse to listen for strangers at ${host}`, () => {
      for (const make of [() => resolve({ host }), () => resolve({}, { APP_NET_HOST: host })]) {
        expect(make).to.throw(NetError, host).with.property('code', 'INSECURE');
      }
    });
  }

  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) {
    it(`listen at ${host}`, () => {
      expect(resolve({ host }).host).to.equal(host);
    });
  }

  const wrong: [option: string, options: unknown][] = [
    ['id', { id: '' }],
    ['id', { id: 'a b' }],
    ['id', { id: '../x' }],
    ['id', { id: 'x'.repeat(65) }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(257) }],
    ['name', { name: 5 }],
    ['group', { group: '' }],
    ['secret', { secret: 5 }],
    ['secret', { secret: '' }],
    ['secret', { secret: 12_345_678 }],
    ['deadline', { deadline: -1 }],
    ['deadline', { deadline: NaN }],
    ['deadline', { deadline: '5' }],
    ['drainTime', { drainTime: -1 }],
    ['limits.message', { limits: { message: 65_535 } }],
    ['limits.message', { limits: { message: Infinity } }],
    ['limits.calls', { limits: { calls: 0 } }],
    ['limits.queue', { limits: { queue: 1.5 } }],
    ['limits.subscriptions', { limits: { subscriptions: -1 } }],
    ['limits.events', { limits: { events: Infinity } }],
    ['slowSubscribers', { slowSubscribers: 'wait' }],
    ['port', { port: 65_536 }],
    ['port', { port: -1 }],
    ['port', { port: 1.5 }],
    ['portRange', { portRange: [5, 4] }],
    ['portRange', { portRange: [5] }],
    ['hub', { hub: 'false' }],
    ['origins', { origins: 'http://x' }],
    ['hostNames', { hostNames: 5 }],
    ['hostNames', { hostNames: [5] }],
    ['random', { random: 5 }],
    ['inspect', { inspect: {} }],
    ['clock', { clock: 5 }],
    ['clock', { clock: { now: () => 0 } }],
    ['slowSubscribers', { slowSubscribers: 'wait' }],
  ];
  for (const [option, options] of wrong) {
    it(`are refused by name: ${JSON.stringify(options).slice(0, 40)}`, () => {
      expect(() => resolve(options as PeerOptions)).to.throw(TypeError, new RegExp(`^${option}: `));
    });
  }

  for (const environment of [
    { APP_NET_PORT: 'http' },
    { APP_NET_PORT: '70000' },
    { APP_NET_PORT_RANGE: '9000' },
    { APP_NET_PORT_RANGE: '9000-' },
    { APP_NET_PORT_RANGE: '9001-9000' },
    { APP_NET_PORT_RANGE: '-9000' },
    { APP_NET_PORT_RANGE: '1-2-3' },
    { APP_NET_IS_HUB: 'yes' },
    { APP_NET_LAN: 'on' },
  ]) {
    const [[variable, text]] = Object.entries(environment) as [[string, string]];
    it(`are refused by the name of the variable: ${variable}=${text}`, () => {
      expect(() => resolve({}, environment)).to.throw(TypeError, new RegExp(`^${variable}: `));
    });
  }
});

describe('the ports of a peer', () => {
  it('are a range when one is given', () => {
    expect(resolve({ portRange: [4000, 4010] }).ports).to.deep.equal([4000, 4010]);
    expect(resolve({}, { APP_NET_PORT_RANGE: '4000-4010', APP_NET_PORT: '1' }).ports).to.deep.equal([
      4000, 4010,
    ]);
  });

  it('are not widened by the environment when the code gives one', () => {
    expect(resolve({ port: 4000 }, { APP_NET_PORT_RANGE: '1-2' }).ports).to.deep.equal([4000, 4000]);
    expect(resolve({ portRange: [4, 5], port: 9 }, { APP_NET_PORT: '1' }).ports).to.deep.equal([4, 5]);
  });
});

describe('the secret of a peer', () => {
  it('is not taken from the environment when the code gives a file', () => {
    const settings = resolve({ secretFile: '/c' }, { APP_NET_SECRET: 'in the environment' });
    expect([settings.secret, settings.secretFile]).to.deep.equal([undefined, '/c']);
  });

  it('does not show when the settings are written to a log', () => {
    const settings = resolve({ secret: 'correct horse battery' });
    expect(inspect(settings, { depth: null, showHidden: true })).not.to.include('correct horse battery');
    expect(JSON.stringify({ ...settings, clock: undefined })).not.to.include('correct horse battery');
  });
});

describe('a time limit', () => {
  it('may be 0, a fraction of a millisecond, or Infinity', () => {
    expect([0, 0.5, Infinity].map((each) => milliseconds('deadline', each, 1))).to.deep.equal([
      0,
      0.5,
      Infinity,
    ]);
    expect(milliseconds('deadline', undefined, 7)).to.equal(7);
  });

  it('refuse limits beyond what the engine can hold, and say how far they go', () => {
    const refused: [limits: Partial<PeerOptions['limits'] & object>, says: string][] = [
      [{ message: 2 ** 29 }, 'limits.message: give a whole number, from 65536 to 268435456'],
      [{ calls: 2 ** 24 }, 'limits.calls: give a whole number, from 1 to 10000000'],
      [{ streams: 2 ** 24 }, 'limits.streams: give a whole number, from 1 to 10000000'],
      [{ running: 2 ** 24 }, 'limits.running: give a whole number, from 1 to 10000000'],
      [{ queue: 2 ** 24 }, 'limits.queue: give a whole number, from 0 to 10000000'],
      [{ subscriptions: 2 ** 24 }, 'limits.subscriptions: give a whole number, from 0 to 10000000'],
      [{ buffered: 1 }, 'limits.buffered: give a whole number, from 65536 to 4294967296'],
      [{ events: 2 ** 40 }, 'limits.events: give a whole number, from 0 to 4294967296'],
    ];
    for (const [limits, says] of refused) expect(() => resolve({ limits })).to.throw(TypeError, says);
  });
});
