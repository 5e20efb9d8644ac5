import { hostname } from 'node:os';

import type { Inspector } from '../actor-types.ts';
import { checkClock, systemClock } from '../../base/time/clock.ts';
import type { Clock } from '../../base/time/clock.ts';
import { defaultName } from './default-name.ts';
import { thisProcess } from '../../base/process/host-process.ts';
import type { HostProcess } from '../../base/process/host-process.ts';
import { newId } from '../../base/new-id.ts';
import { resolveExposure } from './exposure.ts';
import type { Exposure } from './exposure.ts';
import { resolveNetworks } from './network-options.ts';
import type { Networks } from './network-options.ts';
import { resolvePass } from '../guests/own-pass.ts';
import type { OwnPass } from '../guests/own-pass.ts';
import { resolvePages } from '../guests/page-options.ts';
import type { PagesOptions, PagesSettings } from '../guests/page-options.ts';
import { limits } from './limit-options.ts';
import type { PeerLimits } from './limit-options.ts';
import {
  boolean,
  callable,
  milliseconds,
  oneOf,
  refuseUnknown,
  LONGEST_NAME,
  ownGroup,
  flag,
  strings,
  text,
} from '../../base/option-checks.ts';
import { directory, ports, silence } from './option-values.ts';
import { LOG_LEVELS, createLog } from '../../base/log.ts';
import type { SlowSubscribers } from '../../events/topics.ts';
import type { Log, LogLevel, Logger } from '../../base/log.ts';
import { chosenSeeds } from '../../providers/seed.ts';
import type { Seed } from '../../providers/seed.ts';
import type { Network } from '../../providers/network.ts';
import type { TlsOptions } from '../../transport/tls.ts';
import { isPeerId } from '../../wire/shapes.ts';

/**
 * Every option of a peer. An option in code wins over the environment, and an empty variable counts as not set.
 * Each comment ends with the unit, the environment variable and the default: `docs/options.md` is made of them.
 *
 * @example
 * configure({ name: 'render-1', group: 'gpu', deadline: 5_000, limits: { running: 64 } });
 */
