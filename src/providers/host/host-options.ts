import type { Clock } from '../../base/time/clock.ts';
import type { Address } from '../../transport/address.ts';

/** The state of the directory. `identity` tells it from another one with the same name; `fault` is a problem with its secret. */
export interface Condition {
  identity: string;
  fault?: Error | undefined;
}

export interface HostOptions {
  directory: string;
  clock: Clock;
  /**
   * Creates the directory and its contents if they are missing. Rejects if the directory cannot be used. Default: creates only
   * the directory.
   */
  upkeep?: () => Promise<Condition>;
  /** Whether this peer may dial an address. Default: only loopback addresses. */
  reaches?: (address: Address) => boolean;
}
