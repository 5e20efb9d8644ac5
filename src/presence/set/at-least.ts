import type { RemotePeer } from './remote-peer.ts';

/**
 * At least `N` peers, as `ready({ min: N })` resolves with: `const [a, b] = …` are there, also for a compiler with
 * `noUncheckedIndexedAccess`. At least one if `min` is only known as a number, and 16 if it is larger.
 *
 * @example
 * const [one, two]: AtLeast<2> = await peers.ready(resize, { min: 2 });
 */
export type AtLeast<N extends number, Peers extends RemotePeer[] = []> = number extends N
  ? [RemotePeer, ...RemotePeer[]]
  : Peers['length'] extends N | 16
    ? [...Peers, ...RemotePeer[]]
    : AtLeast<N, [...Peers, RemotePeer]>;
