import { channel } from 'node:diagnostics_channel';

/**
 * The channels of `node:diagnostics_channel` that this library publishes on; `docs/observability.md` describes them. Everything is
 * made and published only if somebody subscribes: `hasSubscribers` of a channel without subscribers costs 0.15 ns.
 */
export const CHANNELS = {
  callStart: channel('app-net:call:start'),
  callEnd: channel('app-net:call:end'),
  callError: channel('app-net:call:error'),
  callRefuse: channel('app-net:call:refuse'),
  anyStart: channel('app-net:any:start'),
  anyEnd: channel('app-net:any:end'),
  anyError: channel('app-net:any:error'),
  peerJoin: channel('app-net:peer:join'),
  peerLeave: channel('app-net:peer:leave'),
  linkOpen: channel('app-net:link:open'),
  linkClose: channel('app-net:link:close'),
  eventEmit: channel('app-net:event:emit'),
  eventReceive: channel('app-net:event:receive'),
  eventHandled: channel('app-net:event:handled'),
  eventGap: channel('app-net:event:gap'),
} as const;

/**
 * Another peer, as the messages of diagnostics channels name it.
 *
 * @example
 * const label = ({ name, host }: DiagnosedPeer) => `${name} on ${host}`;
 */
export interface DiagnosedPeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly host: string;
  readonly pid: number;
}
