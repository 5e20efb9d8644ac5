import type { PeerOptions } from '../../index.ts';
import { resolveOptions } from '../../peer/options/options.ts';
import { doesWithout } from '../../providers/host/host-network.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';
import type { Context } from '../context.ts';
import {
  checkClock,
  checkLoopback,
  checkOptions,
  checkPorts,
  checkRuntimeDirectory,
  checkSecret,
  checkVersions,
} from './host.ts';
import { unknownVariables } from './variables.ts';
import { checkElsewhere } from './elsewhere.ts';
import { checkMulticast } from './multicast.ts';
import { checkNats } from './nats.ts';
import { announcements, checkAnnouncements, checkPeers, checkUnreached } from './peers.ts';
import type { Announced } from './peers.ts';
import { report } from './report.ts';
import type { Result } from './report.ts';
import { EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { meant, search, sorted, withPeer } from '../observer.ts';
import { count } from '../terminal/units.ts';
import { messageOf } from '../../base/text.ts';

/** How long the search for peers may take, in ms. Peers of other hosts take longer than other commands wait. */
const PATIENCE = 3_000;

/** `app-net doctor`: reports what is wrong, in words, and what to do about it. */
export async function doctor({ out, signal, environment }: Context): Promise<ExitCode> {
  let problems = 0;
  const tell = (...results: Result[]): void => {
    for (const result of results) {
      if (result.status === 'problem') problems += 1;
      report(out, result);
    }
  };

  tell(checkVersions());
  const options = checkOptions(environment);
  tell(options.result, ...unknownVariables(environment));
  // One wrong option must not prevent the check of the others.
  const settings = options.settings ?? resolveOptions({}, {});
  if (settings.nats) {
    const secret = await checkSecret(settings, undefined);
    tell(secret.result);
    const results = secret.keys ? await checkNats(settings.nats(), secret.keys) : [];
    tell(...results, checkClock());
    signal.throwIfAborted();
    if (secret.keys && results.every(({ status }) => status !== 'problem'))
      tell(...(await checkOthers(undefined, secret.keys, settings.group, { signal, environment })));
  } else {
    const runtime = await checkRuntimeDirectory(environment, doesWithout(settings));
    tell(...runtime.results);
    const secret = await checkSecret(settings, runtime.isUsable ? runtime.directory : undefined);
    tell(secret.result);
    const announced = runtime.isUsable ? await announcements(runtime.directory) : [];
    tell(await checkPorts(settings, (port) => ownerOf(announced, port)));
    tell(await checkLoopback());
    tell(...(await checkMulticast(settings.lan)));
    tell(checkClock());
    signal.throwIfAborted();
    if (options.settings && (runtime.isUsable || doesWithout(settings)) && secret.keys) {
      const { directory } = runtime;
      const place = { announced, directory };
      tell(...(await checkOthers(place, secret.keys, settings.group, { signal, environment })));
    }
  }
  const says = problems === 0 ? 'nothing is wrong' : count(problems, 'problem');
  if (out.json) report(out, { status: problems === 0 ? 'ok' : 'problem', check: 'summary', says });
  else out.line(problems === 0 ? out.colors.green(says) : out.colors.red(says));
  return problems === 0 ? EXIT.DONE : EXIT.FAILED;
}

interface Place {
  announced: readonly Announced[];
  directory: string;
}

/** @param place where peers of this host are announced; undefined if they are not, because the network is NATS */
async function checkOthers(
  place: Place | undefined,
  keys: SecretKeys,
  group: string,
  { signal, environment }: Pick<Context, 'signal' | 'environment'>,
): Promise<Result[]> {
  const strangers = place ? checkAnnouncements(place.announced, keys) : [];
  try {
    return await withPeer(
      'doctor',
      async (own) => {
        await search(own, undefined, signal, PATIENCE);
        const unreached = await checkUnreached(own, place?.announced ?? [], keys, signal);
        // Look again: some peers of other hosts join while the missing ones are examined.
        const found = own.peers.of(meant(undefined)).list();
        const ids = new Set(found.map(({ id }) => id));
        const elsewhere = place ? await checkElsewhere(place.directory, environment, ids) : [];
        const peers = await checkPeers(sorted(found), group, signal);
        return [...peers, ...strangers, ...unreached, ...elsewhere];
      },
      ownLog(environment),
    );
  } catch (error) {
    signal.throwIfAborted();
    return [...strangers, { status: 'problem', check: 'start', says: messageOf(error) }];
  }
}

/**
 * The results say what the peer of this command would warn of: that others have another secret, and to run the doctor. Who asks for a log
 * gets it.
 */
function ownLog({ APP_NET_LOG: level }: NodeJS.ProcessEnv): PeerOptions {
  if (level && level.toLowerCase() !== 'silent') return {};
  const ignore = (): void => {};
  return { logger: { debug: ignore, info: ignore, warn: ignore, error: ignore }, logLevel: 'warn' };
}

function ownerOf(announced: readonly Announced[], port: number): string | undefined {
  const owner = announced.find(({ peer }) => peer?.addresses.some((address) => address.port === port));
  return owner?.peer && `the peer in process ${owner.peer.pid}`;
}
