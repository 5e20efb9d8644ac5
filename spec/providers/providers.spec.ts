import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SimulatedClock } from 'xstate';

import { systemClock } from '../../src/base/time/clock.ts';
import { DnsProvider } from '../../src/providers/dns.ts';
import { HostProvider } from '../../src/providers/host/host.ts';
import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { MemoryBoard } from '../../src/providers/memory.ts';
import { NatsProvider } from '../../src/providers/nats/nats-provider.ts';
import { StaticProvider } from '../../src/providers/static.ts';
import type { Station } from '../../src/transport/nats/station.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { DnsServer } from '../support/dns-server.ts';
import { interfaceOf, elapse, Segment } from '../support/multicast.ts';
import { NatsServer, needNats, openStation } from '../support/nats-server.ts';
import { describeProvider } from './contract.ts';

describeProvider('host', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  return {
    make: () => new HostProvider({ directory, clock: systemClock, reaches: () => true }),
    close: () => rm(directory, { recursive: true, force: true }),
  };
});

describeProvider('LAN', () => {
  const clock = new SimulatedClock();
  const segment = new Segment(clock);
  let hosts = 0;
  return {
    make: () => {
      hosts += 1;
      const interfaces = { eth0: interfaceOf(`10.0.0.${hosts}/24`) };
      return new MdnsProvider({
        ...{ host: '::', clock, random: () => 0.5, interfaces: () => interfaces, open: segment.open },
      });
    },
    pass: () => elapse(clock, 500),
  };
});

describeProvider('memory', () => {
  const board = new MemoryBoard();
  return { make: () => board.provider() };
});

describeProvider(
  'static',
  () => ({
    make: () => new StaticProvider([{ host: '10.0.0.5', port: 4_000 }]),
    there: ['10.0.0.5:4000'],
  }),
  { announces: false },
);

describeProvider(
  'DNS',
  async () => {
    const server = await new DnsServer().start();
    server.a('workers.example', '10.0.0.5', '10.0.0.6');
    const seed = { kind: 'addresses', name: 'workers.example', port: 4_000 } as const;
    return {
      make: () => new DnsProvider([seed], systemClock, () => 0.5, server.names()),
      there: ['10.0.0.5:4000', '10.0.0.6:4000'],
      close: () => server.stop(),
    };
  },
  { announces: false },
);

describe('at a NATS server', () => {
  let server: NatsServer;

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
  });

  after(() => server?.stop());

  describeProvider('NATS', () => {
    const secret = makeSecret();
    const stations: Station[] = [];
    return {
      make: async ({ id, incarnation }) => {
        const station = await openStation({ servers: server.url }, secret, id, incarnation);
        stations.push(station);
        return new NatsProvider(station);
      },
      close: () => Promise.all(stations.map((station) => station.close())),
    };
  });
});