export interface PeerOptions {
  /**
   * The name of this peer for people. 1 to 256 characters. Several peers may have the same name.
   * Environment: `APP_NET_NAME`. Default: `<script>:<pid>`, and `<script>:<pid>/<thread>` in a worker thread.
   */
  name?: string | undefined;
  /**
   * The group of this peer. A peer sees, calls and hears its own group unless a selector names another one.
   * 1 to 256 characters, not `*`.
   * Environment: `APP_NET_GROUP`. Default: `main`.
   */
  group?: string | undefined;
  /**
   * A label that selectors can ask for: `{ hub: true }`. It changes nothing else.
   * Environment: `APP_NET_IS_HUB` (`1` or `true`). Default: false.
   */
  hub?: boolean | undefined;
  /**
   * Whether other peers can find this one. With `false` the peer listens nowhere and only dials others. Only the peers that it is
   * connected to see it. In a network of up to 13 peers it connects to all. In a larger one it connects to one peer, and to each peer
   * that it calls. Its first search ends when it has tried every peer that it found.
   * Default: true.
   */
  announce?: boolean | undefined;
  /**
   * The identity of this peer. 1 to 64 characters of `A-Za-z0-9_-`. Only one live peer can have an id.
   * Default: a new nanoid for each peer.
   */
  id?: string | undefined;
  /**
   * Opens this peer to other hosts. The peer listens on every interface, encrypts, and needs a `secret` or a `secretFile`.
   * Environment: `APP_NET_LAN` (`1` or `true`). Default: false.
   */
  lan?: boolean | undefined;
  /**
   * Runs without a secret. Needs `lan`, and cannot be combined with a secret. Everybody on the network can then call every
   * function of this peer. Connections are encrypted, but no side knows who the other one is. There is no environment
   * variable, on purpose.
   * Default: false.
   */
  insecure?: boolean | undefined;
  /**
   * Key and certificate (PEM) for connections to other hosts: `{ key, cert, ca }`. With `ca`, each side requires a
   * certificate that this authority signed.
   * Default: made at each start, for this process only.
   */
  tls?: TlsOptions | undefined;
  /**
   * Host names under which web pages and clients in other languages reach this peer, as in their `Host` header. `localhost`
   * and IP addresses always work. Name a proxy on this host with its port: `localhost:8443`.
   * Default: none.
   */
  hostNames?: readonly string[] | undefined;
  /**
   * The IP address to listen on. Without `lan` it must be a loopback address. With `lan` it must not be one, and
   * connections from the same host are then encrypted too.
   * Environment: `APP_NET_HOST`. Default: `127.0.0.1`; with `lan`, every interface.
   */
  host?: string | undefined;
  /**
   * The TCP port to listen on. A port in code wins over a range in the environment.
   * Environment: `APP_NET_PORT`. Default: 0, the system chooses a free port.
   */
  port?: number | undefined;
  /**
   * The first and the last TCP port to try. Wins over `port`.
   * Environment: `APP_NET_PORT_RANGE` (`first-last`). Default: `port` alone.
   */
  portRange?: readonly [number, number] | undefined;
  /**
   * The secret that all peers share. They prove to each other that they know it. Give a made secret (`net1_…`) or a
   * passphrase of at least 15 characters. Wins over `secretFile`. A `secretFile` in code wins over a secret in the environment.
   * Environment: `APP_NET_SECRET`. Default: the content of `secretFile`; else, without `lan`, a secret made once for this
   * user on this host.
   */
  secret?: string | undefined;
  /**
   * The path of a file that holds the secret. Only its owner may be able to read it.
   * Environment: `APP_NET_SECRET_FILE`. Default: none.
   */
  secretFile?: string | undefined;
  /**
   * Addresses of peers that cannot be found otherwise. `host:port` is one peer, and its name is looked up at every dial;
   * `dns:name:port` is one peer at each address of the name; `srv:name` is one peer for each target of its SRV records.
   * Without `lan` only loopback addresses are accepted.
   * Environment: `APP_NET_PEERS` (separated by commas). Default: none.
   */
  seeds?: readonly string[] | undefined;
  /**
   * The directory where peers of one host find each other. It is made if it is missing; if it exists, only its owner may read it (mode
   * 700). Peers with different directories find each other only through `lan` or `seeds`.
   * Environment: `APP_NET_RUNTIME_DIR`. Default: `$XDG_RUNTIME_DIR/app-net`; without that variable `<tmpdir>/app-net-<uid>`.
   */
  runtimeDir?: string | undefined;
  /** The time that a call may take before it fails, dialling included. Unit: ms. Default: 30,000. */
  deadline?: number | undefined;
  /** The time that `stop()` gives to calls that still run. Unit: ms. Default: 10,000. */
  drainTime?: number | undefined;
  /**
   * The silence after which a peer is asked for a sign of life. It also limits the fresh dial that decides about a peer that
   * stays silent. At least 20.
   * Unit: ms. Default: 2,000.
   */
  ping?: number | undefined;
  /**
   * The silence after which a peer is suspect. One fresh dial then decides, so a silent peer leaves after at most
   * `suspect` + 1.5 × `ping` in all. At least 2 × `ping`.
   * Unit: ms. Default: 3 × `ping`, 6,000.
   */
  suspect?: number | undefined;
  /** Whether errors that functions throw are sent with their stack. Default: true. */
  stacks?: boolean | undefined;
  /**
   * For tests. A plain call of a connected function stays in this process, but its arguments, result and errors are carried
   * as in a call to another process, and it fails where that call would fail. `connect` then returns a new function
   * around yours.
   * Environment: `APP_NET_PARITY` (`1` or `true`). Default: false.
   */
  parity?: boolean | undefined;
  /**
   * A pass, which another peer made with `peer.pass()`. The peer then needs no secret, and has the rights of the pass. It is not
   * announced: it dials the peers that it finds. Takes the place of `secret`, `id` and `name`.
   * Default: none.
   */
  pass?: string | undefined;
  /**
   * A port for web pages: `{ port, host, tls, path }`. Pages need a pass (`peer.pass()`). On a `host` that is not loopback, `tls`
   * is needed. `peer.attach()` lets pages in at a server of yours instead.
   * Default: none.
   */
  pages?: PagesOptions | undefined;
  /**
   * Origins of web pages that may connect, such as `https://example.com`. At `pages` and `attach()` an empty list means every
   * origin that a pass allows. Default: none.
   */
  origins?: readonly string[] | undefined;
  /**
   * The fate of a subscriber for which more than `limits.events` would have to wait. `drop`: the oldest events are not sent
   * to it. `disconnect`: its connection is ended, and it connects again. The subscriber is told of the gap in both cases.
   * Default: `drop`.
   */
  slowSubscribers?: SlowSubscribers | undefined;
  /** Limits on what this peer accepts from others and keeps for them. Default: those of `PeerLimits`. */
  limits?: Partial<PeerLimits> | undefined;
  /** Passed to XState: sees every event and snapshot of every actor of this peer. Default: none. */
  inspect?: Inspector | undefined;
  /**
   * Receives one line for each change of state. Give `console`, a pino logger, or an object with `debug`, `info`, `warn`
   * and `error`.
   * Default: writes to stderr.
   */
  logger?: Logger | undefined;
  /**
   * The lowest level that is written: `debug`, `info`, `warn` or `error`; or `silent` for nothing.
   * Environment: `APP_NET_LOG`. Default: `silent`; with a `logger`, `info`.
   */
  logLevel?: LogLevel | undefined;
  /** The source of time. `SimulatedClock` of `app-net/testing` is one. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
  /**
   * The source of randomness for choices and delays. It returns a number from 0 up to, but not including, 1. A
   * repeatable source together with a `clock` makes a run repeatable.
   * Default: `Math.random`.
   */
  random?: (() => number) | undefined;
  /**
   * The network of this peer. `app-net/nats` has one that goes through NATS, `app-net/testing` one in memory.
   * Environment: `APP_NET_NATS` (URLs of NATS servers, separated by commas), `APP_NET_NATS_CREDS` (path of a file with
   * credentials). Default: this host over loopback; with `lan`, other hosts too.
   */
  network?: Network | undefined;
  /**
   * Several networks at once: `host`, which is the default network, and `natsNetwork()`. A peer that is found on both is one
   * peer, with a direct connection. If that breaks, NATS takes over. Takes the place of `network`.
   * Default: `network` alone.
   */
  networks?: readonly ('host' | Network)[] | undefined;
}

