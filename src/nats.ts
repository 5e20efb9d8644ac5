/// <reference types="node" preserve="true" />

/**
 * Peers that reach each other through NATS, and need no network in common. Import from `app-net/nats`. Needs the package
 * `@nats-io/transport-node`.
 *
 * @module app-net/nats
 */

export { natsNetwork } from './providers/nats/nats-network.ts';
export type { NatsOptions, NatsTls } from './transport/nats/nats-options.ts';
export type { Network } from './providers/network.ts';
