import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';

import { messageOf } from '../../base/text.ts';
import { whenAborted } from '../../base/time/when-aborted.ts';
import { unawaited } from '../../base/unforeseen.ts';
import type { LoginSource } from './nats-options.ts';

type Client = typeof import('@nats-io/transport-node');

/** How long a server may take to let this client in, in ms. */
const CONNECT_TIME = 10_000;

/** The next server is tried after this time, in ms, while the one before may still answer. As for the addresses of a peer. */
const STAGGER = 250;

/** The optional package. It is not named literally: a bundler would want it, whether it is used or not. */
const PACKAGE: string = '@nats-io/transport-node';

/** No server can be reached, or none lets this client in. */
export class NatsUnreachable extends Error {}

/** After a server died there is no time to ask the loader of modules, which may be in another thread. */
let loaded: Client | undefined;

/** @throws Error that says what to install */
async function loadClient(): Promise<Client> {
  try {
    loaded ??= (await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)) as Client;
    return loaded;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const text = `NATS needs a package that is not installed here: npm install ${PACKAGE}@^3.3.1`;
    throw new Error(text, { cause });
  }
}

/**
 * Connects to the server that lets this client in first. Each is tried once, in an order that chance makes: so the clients of a
 * server that died are spread over the others.
 * @param more servers of the cluster that are known besides
 * @param worst the server that is tried last
 * @param signal gives up when it is aborted
 * @throws NatsUnreachable, the error of a file or package, or the reason of the signal
 */
export async function connectOnce(
  source: LoginSource,
  more: readonly string[],
  random: () => number,
  { worst, signal }: { worst?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<NatsConnection> {
  signal?.throwIfAborted();
  const client = await loadClient();
  const login = await source.login((content) => client.credsAuthenticator(content));
  // The certificate of a server that is known by its address alone cannot be checked.
  const all = new Set([...login.servers, ...(login.tls ? [] : more)]);
  const ranked = [...all].map((server) => ({ server, rank: server === worst ? 1 : random() }));
  const servers = ranked.toSorted((a, b) => a.rank - b.rank).map(({ server }) => server);
  const connect = async (server: string): Promise<NatsConnection> => {
    const connection = await client.connect({
      ...(login as ConnectionOptions),
      servers: [server],
      name: 'app-net',
      reconnect: false,
      timeout: CONNECT_TIME,
      ignoreClusterUpdates: false,
      // Stacks of promises cost more than the promises.
      noAsyncTraces: true,
    });
    letGo(connection);
    return connection;
  };
  try {
    return await firstOf(servers, connect, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new NatsUnreachable(`cannot connect to NATS at ${source.servers.join(', ')}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** A host that is gone answers nothing, so the next server is tried although one may still answer. */
function firstOf(
  servers: readonly string[],
  connect: (server: string) => Promise<NatsConnection>,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  return new Promise((resolve, reject) => {
    const waiting = [...servers];
    const stopWatching = signal ? whenAborted(signal, () => giveUp()) : (): void => {};
    let underWay = 0;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (): void => {
      clearTimeout(timer);
      waiting.length = 0;
      over = true;
      reject(signal!.reason as Error);
    };
    const tryNext = (): void => {
      clearTimeout(timer);
      const server = waiting.shift();
      if (server === undefined) return;
      underWay += 1;
      if (waiting.length > 0) timer = setTimeout(tryNext, STAGGER).unref();
      connect(server).then(
        (connection) => {
          clearTimeout(timer);
          if (over) {
            unawaited('at the end of a connection to NATS', connection.close());
            return;
          }
          over = true;
          stopWatching();
          resolve(connection);
        },
        (error: unknown) => {
          underWay -= 1;
          if (over) return;
          if (waiting.length > 0) tryNext();
          else if (underWay === 0) {
            stopWatching();
            reject(error);
          }
        },
      );
    };
    tryNext();
  });
}

/**
 * Keeps the connection from keeping the process alive: only `process-hold.ts` does that. The client has no option for it. With
 * another version of it, these parts may be missing; then a process stays until its peer is stopped.
 */
function letGo(connection: NatsConnection): void {
  const { protocol } = connection as unknown as {
    protocol?: {
      transport?: { socket?: { unref?: () => void } };
      heartbeats?: { cancel?: () => void };
      raceTimer?: { cancel?: () => void };
    };
  };
  protocol?.transport?.socket?.unref?.();
  protocol?.heartbeats?.cancel?.();
  protocol?.raceTimer?.cancel?.();
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const told = messageOf(error);
  // All that the client says.
  const text = told === 'timeout' ? `no NATS server answered within ${CONNECT_TIME / 1_000} s` : told;
  return cause === undefined || messageOf(cause) === told ? text : `${text} (${messageOf(cause)})`;
}
