import { hostname } from 'node:os';
import { basename } from 'node:path';

import { nanoid } from 'nanoid';
import type { InspectionEvent } from 'xstate';

import { checkClock, systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { resolveExposure } from './exposure.ts';
import type { Exposure } from './exposure.ts';
import { limits } from './limit-options.ts';
import type { PeerLimits } from './limit-options.ts';
import {
  boolean,
  callable,
  directory,
  milliseconds,
  oneOf,
  portRange,
  refuseUnknown,
  LONGEST_NAME,
  ownGroup,
  flag,
  strings,
  text,
} from '../base/option-checks.ts';
import { LOG_LEVELS, createLog } from '../base/log.ts';
import type { SlowSubscribers } from '../events/topics.ts';
import type { Log, LogLevel, Logger } from '../base/log.ts';
import { chosenSeeds } from '../providers/seed.ts';
import type { Seed } from '../providers/seed.ts';
import type { Network } from '../providers/network.ts';
import type { TlsOptions } from '../transport/tls.ts';
import { isPeerId } from '../wire/guards.ts';

/**
 * Every option, with its unit, its default and its environment variable; nowhere else. An option given in code
 * wins over the environment.
 */
export interface PeerOptions {
  /** What people call this peer. At most 256 characters. Default: `APP_NET_NAME`, else `<script>:<pid>`. */
  name?: string | undefined;
  /** The group it belongs to: the default scope of everything. Default: `APP_NET_GROUP`, else `main`. */
  group?: string | undefined;
  /** A label for the peers that others look for first. Default: `APP_NET_IS_HUB` (`1` or `true`), else false. */
  hub?: boolean | undefined;
  /**
   * Whether others may find this peer. One that they may not listens nowhere and finds them: it is in their sets only
   * while it is connected, and its own first search is over as soon as everybody was tried. Default: true.
   */
  announce?: boolean | undefined;
  /** Identity, 1 to 64 characters of `A-Za-z0-9_-`. Only one live peer may have it. Default: a new nanoid. */
  id?: string | undefined;
  /**
   * Opens this peer to other hosts: it listens on every interface, encrypts, and needs a `secret` or `secretFile`.
   * Default: `APP_NET_LAN` (`1` or `true`), else false.
   */
  lan?: boolean | undefined;
  /**
   * Together with `lan`, and instead of a secret: everybody on the network can call everything here. What is said is
   * encrypted, but nobody knows to whom. Default: false; there is no environment variable on purpose.
   */
  insecure?: boolean | undefined;
  /** Key and certificate (PEM) for connections beyond this host. Default: made at each start, for this process only. */
  tls?: TlsOptions | undefined;
  /** Names by which web pages and clients of other make reach this peer, as in their `Host` header. Default: none. */
  hostNames?: readonly string[] | undefined;
  /**
   * IP address to listen on. Default: `APP_NET_HOST`, else `127.0.0.1`, and with `lan` every interface. Without `lan` it must
   * be a loopback address; with it, it cannot be one, and peers of the same host come there encrypted, too.
   */
  host?: string | undefined;
  /** TCP port to listen on. Default: `APP_NET_PORT`, else 0: the system chooses. */
  port?: number | undefined;
  /** First and last port to try. Default: `APP_NET_PORT_RANGE` (`first-last`), else `port` alone. */
  portRange?: readonly [number, number] | undefined;
  /**
   * What the peers share to know each other: `net1_…`, or a passphrase of at least 15 characters. Default:
   * `APP_NET_SECRET`, else the content of `secretFile`, else, without `lan`, a secret made once for this user on this host.
   */
  secret?: string | undefined;
  /** A file that holds the secret, readable by its owner only. Default: `APP_NET_SECRET_FILE`. */
  secretFile?: string | undefined;
  /**
   * Where to begin to look for peers that no provider finds by itself. `host:port`: a peer there, a name being looked up
   * at every dial; `dns:name:port`: one at each address of the name; `srv:name`: one wherever a SRV record points.
   * Without `lan` loopback addresses only.
   * Default: `APP_NET_PEERS`, separated by commas, else none.
   */
  seeds?: readonly string[] | undefined;
  /**
   * The folder where the peers of one host find each other. Default: `APP_NET_RUNTIME_DIR`, else
   * `$XDG_RUNTIME_DIR/app-net`, else `<tmpdir>/app-net-<uid>`.
   */
  runtimeDir?: string | undefined;
  /** How long a call may take before it fails, in ms, dialling included. Default: 30 000. */
  deadline?: number | undefined;
  /** How long `stop()` waits for calls that are running, in ms. Default: 10 000. */
  drainTime?: number | undefined;
  /**
   * Silence after which a peer is asked for a sign of life, in ms, and how long the fresh dial may take that decides
   * about one that stays silent. At least 20. Default: 2 000.
   */
  ping?: number | undefined;
  /**
   * Silence after which a peer is suspect, in ms: one fresh dial decides, and the peer leaves after at most
   * `suspect` + 1.5 × `ping` in all. At least 2 × `ping`. Default: 3 × `ping`, 6 000.
   */
  suspect?: number | undefined;
  /** Whether errors that functions throw are sent with their stack. Default: true. */
  stacks?: boolean | undefined;
  /**
   * For tests: plain calls of connected functions, which run here, carry arguments, results and errors as a call to
   * another process does, and fail where that would. `connect` then returns a function around the one it was given.
   * Default: `APP_NET_PARITY` (`1` or `true`), else false.
   */
  parity?: boolean | undefined;
  /** Web origins that may connect, such as `https://example.com`. Default: none. */
  origins?: readonly string[] | undefined;
  /**
   * What happens to a subscriber that would need more than `limits.events` to wait for it. `drop`: the oldest events
   * are not sent to it. `disconnect`: its connection is ended, and it connects again. Either way it is told of the gap.
   * Default: `drop`.
   */
  slowSubscribers?: SlowSubscribers | undefined;
  /** What this peer accepts from each other peer. */
  limits?: Partial<PeerLimits> | undefined;
  /** Given to XState: sees every event and snapshot of every actor of this peer. Default: nothing. */
  inspect?: ((event: InspectionEvent) => void) | undefined;
  /**
   * Where a line goes for each change of state: `console`, a pino logger, or anything with `debug`, `info`, `warn` and
   * `error`. Default: stderr.
   */
  logger?: Logger | undefined;
  /**
   * The least that is written: `debug`, `info`, `warn`, `error`, or `silent` for nothing. Default: `APP_NET_LOG`, else `info`
   * when a logger is given, else `silent`.
   */
  logLevel?: LogLevel | undefined;
  /** Where time comes from; XState's `SimulatedClock` fits. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
  /**
   * Where randomness comes from, for choices and delays: a number from 0 up to, not including, 1. With one that
   * repeats itself, and a `clock`, a run can be repeated. Default: `Math.random`.
   */
  random?: (() => number) | undefined;
  /** What the peer is connected to. Default: this host, over loopback. `app-net/testing` has one in memory. */
  network?: Network | undefined;
}

/** The options with every default filled in. */
export interface Settings extends Exposure {
  id: string;
  incarnation: string;
  name: string;
  group: string;
  hub: boolean;
  announce: boolean;
  hostname: string;
  ports: readonly [number, number];
  hostNames: readonly string[];
  seeds: readonly Seed[];
  runtimeDir: string | undefined;
  deadline: number;
  drainTime: number;
  ping: number;
  suspect: number;
  stacks: boolean;
  parity: boolean;
  origins: readonly string[];
  slowSubscribers: SlowSubscribers;
  limits: PeerLimits;
  log: Log;
  inspect: ((event: InspectionEvent) => void) | undefined;
  clock: Clock;
  random: () => number;
  network: Network | undefined;
}

/**
 * Fills in the defaults and refuses what cannot be meant.
 * @throws TypeError naming the option; NetError INSECURE for what would open the peer to strangers
 */
export function resolveOptions(options: PeerOptions, environment: NodeJS.ProcessEnv): Settings {
  refuseUnknown('option', options, KNOWN);
  const env = (name: string): string | undefined => environment[name] || undefined;
  const id = options.id ?? nanoid();
  if (!isPeerId(id)) throw new TypeError('id: give 1 to 64 characters of A-Z a-z 0-9 _ -');
  const name = text('name', options.name ?? env('APP_NET_NAME'), defaultName());
  const lan = boolean('lan', options.lan ?? flag('APP_NET_LAN', env('APP_NET_LAN')), false);
  return {
    id,
    incarnation: nanoid(),
    name,
    group: ownGroup(text('group', options.group ?? env('APP_NET_GROUP'), 'main')),
    hub: boolean('hub', options.hub ?? flag('APP_NET_IS_HUB', env('APP_NET_IS_HUB')), false),
    announce: boolean('announce', options.announce, true),
    hostname: hostname().slice(0, LONGEST_NAME),
    ...resolveExposure(options, lan, env),
    hostNames: strings('hostNames', options.hostNames, 'peer.example'),
    ports: ports(options, env),
    seeds: chosenSeeds(options.seeds, env('APP_NET_PEERS'), lan),
    runtimeDir: directory('runtimeDir', options.runtimeDir ?? env('APP_NET_RUNTIME_DIR')),
    deadline: milliseconds('deadline', options.deadline, 30_000),
    drainTime: milliseconds('drainTime', options.drainTime, 10_000),
    ...silence(options),
    stacks: boolean('stacks', options.stacks, true),
    parity: boolean('parity', options.parity ?? flag('APP_NET_PARITY', env('APP_NET_PARITY')), false),
    origins: strings('origins', options.origins, 'https://example.com'),
    slowSubscribers: oneOf('slowSubscribers', options.slowSubscribers, 'drop', ['drop', 'disconnect']),
    limits: limits(options.limits),
    log: log(options, env('APP_NET_LOG'), name),
    inspect: callable('inspect', options.inspect),
    clock: checkClock(options.clock ?? systemClock),
    random: callable('random', options.random ?? Math.random),
    network: options.network,
  };
}

// Exhaustive by its type: a new option that is missing here does not compile.
const KNOWN: Record<keyof PeerOptions, true> = {
  name: true,
  group: true,
  hub: true,
  announce: true,
  id: true,
  lan: true,
  insecure: true,
  tls: true,
  hostNames: true,
  host: true,
  port: true,
  portRange: true,
  secret: true,
  secretFile: true,
  seeds: true,
  runtimeDir: true,
  deadline: true,
  drainTime: true,
  ping: true,
  suspect: true,
  stacks: true,
  parity: true,
  origins: true,
  slowSubscribers: true,
  limits: true,
  logger: true,
  logLevel: true,
  inspect: true,
  clock: true,
  random: true,
  network: true,
};

function defaultName(): string {
  const script = process.argv[1];
  return `${script ? basename(script) : 'node'}:${process.pid}`.slice(-LONGEST_NAME);
}

function log({ logger, logLevel }: PeerOptions, environment: string | undefined, name: string): Log {
  const methods = ['debug', 'info', 'warn', 'error'] as const;
  if (logger !== undefined && !methods.every((method) => typeof logger?.[method] === 'function')) {
    throw new TypeError('logger: give console, a pino logger, or an object with debug, info, warn and error');
  }
  const level = logLevel ?? environment?.toLowerCase() ?? (logger ? 'info' : 'silent');
  if (!LOG_LEVELS.includes(level as LogLevel)) {
    throw new TypeError(`${logLevel ? 'logLevel' : 'APP_NET_LOG'}: give one of ${LOG_LEVELS.join(', ')}`);
  }
  return createLog(logger, level as LogLevel, name);
}

/** Silence that is suffered: until a peer is asked, and until it is suspect. */
function silence(options: PeerOptions): { ping: number; suspect: number } {
  const ping = milliseconds('ping', options.ping, 2_000);
  if (!(ping >= 20)) throw new TypeError('ping: give a number of milliseconds, 20 or more');
  const suspect = milliseconds('suspect', options.suspect, 3 * ping);
  if (suspect < 2 * ping)
    throw new TypeError('suspect: give at least twice `ping`, or no answer could come in time');
  return { ping, suspect };
}

function ports(options: PeerOptions, env: (name: string) => string | undefined): readonly [number, number] {
  // What the code says wins as a whole: a port in code is not widened by a range in the environment.
  if (options.portRange) return portRange('portRange', options.portRange);
  if (options.port !== undefined) return portRange('port', [options.port, options.port]);
  const given = env('APP_NET_PORT_RANGE');
  if (given) {
    const [, first, last] = /^(\d+)-(\d+)$/.exec(given) ?? [];
    return portRange('APP_NET_PORT_RANGE', [Number(first), Number(last)]);
  }
  const port = Number(env('APP_NET_PORT') ?? 0);
  return portRange('APP_NET_PORT', [port, port]);
}
