import { NetError } from '../../base/errors.ts';
import { openBus } from '../../transport/nats/bus.ts';
import { checkNatsOptions } from '../../transport/nats/nats-options.ts';
import type { NatsOptions } from '../../transport/nats/nats-options.ts';
import { NatsTransport } from '../../transport/nats/nats-transport.ts';
import { Station } from '../../transport/nats/station.ts';
import { isAtBroker } from '../../transport/address.ts';
import { Subjects } from '../../transport/nats/subjects.ts';
import type { Network } from '../network.ts';
import { NatsProvider } from './nats-provider.ts';

/**
 * Peers that reach each other through NATS: over many LANs, past NAT, in a cloud without multicast. All peers need a connection
 * to the same servers, and the same made secret (`npx app-net secret`). The servers carry sealed messages. They can delay and
 * drop them, but not read, change, repeat or make any. Needs the package `@nats-io/transport-node`, and NATS 2.9 or newer.
 *
 * @throws TypeError that names a wrong option. A peer that cannot connect, or has no made secret, fails to start.
 *
 * @example
 * const peer = createPeer({
 *   secretFile: 'net.secret',
 *   network: natsNetwork({ servers: 'tls://nats.example:4222', credsFile: 'app.creds' }),
 * });
 */
export function natsNetwork(options: NatsOptions): Network {
  const source = checkNatsOptions(options);
  return {
    attach: async ({ id, incarnation, random, keys, hasAnother, isGuest, signal }) => {
      if (isGuest) throw guestAtNats();
      const secret = (): Promise<never> => Promise.reject(noSecret('there is none'));
      const { relay, world } = await keys(secret);
      if (!relay) throw noSecret('a passphrase is none');
      const bus = await openBus(source, random, { isPatient: hasAnother, signal });
      const station = new Station(bus, new Subjects(world), { id, incarnation }, () => relay);
      return {
        transport: new NatsTransport(station),
        providers: [new NatsProvider(station)],
        secret,
        reaches: isAtBroker,
        close: () => station.close(),
      };
    },
  };
}

function guestAtNats(): TypeError {
  return new TypeError(
    'pass: a guest cannot be at NATS, where only peers with the secret can find each other. Leave natsNetwork (or APP_NET_NATS) ' +
      'out, and connect the guest directly: on its host, with lan: true, or with seeds',
  );
}

function noSecret(why: string): NetError {
  return new NetError(
    'INSECURE',
    `peers at NATS need a made secret (net1_…), and ${why}: a broker could try passphrases for as long as it likes. Make one ` +
      'with npx app-net secret --file net.secret, copy the file to every host, and give it as secretFile or APP_NET_SECRET_FILE',
  );
}
