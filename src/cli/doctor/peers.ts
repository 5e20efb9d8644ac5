import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { addressesOf } from '../../presence/candidates/candidate.ts';
import type { Candidate } from '../../presence/candidates/candidate.ts';
import { readAnnouncement, SUFFIX } from '../../providers/host/announcement-file.ts';
import type { FoundAnnouncement } from '../../providers/host/announcement-file.ts';
import { HOST, NATS } from '../../providers/provider.ts';
import type { Peer, RemotePeer } from '../../index.ts';
import { addressText } from '../../transport/address.ts';
import { libraryVersion } from '../../base/version.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';
import type { Result } from './report.ts';
import { isAnswer } from '../terminal/failures.ts';
import { safe } from '../terminal/text.ts';
import { where } from '../commands/peer-rows.ts';
import { readInfo } from '../commands/told-info.ts';
import type { DroppedHints } from '../../providers/provider.ts';
import { probe } from './probe.ts';
import type { Verdict } from './probe.ts';
import { count, duration } from '../terminal/units.ts';
import { messageOf } from '../../base/text.ts';

/** The checks of `doctor` that are about other peers: which are present, and why an expected one is missing. */

/** How far clocks may differ before it is reported, in ms. */
const CLOCK_DIFFERENCE = 5_000;

/** How long a peer may take to answer, in ms. */
const ANSWER_TIME = 2_000;

/** How many groups are named. */
const MOST_GROUPS = 10;

export interface Announced {
  file: string;
  /** Undefined when the file holds no announcement of this version. */
  peer: FoundAnnouncement | undefined;
}

/** The announcements of the peers of this host. */
export async function announcements(directory: string): Promise<Announced[]> {
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => name.endsWith(SUFFIX)).map((name) => join(directory, name));
  return Promise.all(files.map(async (file) => ({ file, peer: await readAnnouncement(file) })));
}

/** Peers of this host that this one ignores. */
export function checkAnnouncements(all: readonly Announced[], keys: SecretKeys): Result[] {
  return all.flatMap(({ file, peer }): Result[] => {
    if (!peer) {
      const says = `this version cannot read the announcement ${file}`;
      return [{ status: 'problem', check: 'another version', says, todo: SAME_VERSION }];
    }
    if (!isApart(peer, keys)) return [];
    if (peer.pid !== undefined && !isRunning(peer.pid)) {
      const left = `${file} belongs to process ${peer.pid}, which no longer runs and had another secret`;
      return [{ status: 'note', check: 'old announcement', says: left, todo: 'remove the file' }];
    }
    const says = `process ${peer.pid} on this host has another secret, so the two do not see each other`;
    return [{ status: 'problem', check: 'wrong secret', says, todo: SAME_SECRET }];
  });
}

function isApart({ world }: FoundAnnouncement, keys: SecretKeys): boolean {
  return world !== undefined && world !== keys.world;
}

const SAME_SECRET =
  'give both the same APP_NET_SECRET_FILE (app-net secret makes one), or neither; ignore this if you want them apart';
const SAME_VERSION = 'install the same version of app-net on both sides';

/** Reports which peers are present, in which group, with which version and clock. */
export async function checkPeers(
  found: readonly RemotePeer[],
  ownGroup: string,
  signal: AbortSignal,
): Promise<Result[]> {
  if (found.length === 0) {
    const says = 'no peer was found';
    return [{ status: 'note', check: 'peers', says, todo: 'start one with app-net serve <module>' }];
  }
  // A peer is linked when it is asked, and tells only then which way it is reached.
  const asked = await Promise.all(found.map((peer) => checkPeer(peer, signal)));
  const inGroup = found.filter(({ group }) => group === ownGroup);
  const others = [...new Set(found.filter(({ group }) => group !== ownGroup).map(({ group }) => group))];
  const results: Result[] = [];
  const named = others.slice(0, MOST_GROUPS).map((group) => JSON.stringify(safe(group, 60)));
  const elsewhere = named.join(', ') + (others.length > MOST_GROUPS ? ', …' : '');
  if (inGroup.length === 0) {
    results.push({
      status: 'problem',
      check: 'wrong group',
      says: `there ${found.length === 1 ? 'is' : 'are'} ${count(found.length, 'peer')}, but none in the group ${JSON.stringify(safe(ownGroup, 60))}; found in ${elsewhere}`,
      todo: 'a program sees only its own group: set APP_NET_GROUP for it, or select { group: "*" } in its code',
    });
  } else {
    const rest = others.length > 0 ? `; others in ${elsewhere}` : '';
    const byNats = inGroup.filter(({ network }) => network === 'nats').length;
    const remote = inGroup.filter(({ scope, network }) => scope !== 'host' && network !== 'nats').length;
    const far =
      (byNats > 0 ? `, ${byNats} of them by NATS` : '') +
      (remote > 0 ? `, ${remote} of them on other hosts` : '');
    const says = `${count(inGroup.length, 'peer')} in the group ${JSON.stringify(safe(ownGroup, 60))}${far}${rest}`;
    results.push({ status: 'ok', check: 'peers', says });
  }
  return [...results, ...asked.flat()];
}

