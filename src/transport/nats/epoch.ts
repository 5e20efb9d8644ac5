import type { NatsConnection } from '@nats-io/transport-node';

/** One connection to a server, from its beginning to its end. Nothing of an epoch survives it. */
export interface Epoch {
  /** The id of the server. */
  readonly server: string;
  /** The number that the server gave to this connection. */
  readonly client: number;
  /** Where it is, and its version. */
  readonly url: string;
  readonly version: string;
  /** Bytes of the largest message that the server takes. */
  readonly largest: number;
}

export function epochOf(connection: NatsConnection): Epoch {
  const { info } = connection;
  return {
    server: info?.server_id ?? '',
    url: connection.getServer(),
    version: info?.version ?? '',
    client: info?.client_id ?? 0,
    largest: info?.max_payload ?? 1024 * 1024,
  };
}
