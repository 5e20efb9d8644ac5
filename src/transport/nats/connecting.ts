import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';

import { messageOf } from '../../base/text.ts';
import type { LoginSource } from './nats-options.ts';

type Client = typeof import('@nats-io/transport-node');

/** How long a server may take to let this client in, in ms. */
const CONNECT_TIME = 3_000;

/** The optional package. It is not named literally: a bundler would want it, whether it is used or not. */
const PACKAGE: string = '@nats-io/transport-node';

/** No server can be reached, or none lets this client in. */
export class NatsUnreachable extends Error {}

/** @throws Error that says what to install */
async function loadClient(): Promise<Client> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)) as Client;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const text = `NATS needs a package that is not installed here: npm install ${PACKAGE}@^3.3.1`;
    throw new Error(text, { cause });
  }
}

/**
 * Connects to one of the servers, without a second attempt.
 * @param more servers of the cluster that are known besides
 * @throws NatsUnreachable, or the error of a file or package
 */
export async function connectOnce(source: LoginSource, more: readonly string[]): Promise<NatsConnection> {
  const client = await loadClient();
  const login = await source.login((content) => client.credsAuthenticator(content));
  // The certificate of a server that is known by its address alone cannot be checked.
  const servers = [...new Set([...login.servers, ...(login.tls ? [] : more)])];
  try {
    const connection = await client.connect({
      ...(login as ConnectionOptions),
      servers,
      name: 'app-net',
      reconnect: false,
      timeout: CONNECT_TIME,
      ignoreClusterUpdates: false,
      // Stacks of promises cost more than the promises.
      noAsyncTraces: true,
    });
    letGo(connection);
    return connection;
  } catch (cause) {
    throw new NatsUnreachable(`cannot connect to NATS at ${source.servers.join(', ')}: ${reasonOf(cause)}`, {
      cause,
    });
  }
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
  const text = messageOf(error);
  return cause === undefined || messageOf(cause) === text ? text : `${text} (${messageOf(cause)})`;
}