async function checkPeer(peer: RemotePeer, signal: AbortSignal): Promise<Result[]> {
  const who = `${safe(peer.name, 40)} (${where(peer)})`;
  const results: Result[] = [];
  try {
    const asked = Date.now();
    const info = readInfo(await peer.info({ deadline: ANSWER_TIME, signal }));
    // Its answer shows its clock about halfway between question and answer.
    const here = (asked + Date.now()) / 2;
    const difference = (info.time ?? here) - here;
    if (Math.abs(difference) > CLOCK_DIFFERENCE) {
      const says = `the clock of ${who} is ${duration(Math.abs(difference))} ${difference > 0 ? 'ahead' : 'behind'}`;
      results.push({ status: 'note', check: 'clock', says, todo: 'set the clocks of both hosts with NTP' });
    }
    const version = info.versions['app-net'];
    if (version !== libraryVersion()) {
      const says = `${who} runs app-net ${version === null ? 'of an unknown version' : safe(version, 40)}; the two work together`;
      results.push({ status: 'note', check: 'versions', says });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isAnswer(error)) {
      const says = `${who} answers, and does not tell about itself: ${safe(messageOf(error), 300)}`;
      return [{ status: 'note', check: 'reserved peer', says }];
    }
    const says = `${who} is connected but does not answer: ${messageOf(error)}`;
    results.push({
      status: 'problem',
      check: 'hanging peer',
      says,
      todo: 'its event loop is blocked, or its process is stopped; look at that process',
    });
  }
  return results;
}

/** How many hints with a wrong tag are examined. */
const MOST_DROPPED = 16;

/**
 * Reports why peers with a hint have not joined.
 * @param announced on this host; those with another secret are reported already
 */
export async function checkUnreached(
  own: Peer,
  announced: readonly Announced[],
  keys: SecretKeys,
  signal: AbortSignal,
): Promise<Result[]> {
  const { candidates, degraded, dropped } = own.actor.system.get('discovery').getSnapshot().context as {
    candidates: ReadonlyMap<string, Candidate>;
    degraded: Readonly<Record<string, unknown>>;
    dropped: DroppedHints;
  };
  // The runtime directory and multicast DNS have checks of their own.
  const others = Object.entries(degraded).filter(([provider]) => provider !== 'mdns' && provider !== HOST);
  const limited = others.map(([provider, error]): Result => ({
    status: 'problem',
    check: `provider ${provider}`,
    says: messageOf(error),
  }));
  const present = new Set(
    own.peers
      .of({ group: '*' })
      .list()
      .map(({ id }) => id),
  );
  const apart = [...candidates.values()].filter(
    // Most peers at NATS are present because others tell of them, and are not linked.
    ({ id, state, record, hints }) => !record && state !== 'left' && !(hints.has(NATS) && present.has(id)),
  );
  const reasons = await Promise.all(apart.map((candidate) => whyApart(candidate, keys, signal)));
  const isKnown = (id: string): boolean =>
    announced.some(({ peer }) => peer?.id === id && isApart(peer, keys));
  const untold = new Map([...dropped].filter(([id]) => !isKnown(id)));
  return [...limited, ...reasons.flat(), ...(await checkDropped(untold, keys, signal))];
}

