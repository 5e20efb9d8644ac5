import { fromCallback } from 'xstate';

import type { Ending } from './ending.ts';
import { seedProviders } from '../providers/seed-providers.ts';
import type { Network } from '../providers/network.ts';
import { NATS } from '../providers/provider.ts';
import { isAtBroker } from '../transport/address.ts';
import type { Settings } from './options/options.ts';
import { isWithinHost } from '../transport/within-host.ts';
import type { Address } from '../transport/address.ts';
import type { Listener, Socket } from '../transport/transport.ts';
import type { Self } from '../wire/handshake/handshake.ts';
import { deriveKeys } from '../wire/handshake/secret.ts';
import type { SecretKeys } from '../wire/handshake/secret.ts';
import { inTime } from '../providers/host/in-time.ts';
import type { Hosting } from './guests/hosting.ts';
import { acceptHandshake } from '../connection/dial/handshaking.ts';
import { sayGoodbye } from '../connection/goodbye.ts';
import type { Session } from '../connection/link/session.ts';
import type { PeerMessage } from './messages.ts';
import { refuseNamesake, takenAmong } from '../presence/namesake.ts';

/** How long the file system may take to read the secret, in ms. */
const ANSWER_TIME = 10_000;

export interface ListenerInput {
  settings: Settings;
  self: Self;
  network: Network;
  ending: Ending;
  hosting: Hosting;
  /** From 0 to 1. */
  random: () => number;
  /** Whether there are so many peers that another one is turned away. */
  isFull: (id: string, isGuest: boolean) => boolean;
}

/**
 * Opens the peer to others: attaches it to its network, listens, and lets in peers that prove themselves. A stranger is
 * not an actor. Until its proof it costs a socket and a timer, nothing more.
 */
export const listenerLogic = fromCallback<{ type: 'never' }, ListenerInput>(({ input, system, sendBack }) => {
  const { settings, self, network, ending, hosting, random, isFull } = input;
  const { clock, limits, host, hostNames, ports, origins, seeds } = settings;
  const handshakes = new Set<() => void>();
  const report = sendBack as (message: PeerMessage) => void;
  let listener: Listener | undefined;
  let stopped = false;
  const giveUp = new AbortController();
  let derived: Promise<SecretKeys> | undefined;
  let closeNetwork = (): Promise<void> | undefined => undefined;
  /** Sessions of others that were faster than this peer: it listens, and does not take part yet. */
  let early: Session[] | undefined = [];

  const keysOf = (shared: () => Promise<string>): Promise<SecretKeys> =>
    (derived ??= chooseKeys(settings, shared));
  const close = (opened: Listener | undefined): void => {
    ending.add(hosting.doors.close());
    if (!opened) return;
    ending.add(opened.close());
    if (opened.ended) ending.add(opened.ended);
  };
  const open = async (): Promise<void> => {
    if (settings.insecure) warnOfInsecurity();
    const { id, incarnation } = self;
    const isGuest = settings.pass !== undefined;
    const { signal } = giveUp;
    const user = { id, incarnation, clock, random, keys: keysOf, isGuest, signal };
    const attached = await network.attach(user);
    closeNetwork = () => attached.close?.();
    if (stopped) {
      ending.add(Promise.resolve(closeNetwork()));
      return;
    }
    // Without `lan` a peer never dials beyond its host, no matter who says that peers are there.
    const hasBroker = attached.providers.some(({ name }) => name === NATS);
    const isDirect = attached.reaches === undefined;
    const reachable = (address: Address): boolean =>
      isAtBroker(address) ? hasBroker : isDirect && (settings.lan || isWithinHost(address));
    const seeders = seedProviders(seeds, clock, random);
    const providers = [...attached.providers, ...seeders];
    const attachment = { ...attached, providers, reachable };
    const keys = await keysOf(() => attached.secret());
    if (stopped) return;
    const dependencies = { self, keys, pass: settings.pass?.shown, clock };
    await refuseNamesake(attachment, dependencies, settings.ping);
    if (stopped) return;
    const admission = { isTaken: takenAmong(system, clock), isFull };
    const accept = (socket: Socket, onlyGuests = false): void => {
      const stop = acceptHandshake(
        socket,
        dependencies,
        {
          done: (session) => {
            handshakes.delete(stop);
            if (early) early.push(session);
            else report({ type: 'session.arrived', session });
          },
          failed: (error) => {
            handshakes.delete(stop);
            settings.log.strangerRefused(error);
          },
        },
        { ...admission, guests: hosting.guests.admission(keys, socket.origin), onlyGuests },
      );
      handshakes.add(stop);
    };
    const options = { host, hostNames, ports, origins, largestMessage: limits.message };
    listener = settings.announce
      ? await attachment.transport.listen(options, (socket) => accept(socket))
      : NOWHERE;
    if (!stopped) await hosting.open(keys, (socket) => accept(socket, true));
    if (stopped) {
      close(listener);
      return;
    }
    report({ type: 'peer.opened', opened: { attachment, keys, listener } });
    const sessions = early ?? [];
    early = undefined;
    for (const session of sessions) report({ type: 'session.arrived', session });
  };

  ending.add(open().catch((error: unknown) => report({ type: 'peer.failed', error })));

  return () => {
    stopped = true;
    giveUp.abort(new Error('the peer is stopped'));
    for (const stop of handshakes) stop();
    for (const { socket } of early ?? []) sayGoodbye(socket);
    close(listener);
    ending.add(Promise.resolve(closeNetwork()));
  };
});

function warnOfInsecurity(): void {
  const text =
    'lan: true with insecure: true: everybody on the network can call the functions of this peer, and any program ' +
    'can pretend to be a peer';
  process.emitWarning(text, 'AppNetWarning');
}

/** The listener of a peer that is not announced: it has no address. */
const NOWHERE: Listener = { addresses: [], close: () => Promise.resolve() };

/** The keys of the pass, or else of the secret. */
async function chooseKeys(settings: Settings, shared: () => Promise<string>): Promise<SecretKeys> {
  return settings.pass?.keys() ?? deriveKeys(await chooseSecret(settings, shared));
}

/** The secret from code or environment; else that of the file; else the one that the peers of this network share. */
async function chooseSecret(
  { secret, secretFile }: Settings,
  shared: () => Promise<string>,
): Promise<string> {
  if (secret) return secret();
  if (secretFile === undefined) return shared();
  const { readSecretFile } = await import('../providers/host/runtime-directory.ts');
  return inTime(ANSWER_TIME, `the file system of the secret file ${secretFile}`, readSecretFile(secretFile));
}
