import type { DiagnosedPeer } from '../../base/diagnostics.ts';

/**
 * A connection to another peer, on the channels `app-net:link:open` and `app-net:link:close`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:link:close', (message) => {
 *   const { peer, code } = message as LinkMessage;
 *   console.log(peer.name, code);
 * });
 */
export interface LinkMessage {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer at the other end. */
  readonly peer: DiagnosedPeer;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /** How often a connection to this peer was lost before. */
  readonly generation: number;
  /** When it closes: the close code of the WebSocket; undefined if this side ended it without one. */
  readonly code: number | undefined;
}