/** The options with every default filled in. */
export interface Settings extends Exposure, Networks {
  id: string;
  incarnation: string;
  name: string;
  group: string;
  hub: boolean;
  announce: boolean;
  hostname: string;
  process: HostProcess;
  ports: readonly [number, number];
  hostNames: readonly string[];
  seeds: readonly Seed[];
  runtimeDir: string | undefined;
  /** What the peer has in place of the secret. */
  pass: OwnPass | undefined;
  pages: PagesSettings | undefined;
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
  inspect: Inspector | undefined;
  clock: Clock;
  random: () => number;
}

/**
 * Fills in the defaults and checks every option.
 * @throws TypeError that names the option; NetError INSECURE for options that would open the peer to strangers
 */
export function resolveOptions(options: PeerOptions, environment: NodeJS.ProcessEnv): Settings {
  refuseUnknown('option', options, KNOWN);
  const env = (name: string): string | undefined => environment[name] || undefined;
  const incarnation = newId();
  const pass = resolvePass(options, incarnation);
  const id = pass?.id ?? options.id ?? newId();
  if (!isPeerId(id)) throw new TypeError('id: give 1 to 64 characters of A-Z a-z 0-9 _ -');
  const name = pass?.rights.name ?? text('name', options.name ?? env('APP_NET_NAME'), defaultName());
  const lan = boolean('lan', options.lan ?? flag('APP_NET_LAN', env('APP_NET_LAN')), false);
  return {
    ...{ id, incarnation, name, pass, pages: resolvePages(options.pages) },
    group: ownGroup(text('group', options.group ?? env('APP_NET_GROUP'), 'main')),
    hub: boolean('hub', options.hub ?? flag('APP_NET_IS_HUB', env('APP_NET_IS_HUB')), false),
    announce: boolean('announce', options.announce, !pass),
    hostname: hostname().slice(0, LONGEST_NAME),
    process: thisProcess,
    ...resolveExposure(options, lan, pass ? () => undefined : env, pass !== undefined),
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
    ...resolveNetworks(options, env),
  };
}

// The type makes it exhaustive: a new option that is missing here does not compile.
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
  pass: true,
  pages: true,
  origins: true,
  slowSubscribers: true,
  limits: true,
  logger: true,
  logLevel: true,
  inspect: true,
  clock: true,
  random: true,
  network: true,
  networks: true,
};

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