/** Only `doctor` dials hints with a wrong tag. A peer with another secret is reported; a hint that is a lie is not. */
async function checkDropped(dropped: DroppedHints, keys: SecretKeys, signal: AbortSignal): Promise<Result[]> {
  const findings = await Promise.all(
    [...dropped].slice(0, MOST_DROPPED).map(async ([id, { address }]) => {
      const { verdict, detail } = await probe(address, id, keys, signal);
      return verdict === 'another secret'
        ? [describe(verdict, `the peer ${id} at ${addressText(address)}`, detail, undefined)]
        : [];
    }),
  );
  return findings.flat();
}

async function whyApart(candidate: Candidate, keys: SecretKeys, signal: AbortSignal): Promise<Result[]> {
  const hints = [...candidate.hints.values()];
  // Only a peer at NATS can reach an address there, and this one has tried.
  if (candidate.hints.has(NATS)) {
    const says = `the peer ${candidate.id} is announced at NATS and cannot be reached: ${messageOf(candidate.error ?? 'no answer yet')}`;
    return [{ status: 'note', check: 'no peer', says }];
  }
  const id = hints.find((hint) => hint.id !== '')?.id ?? '';
  const pid = hints.find((hint) => hint.pid !== undefined)?.pid;
  const who = pid === undefined ? (id ? `the peer ${id}` : 'the process') : `process ${pid}`;
  const findings = await Promise.all(
    addressesOf(candidate).map(async (address) => {
      const { verdict, detail } = await probe(address, id, keys, signal);
      return { address, verdict, detail };
    }),
  );
  // The peer can be reached: the search only ended before it was.
  if (findings.some(({ verdict }) => verdict === 'peer')) return [];
  const verdicts = [...new Set(findings.map(({ verdict }) => verdict))];
  return verdicts.map((verdict) => {
    const alike = findings.filter((each) => each.verdict === verdict);
    const places = alike.map(({ address }) => addressText(address)).join(' and ');
    return describe(verdict, `${who} at ${places}`, alike[0]!.detail, pid);
  });
}

function describe(verdict: Verdict, who: string, detail: string, pid: number | undefined): Result {
  switch (verdict) {
    case 'another secret':
      return {
        status: 'problem',
        check: 'wrong secret',
        says: `${who} has another secret`,
        todo: SAME_SECRET,
      };
    case 'another version':
      return {
        status: 'problem',
        check: 'another version',
        says: `${who} speaks another version of the protocol, or is not a peer: ${detail}`,
        todo: SAME_VERSION,
      };
    case 'another peer':
      if (pid !== undefined && !isRunning(pid)) {
        const says = `${who} is gone, and another peer listens there`;
        return { status: 'note', check: 'old announcement', says };
      }
      return {
        status: 'problem',
        check: 'wrong peer',
        says: `${who} did not answer, another peer did: ${detail}`,
        todo: 'give each process its own port; behind a forwarded or balanced port there may be only one peer',
      };
    case 'no peer':
      return {
        status: 'problem',
        check: 'no peer',
        says: `${who} is not a peer: ${detail}`,
        todo: 'check APP_NET_PEERS',
      };
    case 'silent':
      return {
        status: 'problem',
        check: 'hanging peer',
        says: `${who} accepts connections but does not answer`,
        todo: 'its event loop is blocked, or its process is stopped (SIGSTOP); look at that process',
      };
    case 'refused':
      if (pid !== undefined && !isRunning(pid)) {
        const says = `${who} no longer runs; its announcement will be removed`;
        return { status: 'note', check: 'old announcement', says };
      }
      return {
        status: 'problem',
        check: 'blocked port',
        says: `${who} refused the connection: nothing listens there, or a firewall refuses it`,
        todo: 'if the peer is in another container or network namespace, put its address into APP_NET_PEERS, or open the port',
      };
    default:
      return {
        status: 'problem',
        check: 'blocked port',
        says: `${who} cannot be reached: ${detail}`,
        todo: 'allow that port in the firewall; APP_NET_PORT or APP_NET_PORT_RANGE choose a fixed one',
      };
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
